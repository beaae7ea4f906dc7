/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fifty conversations of tests/unit/t1_sequences.h through pcscd, the driver, libusb and a simulated reader that leaves
 * blocks to the host. The card follows the script; what it got has to be what the table says, byte by byte, and the
 * application has to get what the table says. Then another command has to work, or to fail where only a reset helps; then a
 * reset, and a command to the card that has its own mind again.
 *
 * The driver announces IFSD when the protocol starts: a conversation that does not begin with S(IFS request) gets it in
 * front. Runs inside ccid-sim, see test-t1-sequences.sh.
 */
#include "check.h"

#include "t1_sequences.h"
#include "t1_talk.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <winscard.h>

enum {
	NOT_RUN = 77,
	BLOCKS_MAX = 512,
	STEPS_MAX = 8,
	COMMAND_MAX = 300,
	ROOM = MAX_BUFFER_SIZE_EXTENDED,
	LINE = 1000,
	PATIENCE_MS = 5000
};

#define ANNOUNCE "H>S(IFS,254) C>S(IFSr,254) "
#define START    "S:254 " ANNOUNCE "= "

/* What a driver behind a reader cannot be brought to do as the table has it. */
static const struct adapted {
	int number;
	const char *talk, *why;
} adapted[] = {
	{ 4, START CMD "C>I(0,0)ok =ok A:read H>I(1,0)read C>I(1,0)254k =254k |0,0,32,254",
	  "the driver sends S(IFS request) at the protocol start, never between two commands" },
	{ 28,
	  CMD "131*{ C>I(0,1)250a H>R(1) C>I(1,1)250b H>R(0) } C>I(0,1)250a H>S(ABT) C>S(ABTr) =!SPACE "
	      "|1,1,32,254",
	  "pcscd gives the driver room for the longest answer, whatever the application has" },
	{ 35, "S:254 3*{ H>S(IFS,254) C>- } =!MUTE |0,0,32,32d",
	  "the first block since the protocol start is S(IFS request), not the command" },
	{ 42, "S:254 3*{ H>S(IFS,254) C>R(0)2 } = " CMD "C>I(0,0)33k H>R(0)2 C>I(0,0)32k =32k |1,1,32,32",
	  "no block is longer than the IFSD of 254; a card that refuses it leaves it at 32" },
	{ 46,
	  CMD "129*{ C>I(0,1)254a H>R(1) C>I(1,1)254b H>R(0) } C>I(0,1)254a H>S(ABT) C>S(ABTr) =!SPACE "
	      "|1,1,32,254",
	  "as 28" },
};

/* ---- the simulator ----------------------------------------------------------------------------------------------- */

static int control_connect(void)
{
	const char *named = getenv("CCID_SIM_CONTROL"), *path = named ? named : "";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(path[0] && strlen(path) < sizeof addr.sun_path && fd >= 0);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&addr, sizeof addr), 0);
	return fd;
}

/* One verb; the text of its answer, which the caller frees. */
static char *ctl(const char *line)
{
	char part[4096], *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const int fd = control_connect();
	ssize_t got;

	assert_non_null(out);
	assert_true(send(fd, line, strlen(line) + 1, MSG_NOSIGNAL) > 0);
	while ((got = recv(fd, part, sizeof part, 0)) > 0)
		fwrite(part, 1, (size_t)got, out);
	close(fd);
	fclose(out);
	if (strncmp(text, "ok\n", 3) != 0)
		fail_msg("ccid-sim ctl %s: %s", line, text);
	memmove(text, text + 3, len - 3 + 1);
	return text;
}

static void tell(const char *line)
{
	free(ctl(line));
}

/* ---- one conversation, taken apart ------------------------------------------------------------------------------- */

struct bytes {
	size_t len;
	uint8_t data[TALK_BLOCK_MAX];
};

/* What the application does, and what comes of it. */
struct step {
	bool start; /* SCardReconnect() with a reset, else a command */
	uint8_t apdu[COMMAND_MAX];
	size_t len;
	char want[16]; /* as in the table, behind '=' */
};

struct play {
	char where[200];
	const char *row;
	struct talk_frame frame;
	char line[LINE];               /* for the simulator, not yet told */
	struct bytes want[BLOCKS_MAX]; /* from the host */
	size_t want_len;
	struct step steps[STEPS_MAX];
	size_t steps_len;
	bool resynch, renew; /* S(RESYNCH request) is out; IFSD has to be announced again */
	bool dead;           /* in the end only a reset helps */
};

static void say(struct play *p, const char *text)
{
	uint8_t bytes[TALK_BLOCK_MAX] = { 0 };
	struct talk_block b = { 0 };
	char word[2 * TALK_BLOCK_MAX + 2] = " ";

	if (text[0] == '-' || text[0] == '~') {
		word[1] = text[0];
	} else {
		talk_parse(text, &p->frame, false, &b, bytes);
		for (size_t i = 0; i < b.len; i++)
			snprintf(word + 1 + 2 * i, 3, "%02X", bytes[i]);
	}
	if (strlen(p->line) + strlen(word) >= sizeof p->line || strlen(p->line) > 300) {
		tell(p->line);
		strcpy(p->line, "script add");
	}
	strcat(p->line, word);
	if (p->resynch && b.len > 1 && bytes[1] == 0xE0 && text[strcspn(text, " !}")] != '!')
		p->renew = true;
}

static void expect(struct play *p, const char *text)
{
	struct bytes *want = &p->want[p->want_len++];
	struct talk_block b;

	assert_true(p->want_len <= BLOCKS_MAX);
	talk_parse(text, &p->frame, true, &b, want->data);
	want->len = b.len;
	p->resynch = want->data[1] == 0xC0;
}

static void add_step(struct play *p, const char *apdu)
{
	struct step *s = &p->steps[p->steps_len++];

	assert_true(p->steps_len <= STEPS_MAX);
	*s = (struct step){ .start = !apdu };
	if (apdu)
		s->len = talk_data(apdu, s->apdu, sizeof s->apdu);
}

static void outcome(struct play *p, const char *text)
{
	snprintf(p->steps[p->steps_len - 1].want, sizeof p->steps[0].want, "%.*s", (int)strcspn(text, " }"),
		 text);
}

/* The words of a conversation; the state at its end is tried out, see add_next(). */
static void word(void *arg, const char *w)
{
	struct play *p = arg;

	if (strncmp(w, "A:", 2) == 0)
		add_step(p, w + 2);
	else if (strncmp(w, "S:", 2) == 0)
		add_step(p, NULL);
	else if (strncmp(w, "H>", 2) == 0)
		expect(p, w + 2);
	else if (strncmp(w, "C>", 2) == 0)
		say(p, w + 2);
	else if (w[0] == '=')
		outcome(p, w + 1);
	else if (w[0] != '|')
		fail_msg("%s: no such word: %s", p->row, w);
}

/* One more command: with the numbers and the IFSC of the state, or in vain where the connection is dead. */
static void add_next(struct play *p, const char *state)
{
	const char ns = state[1], nr = state[3];
	char talk[200];

	p->dead = state[strlen(state) - 1] == 'd';
	if (p->dead)
		snprintf(talk, sizeof talk, "A:next =!DEAD");
	else if (state[5] == '2' && state[6] == ',')
		snprintf(talk, sizeof talk, "A:next H>I(%c,1)ne C>R(%c) H>I(%c,0)xt C>I(%c,0)done =done", ns,
			 ns ^ 1, ns ^ 1, nr);
	else
		snprintf(talk, sizeof talk, "A:next %sH>I(%c,0)next C>I(%c,0)done =done",
			 p->renew ? ANNOUNCE : "", ns, nr);
	talk_words(talk, word, p);
}

static const char *talk_of(const struct row *row)
{
	for (size_t i = 0; i < COUNT(adapted); i++)
		if (adapted[i].number == atoi(row->name))
			return adapted[i].talk;
	return row->talk;
}

static void prepare(struct play *p, const struct row *row)
{
	const char *talk = talk_of(row);

	snprintf(p->where, sizeof p->where, "%s (%s)", row->name, p->frame.crc ? "CRC" : "LRC");
	p->row = row->name;
	strcpy(p->line, "script new");
	if (strncmp(talk, "S:", 2) != 0)
		talk_words(START, word, p);
	talk_words(talk, word, p);
	add_next(p, strchr(talk, '|'));
	tell(p->line);
}

/* ---- the application --------------------------------------------------------------------------------------------- */

struct answer {
	uint8_t bytes[ROOM];
	DWORD len;
};

struct client {
	SCARDCONTEXT context;
	SCARDHANDLE card;
	char reader[128];
};

static void pause_ms(long ms)
{
	nanosleep(&(const struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static void find_reader(struct client *c)
{
	DWORD len = sizeof c->reader;

	assert_int_equal(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &c->context), SCARD_S_SUCCESS);
	for (int ms = 0; ms < PATIENCE_MS; ms += 20) {
		len = sizeof c->reader;
		if (SCardListReaders(c->context, NULL, c->reader, &len) == SCARD_S_SUCCESS)
			return;
		pause_ms(20);
	}
	fail_msg("no reader is listed");
}

static DWORD reader_state(const struct client *c)
{
	SCARD_READERSTATE state = { .szReader = c->reader };

	assert_int_equal(SCardGetStatusChange(c->context, 0, &state, 1), SCARD_S_SUCCESS);
	return state.dwEventState;
}

static bool card_present(const struct client *c)
{
	return reader_state(c) & SCARD_STATE_PRESENT;
}

/* How often cards came and went so far. */
static unsigned card_events(const struct client *c)
{
	return (unsigned)(reader_state(c) >> 16 & 0xFFFF);
}

static void await_card(const struct client *c, bool present)
{
	for (int ms = 0; card_present(c) != present; ms += 10) {
		if (ms > PATIENCE_MS)
			fail_msg("the card is not seen to %s", present ? "come" : "go");
		pause_ms(10);
	}
}

/* A card of this IFSC and EDC, and a connection to it. */
static void insert_card(struct client *c, unsigned ifsc, bool crc)
{
	char line[80];
	DWORD protocol;

	if (card_present(c))
		tell("remove");
	await_card(c, false);
	snprintf(line, sizeof line, "card t1,bwi=0,ifsc=%u%s", ifsc, crc ? ",crc" : "");
	tell(line);
	tell("script end");
	tell("insert");
	await_card(c, true);
	assert_int_equal(SCardConnect(c->context, c->reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, &c->card,
				      &protocol),
			 SCARD_S_SUCCESS);
	assert_int_equal(protocol, SCARD_PROTOCOL_T1);
}

static LONG reset(const struct client *c)
{
	DWORD protocol;

	return SCardReconnect(c->card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, SCARD_RESET_CARD, &protocol);
}

/* What the application is told. The driver's reasons end here: pcscd has one code for all commands that fail. */
static LONG code_of(const struct step *s)
{
	if (s->want[0] != '!')
		return SCARD_S_SUCCESS;
	return s->start ? SCARD_W_UNRESPONSIVE_CARD : SCARD_E_NOT_TRANSACTED;
}

/* Some versions know one more code, and after a card came and went there are others. */
static void check_code(const char *where, const struct step *s, LONG code)
{
	if (strcmp(s->want, "!DEAD") == 0)
		CHECK(where, code != SCARD_S_SUCCESS);
	else if (strcmp(s->want, "!SPACE") != 0 || code != SCARD_E_INSUFFICIENT_BUFFER)
		CHECK_INT(where, code, code_of(s));
}

static LONG transmit(const struct client *c, const uint8_t *apdu, size_t len, struct answer *answer)
{
	answer->len = sizeof answer->bytes;
	memset(answer->bytes, 0xEE, sizeof answer->bytes);
	return SCardTransmit(c->card, SCARD_PCI_T1, apdu, len, NULL, answer->bytes, &answer->len);
}

/* Nothing of an answer that failed, and nothing behind one that did not. */
static void check_rest(const char *where, const struct answer *a, size_t from)
{
	for (size_t i = from; i < sizeof a->bytes; i++)
		if (a->bytes[i] != 0xEE) {
			CHECK_INT(where, a->bytes[i], 0xEE);
			return;
		}
}

static void do_step(const struct client *c, const char *where, const struct step *s)
{
	static struct answer got;
	uint8_t want[TALK_BLOCK_MAX];
	LONG code;

	if (s->start) {
		CHECK_INT(where, reset(c), code_of(s));
		return;
	}
	code = transmit(c, s->apdu, s->len, &got);
	check_code(where, s, code);
	if (code == SCARD_S_SUCCESS)
		CHECK_BYTES(where, got.bytes, got.len, want, talk_data(s->want, want, sizeof want));
	check_rest(where, &got, code == SCARD_S_SUCCESS ? got.len : 0);
}

/* ---- the comparison ---------------------------------------------------------------------------------------------- */

static void check_report(const struct play *p)
{
	char *report = ctl("script"), *save = NULL, where[220];
	char *line = strtok_r(report, "\n", &save);
	size_t i = 0;

	for (; line && strncmp(line, "left", 4) != 0; line = strtok_r(NULL, "\n", &save), i++) {
		uint8_t got[TALK_BLOCK_MAX];
		const size_t len = talk_hex(line, got);

		snprintf(where, sizeof where, "%.190s, block %zu", p->where, i + 1);
		if (i < p->want_len)
			CHECK_BYTES(where, got, len, p->want[i].data, p->want[i].len);
	}
	CHECK_INT(p->where, i, p->want_len);
	CHECK_STRING(p->where, line, "left 0");
	free(report);
}

/* A card that is given up is shown to pcscd as gone and come back, so that it is a new one for everybody. That takes a moment. */
static void settle(const struct client *c, const char *where, unsigned before)
{
	int ms = 0;

	while (card_events(c) - before < 2 && ms < PATIENCE_MS) {
		pause_ms(10);
		ms += 10;
	}
	CHECK_INT(where, card_events(c) - before, 2);
}

/* The card of the simulator as it is: ECHO gives the data and a counter. */
static void check_echo(const struct client *c, const char *where)
{
	static const uint8_t echo[] = { 0x80, 0x10, 0, 0, 3, 'a', 'b', 'c', 0 };
	static struct answer got;

	tell("script end");
	CHECK_INT(where, reset(c), SCARD_S_SUCCESS);
	CHECK_INT(where, transmit(c, echo, sizeof echo, &got), SCARD_S_SUCCESS);
	CHECK_INT(where, got.len, 3 + 4 + 2);
	CHECK_BYTES(where, got.bytes, 3, "abc", 3);
}

static void play_row(const struct client *c, const struct row *row, bool crc)
{
	static struct play p;
	const unsigned before = card_events(c);

	memset(&p, 0, sizeof p);
	p.frame.crc = crc;
	prepare(&p, row);
	for (size_t i = 0; i + 1 < p.steps_len; i++)
		do_step(c, p.where, &p.steps[i]);
	if (p.dead)
		settle(c, p.where, before);
	do_step(c, p.where, &p.steps[p.steps_len - 1]);
	check_report(&p);
	check_echo(c, p.where);
}

static void play_all(unsigned ifsc, bool crc)
{
	struct client c = { 0 };
	unsigned played = 0;

	find_reader(&c);
	insert_card(&c, ifsc, crc);
	for (size_t i = 0; i < COUNT(scenarios); i++) {
		if (scenarios[i].ifsc != ifsc)
			continue;
		play_row(&c, &scenarios[i], crc);
		played++;
	}
	SCardDisconnect(c.card, SCARD_LEAVE_CARD);
	SCardReleaseContext(c.context);
	tell("violations");
	print_message("%u conversations, IFSC %u, %s\n", played, ifsc, crc ? "CRC" : "LRC");
	check_done();
}

static void ifsc_32_lrc(void **state)
{
	(void)state;
	play_all(32, false);
}

static void ifsc_32_crc(void **state)
{
	(void)state;
	play_all(32, true);
}

static void ifsc_2_lrc(void **state)
{
	(void)state;
	play_all(2, false);
}

static void ifsc_2_crc(void **state)
{
	(void)state;
	play_all(2, true);
}

static void every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scenarios); i++)
		CHECK(scenarios[i].name, scenarios[i].ifsc == 32 || scenarios[i].ifsc == 2);
	for (size_t i = 0; i < COUNT(adapted); i++)
		print_message("%s: adapted: %s\n", scenarios[adapted[i].number - 1].name, adapted[i].why);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),  cmocka_unit_test(ifsc_32_lrc), cmocka_unit_test(ifsc_32_crc),
		cmocka_unit_test(ifsc_2_lrc), cmocka_unit_test(ifsc_2_crc),
	};

	if (!getenv("CCID_SIM_CONTROL")) {
		puts("SKIP: this runs inside ccid-sim, see test-t1-sequences.sh");
		return NOT_RUN;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
