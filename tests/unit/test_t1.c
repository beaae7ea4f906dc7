/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=1, ISO/IEC 7816-3:2006, clause 11: conversations of the engine with a card that follows a script, block by block. */
#include "tpdu/t1.h"
#include "check.h"

#include "t1_sequences.h"
#include "t1_talk.h"

/*
 * Each line is played with LRC and with CRC, ends with the state, and then another APDU has to work, or to be refused
 * by a connection that is dead.
 */

static const struct row more_rows[] = {
	/* 11.6.2.3 rule 4: IFSC changes while a block is out; what was sent is what is acknowledged */
	{ "IFSC shrinks during our chain", 4,
	  "A:abcdefgh H>I(0,1)abcd C>S(IFS,2) H>S(IFSr,2) C>R(1) H>I(1,1)ef C>R(0) H>I(0,0)gh C>I(0,0)ok =ok "
	  "|1,1,2,32" },
	{ "IFSC grows during our chain", 2,
	  "A:abcdefgh H>I(0,1)ab C>S(IFS,254) H>S(IFSr,254) C>R(1) H>I(1,0)cdefgh C>I(0,0)ok =ok "
	  "|0,1,254,32" },
	{ "IFSC grows before the middle of our chain", 2,
	  "A:abcdefgh H>I(0,1)ab C>R(1) H>I(1,1)cd C>S(IFS,3) H>S(IFSr,3) C>R(0) H>I(0,1)efg C>R(1) "
	  "H>I(1,0)h "
	  "C>I(0,0)ok =ok |0,1,3,32" },
	{ "IFSC shrinks when the whole command is out", 8,
	  "A:abcdefgh H>I(0,0)abcdefgh C>S(IFS,2) H>S(IFSr,2) C>I(0,0)ok =ok |1,1,2,32" },
	{ "IFSC shrinks, and the card wants the block again", 4,
	  "A:abcdefgh H>I(0,1)abcd C>S(IFS,2) H>S(IFSr,2) C>R(0)2 H>I(0,1)ab C>R(1) H>I(1,1)cd C>R(0) "
	  "H>I(0,1)ef C>R(1) H>I(1,0)gh C>I(0,0)ok =ok |0,1,2,32" },
	{ "IFSC shrinks, and the card wants the command again", 8,
	  "A:abcdefgh H>I(0,0)abcdefgh C>S(IFS,4) H>S(IFSr,4) C>R(0)2 H>I(0,1)abcd C>R(1) H>I(1,0)efgh "
	  "C>I(0,0)ok =ok |0,1,4,32" },
	{ "IFSC shrinks twice during one block", 8,
	  "A:8a8b H>I(0,1)8a C>S(IFS,6) H>S(IFSr,6) C>S(IFS,4) H>S(IFSr,4) C>R(1) H>I(1,1)4b C>R(0) "
	  "H>I(0,0)4b C>I(0,0)ok =ok |1,1,4,32" },
	{ "IFSC shrinks, acknowledgement damaged", 4,
	  "A:abcdef H>I(0,1)abcd C>S(IFS,2) H>S(IFSr,2) C>R(1)! H>R(0)1 C>R(1) H>I(1,0)ef C>I(0,0)ok =ok "
	  "|0,1,2,32" },
	{ "IFSC changes during the card's chain", 8,
	  CMD "C>I(0,1)ab H>R(1) C>S(IFS,2) H>S(IFSr,2) C>I(1,0)cd =abcd |1,0,2,32" },
	{ "IFSC 1", 1, "A:ab H>I(0,1)a C>R(1) H>I(1,0)b C>I(0,0)ok =ok |0,1,1,32" },
	{ "IFSC 254", 254, "A:255a H>I(0,1)254a C>R(1) H>I(1,0)a C>I(0,0)ok =ok |0,1,254,32" },
	{ "a command of exactly IFSC is no chain", 4, "A:abcd H>I(0,0)abcd C>I(0,0)ok =ok |1,1,4,32" },

	/* 11.6.3.1 rule 6 */
	{ "RESYNCH brings back the ATR's IFSC", 8,
	  CMD "C>S(IFS,2) H>S(IFSr,2) C>- H>R(0)2 C>- H>R(0)2 C>- H>S(RES) C>S(RESr) =!CARD |0,0,8,32" },
	{ "RESYNCH undoes S(IFS); the longer blocks are still taken", 32,
	  "S:254 H>S(IFS,254) C>S(IFSr,254) = " CMD "3*{ C>- H>?} C>S(RESr) =!CARD |0,0,32,254r A:read "
	  "H>I(0,0)read C>I(0,0)254k =254k |1,1,32,254r" },
	{ "IFSD is announced again after RESYNCH", 32,
	  "S:99 H>S(IFS,99) C>S(IFSr,99) = " CMD
	  "3*{ C>- H>?} C>S(RESr) =!CARD S:99 H>S(IFS,99) C>S(IFSr,99) = "
	  "|0,0,32,99" },
	{ "RESYNCH brings back 32 where IFSD was less", 32,
	  "S:5 H>S(IFS,5) C>S(IFSr,5) = " CMD
	  "3*{ C>- H>?} C>S(RESr) =!CARD A:read H>I(0,0)read C>I(0,0)32k =32k "
	  "|1,1,32,32r" },
	{ "IFSD refused after RESYNCH: the card may have kept it", 32,
	  "S:254 H>S(IFS,254) C>S(IFSr,254) = " CMD
	  "3*{ C>- H>?} C>S(RESr) =!CARD S:254 3*{ H>S(IFS,254) C>R(0)2 } = "
	  "A:read H>I(0,0)read C>I(0,0)254k =254k |1,1,32,?" },
	{ "RESYNCH in the middle of our chain: the command is not sent again", 2,
	  "A:abcd H>I(0,1)ab C>R(1) H>I(1,0)cd C>- H>R(0)2 C>- H>R(0)2 C>- H>S(RES) C>S(RESr) =!CARD "
	  "|0,0,2,32" },
	{ "RESYNCH in the middle of the card's chain", 32,
	  CMD "C>I(0,1)ab H>R(1) C>- H>R(1) C>- H>R(1) C>- H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "RESYNCH answered with other blocks", 32,
	  LOST "H>S(RES) C>I(1,0)ok H>S(RES) C>S(WTX,1) H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "RESYNCH answered with the wrong response", 32,
	  LOST "H>S(RES) C>S(ABTr) H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "RESYNCH three times silent", 32, LOST "3*{ H>S(RES) C>- } =!MUTE |1,1,32,32d" },
	{ "RESYNCH three times refused", 32, LOST "3*{ H>S(RES) C>R(0)2 } =!MUTE |1,1,32,32d" },

	/* 11.6.3.2 rule 7 */
	{ "7.2: the error of the first complaint is repeated", 32,
	  CMD "C>I(0,0)ok! H>R(0)1 C>- H>R(0)1 " OK },
	{ "7.2: silence first, then damage", 32, CMD "C>- H>R(0)2 C>I(0,0)ok! H>R(0)2 " OK },
	{ "7.3: a response of ours is not repeated by itself", 32,
	  CMD "C>S(WTX,2) H>S(WTXr,2) C>- H>R(0)2 C>S(WTX,2) H>S(WTXr,2) " OK },
	{ "7.3: S(ABORT response) lost", 32,
	  CMD "C>I(0,1)ab H>R(1) C>S(ABT) H>S(ABTr)! C>S(ABT) H>S(ABTr) C>R(1) =!CARD |1,1,32,32" },
	{ "7.3: R after S(ABORT response) lost", 32,
	  CMD "C>I(0,1)ab H>R(1) C>S(ABT) H>S(ABTr) C>R(1)! H>R(1)1 C>R(1) =!CARD |1,1,32,32" },
	{ "7.3: S(IFS request) of ours lost twice", 32,
	  "S:254 H>S(IFS,254) C>- H>S(IFS,254) C>S(IFSr,254)! H>S(IFS,254) C>S(IFSr,254) = |0,0,32,254" },
	{ "7.3: S(ABORT request) of ours lost twice", 32,
	  "cap:1 " CMD "C>I(0,1)ab H>S(ABT) C>- H>S(ABT) C>I(0,1)ab H>S(ABT) C>S(ABTr) =!SPACE |1,1,32,32" },
	{ "S(ABORT request) of ours refused: RESYNCH", 32,
	  "cap:1 " CMD "C>I(0,1)ab 3*{ H>S(ABT) C>R(1)2 } H>S(RES) C>S(RESr) =!SPACE |0,0,32,32" },
	{ "7.4.1: only damage since the protocol start", 32,
	  CMD "C>I(0,0)ok! H>R(0)1 C>~ H>R(0)1 C>I(0,0)ok! =!MUTE |0,0,32,32d" },
	{ "7.4.1: S(IFS request) never answered", 32, "S:254 3*{ H>S(IFS,254) C>- } =!MUTE |0,0,32,32d" },
	{ "7.4.2: S(IFS request) never answered, later", 32,
	  HEARD "S:254 3*{ H>S(IFS,254) C>- } H>S(RES) C>S(RESr) =? |0,0,32,?" },
	{ "7.4.2: any valid block starts the count again", 32,
	  CMD "C>I(0,0)ok! H>R(0)1 C>- H>R(0)1 C>S(WTX,1) H>S(WTXr,1) C>- H>R(0)2 C>- H>R(0)2 " OK },
	{ "7.4.2: an R-block does, too", 32,
	  CMD "C>I(0,0)ok! H>R(0)1 C>- H>R(0)1 C>R(1)1 H>R(0)1 C>- H>R(0)1 C>- H>R(0)1 " OK },
	{ "7.4.2: and S(IFS request)", 32,
	  CMD
	  "C>- H>R(0)2 C>- H>R(0)2 C>S(IFS,8) H>S(IFSr,8) C>- H>R(0)2 C>- H>R(0)2 C>I(0,0)ok =ok |1,1,8,32" },
	{ "7.4.2: and S(ABORT request)", 32,
	  CMD
	  "C>I(0,1)ab H>R(1) C>- H>R(1) C>- H>R(1) C>S(ABT) H>S(ABTr) C>- H>R(1)2 C>- H>R(1)2 C>R(1) =!CARD "
	  "|1,1,32,32" },
	{ "7.4.2: and each block of a chain", 2,
	  "A:abcd H>I(0,1)ab C>- H>R(0)2 C>- H>R(0)2 C>R(1) H>I(1,0)cd C>- H>R(0)2 C>- H>R(0)2 C>I(0,1)o "
	  "H>R(1) "
	  "C>- H>R(1) C>- H>R(1) C>I(1,0)k =ok |0,0,2,32" },
	{ "7.4.2: an invalid S(IFS request) does not", 32,
	  HEARD
	  "A:read H>I(1,0)read C>S(IFS,0) H>R(1)2 C>S(IFS,255) H>R(1)2 C>S(IFS,0) H>S(RES) C>S(RESr) =!CARD "
	  "|0,0,32,32" },
	{ "7.4.2: RESYNCH by the card, three times", 32,
	  HEARD "A:read H>I(1,0)read C>S(RES) H>R(1)2 C>S(RES) H>R(1)2 C>S(RES) H>S(RES) C>S(RESr) =!CARD "
		"|0,0,32,32" },
	{ "7.6: the first block is lost", 32, CMD "C>- H>R(0)2 C>R(0) H>I(0,0)read " OK },
	{ "an old answer comes again", 32,
	  "A:open H>I(0,0)open C>I(0,0)two =two A:read H>I(1,0)read C>I(0,0)two H>R(1)2 C>I(1,0)ok =ok "
	  "|0,0,32,32" },
	{ "the answer of a command that was lost is asked for, the command is not repeated", 32,
	  CMD "C>R(1)1 H>R(0)2 " OK },

	/* rule 9 and S-blocks out of place */
	{ "S(ABORT) of the card, then it goes on asking for time", 32,
	  CMD "C>I(0,1)ab H>R(1) C>S(ABT) H>S(ABTr) C>S(WTX,2) H>S(WTXr,2) C>R(1) =!CARD |1,1,32,32" },
	{ "a response that nobody asked for: WTX", 32, CMD "C>S(WTXr,1) H>R(0)2 " OK },
	{ "a response that nobody asked for: IFS", 32, CMD "C>S(IFSr,8) H>R(0)2 " OK },
	{ "a response that nobody asked for: ABORT", 32, CMD "C>S(ABTr) H>R(0)2 " OK },
	{ "a response that nobody asked for: RESYNCH", 32, CMD "C>S(RESr) H>R(0)2 " OK },
	{ "IFSD answered with another response", 32,
	  "S:254 H>S(IFS,254) C>S(WTXr,254) H>S(IFS,254) C>S(IFSr,254) = |0,0,32,254" },
	{ "IFSD may be smaller than 32", 32,
	  "S:5 H>S(IFS,5) C>S(IFSr,5) = " CMD "C>I(0,0)kkkkkk H>R(0)2 C>I(0,0)kkkkk =kkkkk |1,1,32,5" },
	{ "WTX of 255", 32, CMD "C>S(WTX,255) H>S(WTXr,255) " OK },
	{ "WTX of 0", 32, CMD "C>S(WTX,0) H>S(WTXr,0) " OK },
	{ "WTX during the card's chain", 32,
	  CMD "C>I(0,1)ab H>R(1) C>S(WTX,4) H>S(WTXr,4) C>I(1,0)cd =abcd |1,0,32,32" },
	{ "empty blocks in the card's chain", 32,
	  CMD "C>I(0,1) H>R(1) C>I(1,1)ab H>R(0) C>I(0,1) H>R(1) C>I(1,0)c =abc |1,0,32,32" },

	/* 11.3: blocks that are none */
	{ "LEN too big", 32, CMD "C>#0000036F6B H>R(0)2 " OK },
	{ "LEN too small", 32, CMD "C>#0000016F6B H>R(0)2 " OK },
	{ "R with LEN 1", 32, CMD "C>#00800100 H>R(0)2 " OK },
	{ "S(WTX) with LEN 0", 32, CMD "C>#00C300 H>R(0)2 " OK },
	{ "S(WTX) with LEN 2", 32, CMD "C>#00C3020101 H>R(0)2 " OK },
	{ "S(IFS) with LEN 0", 32, CMD "C>#00C100 H>R(0)2 " OK },
	{ "S(IFS) with LEN 2", 32, CMD "C>#00C1020808 H>R(0)2 " OK },
	{ "S(ABORT) with LEN 1", 32, CMD "C>#00C20100 H>R(0)2 " OK },
	{ "S(RESYNCH response) with LEN 1", 32,
	  LOST "H>S(RES) C>#00E00100 H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "S(IFS response) with LEN 0", 32,
	  "S:254 H>S(IFS,254) C>#00E100 H>S(IFS,254) C>S(IFSr,254) = |0,0,32,254" },
	{ "S(IFS response) with LEN 2", 32,
	  "S:254 H>S(IFS,254) C>#00E102FEFE H>S(IFS,254) C>S(IFSr,254) = |0,0,32,254" },
	{ "NAD of another node", 32, CMD "C>#1000026F6B H>R(0)2 " OK },
	{ "damage goes before other faults", 32, CMD "C>#1000026F6B! H>R(0)1 " OK },
	{ "I-block with LEN 0 is an answer without a byte", 32, CMD "C>I(0,0) = |1,1,32,32" },
};

/* ---- the player ---------------------------------------------------------------------------------------------------- */

struct play {
	const char *row, *at;
	char where[200];
	struct t1 t1;
	struct talk_frame frame;
	uint8_t apdu[600], answer[600 + 16];
	size_t cap;
	bool stop;
};

static const struct {
	const char *name;
	enum oc_err err;
} error_names[] = {
	{ "CARD", OC_E_CARD },   { "MUTE", OC_E_MUTE },       { "SPACE", OC_E_SPACE },
	{ "LIMIT", OC_E_LIMIT }, { "NO_CARD", OC_E_NO_CARD },
};

static enum oc_err error_named(const char *word)
{
	for (size_t i = 0; i < COUNT(error_names); i++)
		if (strncmp(word, error_names[i].name, strlen(error_names[i].name)) == 0)
			return error_names[i].err;
	fail_msg("no such error: %s", word);
	return OC_OK;
}

static void mark(struct play *p, const char *word)
{
	snprintf(p->where, sizeof p->where, "%s (%s), at %.24s", p->row, p->frame.crc ? "CRC" : "LRC", word);
}

static void begin_apdu(struct play *p, const char *text)
{
	const size_t len = talk_data(text, p->apdu, sizeof p->apdu);

	memset(p->answer, 0xEE, sizeof p->answer);
	CHECK_INT(p->where, t1_begin(&p->t1, p->apdu, len, p->answer, p->cap), OC_OK);
}

static void host_block(struct play *p, const char *text)
{
	uint8_t got[T1_BLOCK_MAX + 8], want[TALK_BLOCK_MAX];
	struct talk_block b;
	struct block block;

	memset(got, 0xEE, sizeof got);
	if (t1_next(&p->t1, got, &block) != STEP_SEND) {
		CHECK_INT(p->where, t1_next(&p->t1, got, &block), STEP_SEND);
		p->stop = true;
		return;
	}
	CHECK(p->where,
	      block.len <= T1_BLOCK_MAX && block.expect >= 3u + p->t1.ifsd + (p->frame.crc ? 2 : 1));
	for (size_t i = T1_BLOCK_MAX; i < sizeof got; i++)
		CHECK(p->where, got[i] == 0xEE);
	if (text[0] == '?')
		return;
	talk_parse(text, &p->frame, true, &b, want);
	CHECK_BYTES(p->where, got, block.len, want, b.len);
	if (b.wtx < 0)
		CHECK_INT(p->where, block.bwi, 0);
	else if (b.wtx > 0)
		CHECK_INT(p->where, block.bwi, b.wtx);
	else
		CHECK(p->where, block.bwi <= 1); /* 0 is read as 1 */
}

static void card_block(struct play *p, const char *text)
{
	uint8_t bytes[TALK_BLOCK_MAX], *copy;
	struct reply reply = { .kind = REPLY_BLOCK };
	struct talk_block b;

	if (text[0] == '-' || text[0] == '~') {
		reply.kind = text[0] == '-' ? REPLY_SILENT : REPLY_DAMAGED;
		reply.err = text[0] == '-' ? OC_E_MUTE : OC_E_CARD;
		t1_feed(&p->t1, &reply);
		return;
	}
	talk_parse(text, &p->frame, false, &b, bytes);
	copy = exact_copy(bytes, b.len);
	reply.data = copy;
	reply.len = b.len;
	t1_feed(&p->t1, &reply);
	free(copy);
}

static void check_room(const struct play *p)
{
	for (size_t i = p->cap; i < sizeof p->answer; i++)
		if (p->answer[i] != 0xEE) {
			CHECK(p->where, p->answer[i] == 0xEE);
			return;
		}
}

static void outcome(struct play *p, const char *text)
{
	uint8_t out[T1_BLOCK_MAX], want[600];
	struct block block;
	const enum step step = t1_next(&p->t1, out, &block);

	check_room(p);
	if (text[0] == '?') {
		CHECK(p->where, step != STEP_SEND);
	} else if (text[0] == '!') {
		CHECK_INT(p->where, step, STEP_FAIL);
		CHECK_INT(p->where, p->t1.err, error_named(text + 1));
	} else {
		const size_t want_len = talk_data(text, want, sizeof want);

		CHECK_INT(p->where, step, STEP_DONE);
		CHECK_BYTES(p->where, p->answer, p->t1.len, want, want_len);
	}
	p->stop |= step == STEP_SEND;
}

/* A number of "|1,0,32,254dr", or "?". */
static void check_number(const struct play *p, const char **text, unsigned got)
{
	char *end;

	if (**text == '?') {
		*text += (*text)[1] == ',' ? 2 : 1;
		return;
	}
	CHECK_INT(p->where, got, strtol(*text, &end, 10));
	*text = *end == ',' ? end + 1 : end;
}

/* What has to hold whenever an exchange is over: the next command works, unless the connection is dead. */
static void check_next(struct play *p)
{
	const struct t1 before = p->t1;
	char sent[32], got[32];

	if (before.dead) {
		CHECK_INT(p->where, t1_begin(&p->t1, p->apdu, 3, p->answer, p->cap), OC_E_UNPOWERED);
		CHECK_INT(p->where, t1_begin_ifsd(&p->t1, 254), OC_E_UNPOWERED);
		return;
	}
	p->cap = 600;
	begin_apdu(p, "z");
	snprintf(sent, sizeof sent, "I(%u,0)z", before.ns);
	snprintf(got, sizeof got, "I(%u,0)y", before.nr);
	host_block(p, sent);
	card_block(p, got);
	outcome(p, "y");
	p->t1 = before;
}

static void check_state(struct play *p, const char *text)
{
	const char *end = text;

	check_number(p, &end, p->t1.ns);
	check_number(p, &end, p->t1.nr);
	check_number(p, &end, p->t1.ifsc);
	check_number(p, &end, p->t1.ifsd);
	CHECK_INT(p->where, p->t1.dead, *end == 'd');
	CHECK(p->where, p->t1.renew_ifsd == (*end == 'r') || end[-1] == ',');
	check_next(p);
}

static void word(void *arg, const char *w)
{
	struct play *p = arg;

	if (p->stop)
		return;
	mark(p, w);
	if (strncmp(w, "A:", 2) == 0)
		begin_apdu(p, w + 2);
	else if (strncmp(w, "S:", 2) == 0)
		CHECK_INT(p->where, t1_begin_ifsd(&p->t1, (uint8_t)atoi(w + 2)), OC_OK);
	else if (strncmp(w, "H>", 2) == 0)
		host_block(p, w + 2);
	else if (strncmp(w, "C>", 2) == 0)
		card_block(p, w + 2);
	else if (strncmp(w, "cap:", 4) == 0)
		p->cap = (size_t)atoi(w + 4);
	else if (w[0] == '=')
		outcome(p, w + 1);
	else if (w[0] == '|')
		check_state(p, w + 1);
	else
		fail_msg("%s: no such word: %s", p->row, w);
}

static void play_row(const struct row *row, bool crc)
{
	struct play p = { .row = row->name, .frame = { .crc = crc }, .cap = 600 };

	assert_non_null(strchr(row->talk, '|')); /* each line tells the state it ends in */
	memset(p.answer, 0xEE, sizeof p.answer);
	t1_start(&p.t1, row->ifsc, crc, 0);
	talk_words(row->talk, word, &p);
}

static void play_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		play_row(&rows[i], false);
		play_row(&rows[i], true);
	}
	check_done();
}

static void annex_scenarios(void **state)
{
	(void)state;
	CHECK_INT("every number has its row", COUNT(scenarios), 50);
	for (size_t i = 0; i < COUNT(scenarios); i++)
		CHECK_INT(scenarios[i].name, atoi(scenarios[i].name), i + 1);
	play_rows(scenarios, COUNT(scenarios));
}

static void further_rows(void **state)
{
	(void)state;
	play_rows(more_rows, COUNT(more_rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(annex_scenarios),
		cmocka_unit_test(further_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
