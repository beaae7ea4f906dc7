/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader's half of T=1 (ISO 7816-3, clause 11). At TPDU level it carries the host's blocks and watches the block waiting
 * time; at the APDU levels it makes the blocks itself, over a line without errors.
 */
#include "card_t1.h"
#include "reader_priv.h"

#include <string.h>

enum {
	PROLOGUE = 3,
	PCB_MORE = 0x20,
	PCB_R = 0x80,
	PCB_IFS = 0xC1,
	PCB_WTX = 0xC3,
	PCB_RESPONSE = 0x20,
	OWN_IFSD = 254,
	INF_MAX = 254,
	CRC_BIT = 1,
};

static bool has_crc(const struct sim_slot *slot)
{
	return slot->params.bytes[PARAM_TCCKS] & CRC_BIT;
}

/* BWT = 11 etu + 2^BWI x 960 x 372 / f (ISO 7816-3, 11.4.3), as far as milliseconds show it. */
static unsigned bwt_ms(const struct sim_reader *r, const struct sim_slot *slot)
{
	const unsigned bwi = slot->params.bytes[PARAM_WAIT] >> 4;

	return (1u << bwi) * 960 * 372 / r->class.clock_khz + 1;
}

/* The characters of one block of the card. They end where LEN says, or when the card falls silent. */
static size_t receive(struct line *line, bool crc, uint8_t out[SIM_T1_BLOCK_MAX])
{
	size_t want = PROLOGUE, got = 0;

	while (got < want && got < SIM_T1_BLOCK_MAX && sim_line_recv(line, &out[got])) {
		got++;
		if (got == PROLOGUE)
			want = PROLOGUE + (size_t)out[2] + (crc ? 2 : 1);
	}
	return got;
}

/* One block there and one back, in this many BWT. OK or bError. */
static int exchange(struct sim_reader *r, struct sim_slot *slot, struct line *line, const uint8_t *block,
		    size_t len, unsigned bwts, uint8_t out[SIM_T1_BLOCK_MAX], size_t *out_len)
{
	const unsigned limit = line->delay_ms + bwt_ms(r, slot) * (bwts ? bwts : 1);

	sim_line_send(line, block, len);
	*out_len = receive(line, has_crc(slot), out);
	if (line->card->garbled)
		return ERR_PARITY;
	if (line->delay_ms > limit) {
		line->delay_ms = limit;
		return ERR_MUTE;
	}
	return *out_len ? OK : ERR_MUTE;
}

/* ---- TPDU level -------------------------------------------------------------------------------------------------- */

/* Nothing of this depends on what the card thinks of the block. */
static bool well_formed(struct sim_reader *r, const struct sim_slot *slot, const struct command *cmd)
{
	const size_t edc = has_crc(slot) ? 2 : 1;

	if (cmd->len < PROLOGUE + edc || cmd->len != PROLOGUE + edc + cmd->data[2]) {
		sim_reader_violate(r, "a T=1 block of %zu bytes does not fit its LEN", cmd->len);
		return false;
	}
	if (!sim_t1_sealed(cmd->data, cmd->len, has_crc(slot)))
		sim_reader_violate(r, "a T=1 block (PCB %02Xh) with a wrong EDC", cmd->data[1]);
	if (cmd->data[1] == PCB_IFS && cmd->data[2] == 1 && cmd->data[3] > r->class.max_ifsd)
		sim_reader_violate(r, "S(IFS request) for %u, dwMaxIFSD is %u", cmd->data[3],
				   r->class.max_ifsd);
	return true;
}

/* bBWI is what the card asked for, in the block that grants it, and in no other one (CCID rev 1.1, 6.1.4). */
static void check_bwi(struct sim_reader *r, struct sim_slot *slot, const struct command *cmd)
{
	const uint8_t bwi = cmd->specific[0];
	const bool grants = cmd->data[1] == (PCB_WTX | PCB_RESPONSE);

	if (grants && slot->wtx && bwi != slot->wtx)
		sim_reader_violate(r, "S(WTX response) with bBWI %u, the card asked for %u", bwi, slot->wtx);
	else if (!grants && !slot->wtx && bwi > 1)
		sim_reader_violate(r, "bBWI %u without a time extension", bwi);
	if (!grants)
		slot->wtx = 0;
}

static bool due(struct sim_damage *d)
{
	return d->every && ++d->blocks % d->every == 0;
}

/* A reader with automatic IFSD tells the card before the first block of the host (dwFeatures, 400h). */
void sim_announce_ifsd(struct sim_reader *r, struct sim_slot *slot, struct line *line)
{
	uint8_t block[PROLOGUE + 1 + 2] = { 0, PCB_IFS, 1, (uint8_t)r->class.max_ifsd };
	uint8_t out[SIM_T1_BLOCK_MAX];
	size_t len = sim_t1_seal(block, PROLOGUE + 1, has_crc(slot));

	if (!slot->used && (r->class.features & FEAT_AUTO_IFSD))
		exchange(r, slot, line, block, len, 1, out, &len);
}

static void note_wtx(struct sim_slot *slot, const uint8_t *block, size_t len)
{
	if (len > PROLOGUE + 1 && block[1] == PCB_WTX && sim_t1_sealed(block, len, has_crc(slot)))
		slot->wtx = block[3];
}

/* What the line does to the card's block. */
static int spoil(struct sim_reader *r, uint8_t *block, size_t len, int error)
{
	if (due(&r->damage[SIM_DAMAGE_IN]) && len)
		block[len / 2] ^= 0x10;
	if (due(&r->damage[SIM_DAMAGE_PARITY]))
		return ERR_PARITY;
	if (due(&r->damage[SIM_DAMAGE_LOST]))
		return ERR_MUTE;
	return error;
}

/* One block over the line and back, with what the line does to both. */
static void carry_block(struct sim_reader *r, const struct command *cmd, uint8_t *block, size_t len,
			struct reply *reply)
{
	struct sim_slot *slot = cmd->slot;
	struct line line = sim_line_of(r, slot);

	sim_announce_ifsd(r, slot, &line);
	slot->used = true;
	if (due(&r->damage[SIM_DAMAGE_OUT]))
		block[len / 2] ^= 0x10;
	reply->error = exchange(r, slot, &line, block, len, cmd->specific[0], r->scratch, &reply->len);
	reply->error = spoil(r, r->scratch, reply->len, reply->error);
	reply->data = r->scratch;
	reply->delay_ms = line.delay_ms;
	if (reply->error == OK)
		note_wtx(slot, reply->data, reply->len);
}

void sim_xfr_block(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	struct sim_slot *slot = cmd->slot;
	uint8_t block[SIM_T1_BLOCK_MAX];

	if (!well_formed(r, slot, cmd)) {
		reply->error = ERR_LENGTH;
		return;
	}
	check_bwi(r, slot, cmd);
	memcpy(block, cmd->data, cmd->len);
	carry_block(r, cmd, block, cmd->len, reply);
}

void sim_secure_block(struct sim_reader *r, const struct command *cmd, const struct secure *secure,
		      const struct pin_command *built, struct reply *reply)
{
	uint8_t block[SIM_T1_BLOCK_MAX] = { secure->nad, secure->pcb, (uint8_t)built->len };
	size_t len;

	if (built->len > INF_MAX) {
		reply->error = ERR_LENGTH;
		return;
	}
	memcpy(block + PROLOGUE, built->bytes, built->len);
	len = sim_t1_seal(block, PROLOGUE + built->len, has_crc(cmd->slot));
	carry_block(r, cmd, block, len, reply);
}

/* ---- APDU levels -------------------------------------------------------------------------------------------------- */

struct talk {
	struct sim_reader *r;
	struct sim_slot *slot;
	struct line *line;
	uint8_t in[SIM_T1_BLOCK_MAX]; /* the card's last block */
	size_t in_len;
};

static int send_block(struct talk *t, uint8_t pcb, const uint8_t *inf, size_t len, unsigned bwts)
{
	uint8_t block[SIM_T1_BLOCK_MAX] = { 0, pcb, (uint8_t)len };
	int error;

	if (len)
		memcpy(block + PROLOGUE, inf, len);
	len = sim_t1_seal(block, PROLOGUE + len, has_crc(t->slot));
	error = exchange(t->r, t->slot, t->line, block, len, bwts, t->in, &t->in_len);
	if (error == OK && (t->in_len < PROLOGUE + 1 || !sim_t1_sealed(t->in, t->in_len, has_crc(t->slot))))
		return ERR_PARITY;
	return error;
}

/* A block, and what the card wants to have settled before it answers. */
static int converse(struct talk *t, uint8_t pcb, const uint8_t *inf, size_t len)
{
	int error = send_block(t, pcb, inf, len, 1);

	for (unsigned i = 0; i < 1000 && error == OK && (t->in[1] == PCB_WTX || t->in[1] == PCB_IFS); i++) {
		const uint8_t value = t->in[3], question = t->in[1];

		if (question == PCB_IFS)
			t->slot->ifsc = value;
		else
			t->line->nulls++;
		error = send_block(t, question | PCB_RESPONSE, &value, 1, question == PCB_WTX ? value : 1);
	}
	return error;
}

static int begin(struct talk *t)
{
	const uint8_t ifsd = OWN_IFSD;

	if (t->slot->used)
		return OK;
	t->slot->used = true;
	t->slot->ns = t->slot->nr = 0;
	t->slot->ifsc = t->slot->params.bytes[PARAM_IFSC];
	return converse(t, PCB_IFS, &ifsd, 1);
}

static int send_command(struct talk *t, const uint8_t *apdu, size_t len)
{
	size_t part;
	int error = OK;

	do {
		part = len < t->slot->ifsc ? len : t->slot->ifsc;
		error = converse(t, (uint8_t)(t->slot->ns << 6 | (part < len ? PCB_MORE : 0)), apdu, part);
		t->slot->ns ^= 1;
		apdu += part;
		len -= part;
		if (error == OK && len && t->in[1] != (PCB_R | t->slot->ns << 4))
			error = ERR_HARDWARE;
	} while (error == OK && len);
	return error;
}

static int collect(struct talk *t, uint8_t *out, size_t cap, size_t *out_len)
{
	int error = OK;

	for (*out_len = 0; error == OK; error = converse(t, (uint8_t)(PCB_R | t->slot->nr << 4), NULL, 0)) {
		const size_t len = t->in[2];

		if ((t->in[1] & ~PCB_MORE) != t->slot->nr << 6 || len > cap - *out_len)
			return ERR_HARDWARE;
		memcpy(out + *out_len, t->in + PROLOGUE, len);
		*out_len += len;
		t->slot->nr ^= 1;
		if (!(t->in[1] & PCB_MORE))
			return OK;
	}
	return error;
}

int sim_t1_apdu(struct sim_reader *r, struct sim_slot *slot, struct line *line, const uint8_t *apdu,
		size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
	struct talk t = { .r = r, .slot = slot, .line = line };
	int error = begin(&t);

	*out_len = 0;
	if (error == OK)
		error = send_command(&t, apdu, len);
	return error == OK ? collect(&t, out, cap, out_len) : error;
}
