/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XfrBlock: the reader's half of ISO 7816-3, T=0 and PPS, at every level of exchange. */
#include "reader_priv.h"

#include <string.h>

/* One byte from the card; its thinking time adds up. */
bool sim_line_recv(struct line *line, uint8_t *byte)
{
	unsigned delay_ms = 0;

	if (!line->card->ops->recv(line->card, line->fidi, byte, &delay_ms))
		return false;
	line->delay_ms += delay_ms;
	return true;
}

void sim_line_send(struct line *line, const uint8_t *bytes, size_t len)
{
	line->card->ops->send(line->card, line->fidi, bytes, len);
}

/* The procedure byte that is not NULL (ISO 7816-3, 10.3.3). */
static bool procedure_byte(struct line *line, uint8_t *byte)
{
	enum { NULL_BYTE = 0x60, NULLS_MAX = 4096 };

	for (unsigned i = 0; i < NULLS_MAX; i++) {
		if (!sim_line_recv(line, byte))
			return false;
		if (*byte != NULL_BYTE)
			return true;
		line->nulls++;
	}
	return false;
}

struct t0_progress {
	const uint8_t *data; /* to the card, or NULL */
	size_t left;         /* bytes that still have to go or come */
	uint8_t *out;
	size_t out_len;
};

/* n bytes of data after an acknowledgement; false if the card falls silent. */
static bool move_data(struct line *line, struct t0_progress *p, size_t n)
{
	p->left -= n;
	if (p->data) {
		sim_line_send(line, p->data, n);
		p->data += n;
		return true;
	}
	for (size_t i = 0; i < n; i++)
		if (!sim_line_recv(line, &p->out[p->out_len++]))
			return false;
	return true;
}

static bool is_sw1(uint8_t byte)
{
	return byte >> 4 == 6 || byte >> 4 == 9;
}

int sim_t0_tpdu(struct line *line, const uint8_t header[5], const uint8_t *data, uint8_t out[258],
		size_t *out_len)
{
	struct t0_progress p = { .data = data, .left = header[4], .out = out };
	uint8_t byte;

	if (!data && p.left == 0)
		p.left = 256;
	sim_line_send(line, header, 5);
	for (unsigned i = 0; i < 512; i++) {
		if (!procedure_byte(line, &byte))
			return ERR_MUTE;
		if (byte == header[1] && p.left) {
			if (!move_data(line, &p, p.left))
				return ERR_MUTE;
		} else if ((byte ^ header[1]) == 0xFF && p.left) {
			if (!move_data(line, &p, 1))
				return ERR_MUTE;
		} else if (is_sw1(byte)) {
			out[p.out_len++] = byte;
			if (!sim_line_recv(line, &out[p.out_len++]))
				return ERR_MUTE;
			*out_len = p.out_len;
			return OK;
		} else {
			return ERR_PROCEDURE_BYTE;
		}
	}
	return ERR_PROCEDURE_BYTE;
}

bool sim_line_pps(struct line *line, const uint8_t *pps, size_t len, uint8_t reply[6], size_t *reply_len)
{
	uint8_t check = 0;
	size_t want = 2;

	sim_line_send(line, pps, len);
	for (*reply_len = 0; *reply_len < want; check ^= reply[(*reply_len)++]) {
		if (!sim_line_recv(line, &reply[*reply_len]))
			return false;
		if (*reply_len == 1)
			want = 3u + (reply[1] >> 4 & 1) + (reply[1] >> 5 & 1) + (reply[1] >> 6 & 1);
	}
	return check == 0 && reply[0] == 0xFF;
}

bool sim_pps_by_reader(struct sim_slot *slot, uint8_t protocol, uint8_t fidi)
{
	const uint8_t pps0 = (uint8_t)(0x10 | protocol);
	const uint8_t pps[4] = { 0xFF, pps0, fidi, (uint8_t)(0xFF ^ pps0 ^ fidi) };
	struct line line = { .card = slot->card, .fidi = SIM_FIDI_DEFAULT };
	uint8_t reply[6], byte;
	size_t len;

	if (slot->pps || slot->used) { /* negotiable again only after a reset */
		slot->card->ops->reset(slot->card, 0, true);
		for (unsigned i = 0; i < SIM_ATR_MAX && sim_line_recv(&line, &byte); i++)
			;
	}
	slot->pps = true;
	slot->used = false;
	return sim_line_pps(&line, pps, sizeof pps, reply, &len) && reply[1] == pps0 && reply[2] == fidi;
}

static void finish(const struct line *line, struct reply *reply)
{
	reply->delay_ms = line->delay_ms;
	reply->extensions = line->nulls;
}

/* ---- TPDU level ---- */

static void xfr_pps(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	struct line line = { .card = cmd->slot->card, .fidi = SIM_FIDI_DEFAULT };
	const bool by_reader = r->class.features & (FEAT_NEGOTIATES | FEAT_AUTO_PPS);

	if (by_reader || cmd->slot->used || cmd->slot->pps || cmd->slot->atr.specific || cmd->len < 3 ||
	    cmd->len > 6) {
		sim_reader_violate(r, by_reader ? "PPS by the host, this reader does it by itself"
						: "PPS is malformed or not the first exchange after the ATR");
		reply->error = ERR_DATA;
		return;
	}
	cmd->slot->pps = true;
	if (!sim_line_pps(&line, cmd->data, cmd->len, r->scratch, &reply->len))
		reply->error = ERR_MUTE;
	reply->data = r->scratch;
	finish(&line, reply);
}

static void xfr_tpdu(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	struct line line = sim_line_of(r, cmd->slot);
	uint8_t header[5] = { 0 };

	if (cmd->len < 4 || (cmd->len > 5 && cmd->len != 5u + cmd->data[4])) {
		sim_reader_violate(r, "a T=0 TPDU of %zu bytes does not fit its P3", cmd->len);
		reply->error = ERR_LENGTH;
		return;
	}
	memcpy(header, cmd->data, cmd->len < 5 ? cmd->len : 5);
	cmd->slot->used = true;
	reply->error =
		sim_t0_tpdu(&line, header, cmd->len > 5 ? cmd->data + 5 : NULL, r->scratch, &reply->len);
	reply->data = r->scratch;
	finish(&line, reply);
}

/* ---- character level ---- */

/* Characters there, as many back as wLevelParameter says (6.1.4); a card that has fewer is not waited for. */
static void xfr_characters(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const size_t want = cmd->specific[1] | (size_t)cmd->specific[2] << 8;
	struct line line = sim_line_of(r, cmd->slot);

	if (want > r->class.max_message - SIM_HEADER)
		sim_reader_violate(r, "%zu characters do not fit dwMaxCCIDMessageLength %u", want,
				   r->class.max_message);
	if (cmd->slot->params.protocol == 1)
		sim_announce_ifsd(r, cmd->slot, &line);
	cmd->slot->used = true;
	if (cmd->len)
		sim_line_send(&line, cmd->data, cmd->len);
	while (reply->len < want && sim_line_recv(&line, &r->scratch[reply->len]))
		reply->len++;
	if (want && !reply->len)
		reply->error = ERR_MUTE;
	reply->data = r->scratch;
	finish(&line, reply);
}

/* ---- APDU levels ---- */

struct apdu {
	uint8_t header[5];
	const uint8_t *bytes, *data;
	size_t len, nc, ne;
	bool extended;
};

static size_t two_bytes(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* ISO 7816-3, 12.1: cases 2E, 3E and 4E; the fifth byte is 0. */
static bool parse_extended(struct apdu *a)
{
	const size_t le_at = a->len - 2;

	a->extended = true;
	if (a->len < 7)
		return false;
	a->nc = a->len == 7 ? 0 : two_bytes(a->bytes + 5);
	a->data = a->nc ? a->bytes + 7 : NULL;
	if (a->len > 7 && (a->nc == 0 || (a->len != 7 + a->nc && a->len != 9 + a->nc)))
		return false;
	if (a->len != 7 + a->nc || a->nc == 0)
		a->ne = two_bytes(a->bytes + le_at) ? two_bytes(a->bytes + le_at) : 65536;
	a->header[4] = (uint8_t)(a->nc ? a->nc : a->ne < 256 ? a->ne : 0);
	return true;
}

/* ISO 7816-3, 12.1 */
static bool parse_apdu(const uint8_t *bytes, size_t len, struct apdu *a)
{
	*a = (struct apdu){ .bytes = bytes, .len = len };
	if (len < 4)
		return false;
	memcpy(a->header, bytes, len < 5 ? 4 : 5);
	if (len == 4)
		return true;
	if (len == 5) {
		a->ne = bytes[4] ? bytes[4] : 256;
		return true;
	}
	if (bytes[4] == 0)
		return parse_extended(a);
	a->nc = bytes[4];
	a->data = bytes + 5;
	if (len == 6 + a->nc)
		a->ne = bytes[len - 1] ? bytes[len - 1] : 256;
	return len == 5 + a->nc || len == 6 + a->nc;
}

struct collected {
	uint8_t *out;
	size_t len; /* data so far, without SW */
	uint8_t sw[2];
};

static int one_tpdu(struct line *line, const uint8_t header[5], const uint8_t *data, struct collected *c)
{
	uint8_t part[258];
	size_t len;
	int error = sim_t0_tpdu(line, header, data, part, &len);

	if (error != OK)
		return error;
	if (c->len + len > 65536 + 2)
		return ERR_HARDWARE;
	memcpy(c->sw, part + len - 2, 2);
	memcpy(c->out + c->len, part, len - 2);
	c->len += len - 2;
	return OK;
}

/* ISO 7816-3, 12.2: a command that P3 cannot describe travels inside ENVELOPEs. */
static int send_command(struct line *line, const struct apdu *a, uint8_t envelope_class, struct collected *c)
{
	uint8_t header[5] = { envelope_class == 0xFF ? a->header[0] : envelope_class, 0xC2 };
	int error = OK;

	if (a->nc <= 255)
		return one_tpdu(line, a->header, a->data, c);
	for (size_t at = 0; at < a->len && error == OK; at += header[4]) {
		header[4] = (uint8_t)(a->len - at < 255 ? a->len - at : 255);
		error = one_tpdu(line, header, a->bytes + at, c);
		if (error == OK && at + header[4] < a->len && c->sw[0] != 0x90)
			break;
	}
	return error;
}

/* ISO 7816-3, 12.2.3 and 12.2.4: 6Cxx repeats with the right length, 61xx fetches, until Ne bytes are there. */
static int map_apdu(const struct sim_reader *r, struct line *line, const struct apdu *a,
		    uint8_t response_class, struct collected *c)
{
	uint8_t get[5] = { response_class == 0xFF ? a->header[0] : response_class, 0xC0, 0, 0, 0 };
	uint8_t header[5];
	int error = send_command(line, a, r->class.class_envelope, c);

	memcpy(header, a->header, 5);
	for (unsigned i = 0; i < 1024 && error == OK && a->ne; i++) {
		const size_t room = a->ne > c->len ? a->ne - c->len : 0;
		const size_t offered = c->sw[1] ? c->sw[1] : 256;

		if (c->sw[0] == 0x6C && !(i == 0 && a->data)) {
			header[4] = c->sw[1];
		} else if (c->sw[0] == 0x61 && room) {
			memcpy(header, get, 5);
			header[4] = (uint8_t)(offered < room ? offered : room);
		} else {
			break;
		}
		error = one_tpdu(line, header, NULL, c);
	}
	return error;
}

static int apdu_by_t0(struct sim_reader *r, const struct sim_slot *slot, struct line *line,
		      const struct apdu *a, size_t *len)
{
	struct collected c = { .out = r->scratch };
	int error = map_apdu(r, line, a, slot->class_get_response, &c);

	if (a->ne && c.len > a->ne)
		c.len = a->ne;
	memcpy(c.out + c.len, c.sw, 2);
	*len = c.len + 2;
	return error;
}

void sim_xfr_apdu(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const bool extended = r->class.features & FEAT_EXTENDED_APDU;
	struct line line = sim_line_of(r, cmd->slot);
	struct apdu a;

	if (!parse_apdu(cmd->data, cmd->len, &a) || (a.extended && !extended)) {
		sim_reader_violate(r, "%zu bytes are no %s APDU", cmd->len, extended ? "extended" : "short");
		reply->error = ERR_LENGTH;
		return;
	}
	if (cmd->slot->params.protocol == 1)
		reply->error = sim_t1_apdu(r, cmd->slot, &line, cmd->data, cmd->len, r->scratch,
					   sizeof r->scratch, &reply->len);
	else
		reply->error = apdu_by_t0(r, cmd->slot, &line, &a, &reply->len);
	cmd->slot->used = true;
	reply->data = r->scratch;
	finish(&line, reply);
}

/* ---- all of them ---- */

typedef void xfr(struct sim_reader *r, const struct command *cmd, struct reply *reply);

static const struct level {
	uint32_t feature;
	xfr *run[2];      /* T=0, T=1 */
	bool takes_level; /* wLevelParameter means something */
	bool host_pps;    /* PPS may come as an XfrBlock */
} levels[] = {
	{ FEAT_EXTENDED_APDU, { sim_xfr_chain, sim_xfr_chain }, true, false },
	{ FEAT_SHORT_APDU, { sim_xfr_apdu, sim_xfr_apdu }, false, false },
	{ FEAT_TPDU, { xfr_tpdu, sim_xfr_block }, false, true },
	{ 0, { xfr_characters, xfr_characters }, true, true },
};

static const struct level *level_of(const struct sim_reader *r)
{
	const struct level *level = levels;

	while (level->feature && !(r->class.features & level->feature))
		level++;
	return level;
}

void sim_run_xfr_block(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const struct level *level = level_of(r);
	const uint8_t *s = cmd->specific;

	if (!sim_slot_active(cmd->slot)) {
		reply->error = ERR_MUTE;
		return;
	}
	if (cmd->slot->deaf) {
		reply->none = true;
		return;
	}
	if ((s[1] || s[2]) && !level->takes_level) {
		sim_reader_violate(r, "XfrBlock with wLevelParameter %02X%02Xh at this exchange level", s[2],
				   s[1]);
		reply->error = ERR_BYTE8;
		return;
	}
	if (level->host_pps && cmd->len && cmd->data[0] == 0xFF)
		xfr_pps(r, cmd, reply);
	else
		level->run[cmd->slot->params.protocol & 1](r, cmd, reply);
}
