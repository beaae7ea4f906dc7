/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus.h"

#include "ccid/message.h"

enum {
	JUNK = 0xDB, /* what is left in a buffer that the bus has not written to */
	DELAY_UNIT_MS = 16,
	CALLS_MAX = 200000,

	/* The first byte of an answer, low three bits; below OP_RAW: one that is in order */
	OP_RAW = 3,
	OP_SILENCE,
	OP_EMPTY,
	OP_ERROR,
	OP_FOREIGN,
	/* and its flags */
	OP_LONG = 0x08,   /* two bytes of length, and a payload that is made up */
	OP_FULL = 0x10,   /* padded to the end of the buffer */
	OP_LIES = 0x20,   /* dwLength is another */
	OP_PLAIN = 0x40,  /* no status, no error */
	OP_PROMPT = 0x80, /* no delay */

	/* Instead of an answer: what makes the next send(), or clear_halt(), fail */
	SEND_FAILS = 0xFF,
	CLEAR_FAILS = 0xFE,
};

static uint8_t tape[BUS_TAPE];
static size_t tape_len;

static struct bus *of(struct transport *t)
{
	return (struct bus *)(void *)t;
}

void bus_forget(void)
{
	tape_len = 0;
}

bool bus_gave(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len && tape_len < sizeof tape; i++) {
		while (at < tape_len && tape[at] != bytes[i])
			at++;
		if (at++ >= tape_len)
			return false;
	}
	return true;
}

static void record(const uint8_t *bytes, size_t len)
{
	if (len > sizeof tape - tape_len)
		len = sizeof tape - tape_len;
	memcpy(tape + tape_len, bytes, len);
	tape_len += len;
}

/* Every call takes part in this: a driver that asks for ever is caught. */
static bool enter(struct bus *b)
{
	FUZZ_ASSERT(!b->closed && b->calls++ < CALLS_MAX);
	return !b->gone;
}

static uint8_t next_op(struct bus *b)
{
	return b->in.left && !b->in.overrun ? rd_u8(&b->in) : (uint8_t)OP_SILENCE;
}

static enum oc_err failure(struct bus *b, uint8_t which)
{
	static const enum oc_err errors[] = { OC_E_STALL, OC_E_IO, OC_E_TIMEOUT, OC_E_GONE };
	const enum oc_err err = errors[which % 4];

	b->gone |= err == OC_E_GONE;
	return err;
}

/* Does the input begin with this byte? Then it is taken, and the next one says which failure it is. */
static bool fails(struct bus *b, uint8_t with, enum oc_err *err)
{
	if (b->in.overrun || !b->in.left || b->in.at[0] != with)
		return false;
	rd_u8(&b->in);
	*err = failure(b, rd_u8(&b->in));
	return true;
}

/* ---- bulk-OUT ---------------------------------------------------------------------------------------------------- */

/* A command has its length, goes to a slot that exists, and has the next bSeq; that of ABORT was used on the control pipe. */
static void check_command(struct bus *b, const uint8_t *out, size_t len)
{
	struct rd r = rd_of(out, len);
	const uint8_t type = rd_u8(&r);
	const uint32_t length = rd_le32(&r);

	FUZZ_ASSERT(len >= CCID_HEADER_LEN && length == len - CCID_HEADER_LEN);
	FUZZ_ASSERT(!b->longest || len <= b->longest);
	FUZZ_ASSERT(ccid_reply_type(type));
	b->type = type;
	b->slot = rd_u8(&r);
	FUZZ_ASSERT(b->slot < b->slots);
	if (type == PC_TO_RDR_ABORT) {
		FUZZ_ASSERT(rd_u8(&r) == b->abort_seq);
		b->seq = b->abort_seq;
	} else {
		const uint8_t seq = rd_u8(&r);

		FUZZ_ASSERT(seq == (uint8_t)(b->seq + 1));
		b->seq = seq;
	}
}

static enum oc_err op_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			   unsigned ms)
{
	struct bus *b = of(t);
	enum oc_err err = OC_OK;

	if (!enter(b))
		return OC_E_GONE;
	FUZZ_ASSERT(ms > 0 && cap >= 64);
	check_command(b, out, len);
	b->posted = in;
	b->cap = cap;
	b->delivered = 0;
	memset(in, JUNK, cap);
	fails(b, SEND_FAILS, &err);
	return err;
}

/* ---- bulk-IN ----------------------------------------------------------------------------------------------------- */

/* The payload of an answer, from the input or made up. */
static size_t put_payload(struct bus *b, uint8_t op, struct wr *w)
{
	size_t len = op & OP_LONG ? rd_le16(&b->in) : rd_u8(&b->in);

	if (len > w->left)
		len = w->left;
	for (size_t i = 0; i < len; i++)
		wr_u8(w, op & OP_LONG ? b->counter++ : rd_u8(&b->in));
	return len;
}

/* A message for the command that is out, or for another one. */
static void put_message(struct bus *b, uint8_t op, uint8_t *out, struct wr *w)
{
	const bool foreign = (op & 7) == OP_FOREIGN;
	const uint8_t type = foreign ? rd_u8(&b->in) : ccid_reply_type(b->type);
	const uint8_t slot = foreign ? rd_u8(&b->in) : b->slot;
	const uint8_t seq = (uint8_t)(b->seq + (foreign ? rd_u8(&b->in) : 0));
	uint8_t fields[3] = { 0 };
	struct wr length = wr_of(out + 1, 4);
	size_t len;

	for (size_t i = 0; !(op & OP_PLAIN) && i < sizeof fields; i++)
		fields[i] = rd_u8(&b->in);
	wr_u8(w, type);
	wr_le32(w, 0);
	wr_u8(w, slot);
	wr_u8(w, seq);
	wr_bytes(w, fields, sizeof fields);
	len = put_payload(b, op, w);
	if (op & OP_LIES)
		len = (size_t)((ptrdiff_t)len + (int8_t)rd_u8(&b->in));
	wr_le32(&length, (uint32_t)len);
}

/* Never more than was asked for: that is what a bus does. */
static size_t deliver(struct bus *b, uint8_t op)
{
	struct wr w = wr_of(b->posted, b->cap);

	if ((op & 7) == OP_RAW)
		put_payload(b, op, &w);
	else if ((op & 7) != OP_EMPTY)
		put_message(b, op, b->posted, &w);
	if (op & OP_FULL) {
		memset(w.at, 0, w.left);
		w.left = 0;
	}
	b->delivered = b->cap - w.left;
	record(b->posted, b->delivered);
	return b->delivered;
}

static enum oc_err op_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct bus *b = of(t);
	uint8_t op;
	unsigned delay;

	if (!enter(b))
		return OC_E_GONE;
	FUZZ_ASSERT(b->posted && ms > 0);
	op = next_op(b);
	delay = op & OP_PROMPT ? 0 : rd_u8(&b->in) * (unsigned)DELAY_UNIT_MS;
	if ((op & 7) == OP_SILENCE || delay > ms) {
		b->clock += ms;
		return OC_E_TIMEOUT;
	}
	b->clock += delay;
	if ((op & 7) == OP_ERROR)
		return failure(b, rd_u8(&b->in));
	*len = deliver(b, op);
	return OC_OK;
}

static enum oc_err op_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct bus *b = of(t);

	if (!enter(b))
		return OC_E_GONE;
	FUZZ_ASSERT(len == CCID_HEADER_LEN && out[0] == PC_TO_RDR_ABORT && ms > 0);
	return OC_OK;
}

/* ---- the control pipe -------------------------------------------------------------------------------------------- */

static size_t take_data(struct bus *b, uint8_t op, uint8_t *data, size_t most)
{
	struct wr w = wr_of(data, most);
	const size_t len = put_payload(b, op, &w);

	record(data, len);
	return len;
}

/* It takes the next bSeq, but for the ABORT beside a command, which is far from all others. */
static void note_abort(struct bus *b, uint8_t seq)
{
	b->abort_seq = seq;
	if (seq == (uint8_t)(b->seq + 1))
		b->seq = seq;
}

static enum oc_err op_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			      size_t *len, unsigned ms)
{
	struct bus *b = of(t);
	const bool towards_host = setup->request_type & 0x80;
	uint8_t op;

	if (!enter(b))
		return OC_E_GONE;
	FUZZ_ASSERT(ms > 0 && (data || !*len));
	if (setup->request_type == 0x21 && setup->request == 0x01)
		note_abort(b, (uint8_t)(setup->value >> 8));
	op = next_op(b);
	if ((op & 7) == OP_SILENCE) {
		b->clock += ms;
		return OC_E_TIMEOUT;
	}
	if ((op & 7) == OP_ERROR)
		return failure(b, rd_u8(&b->in));
	if (towards_host)
		*len = take_data(b, op, data, *len);
	else if (op & OP_LIES)
		*len /= 2;
	return OC_OK;
}

static enum oc_err op_clear(struct transport *t)
{
	struct bus *b = of(t);
	enum oc_err err = OC_OK;

	if (!enter(b))
		return OC_E_GONE;
	fails(b, CLEAR_FAILS, &err);
	return err;
}

static enum oc_err op_reset(struct transport *t)
{
	return of(t)->resettable ? op_clear(t) : OC_E_UNSUPPORTED;
}

/* ---- the interrupt endpoint, and the rest ------------------------------------------------------------------------ */

static enum oc_err op_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct bus *b = of(t);
	uint8_t op;

	if (!enter(b))
		return OC_E_GONE;
	FUZZ_ASSERT(ms > 0);
	if (b->woken) {
		b->woken = false;
		return OC_E_STOPPED;
	}
	op = next_op(b);
	if ((op & 7) == OP_SILENCE) {
		b->clock += ms;
		return OC_E_TIMEOUT;
	}
	if ((op & 7) == OP_ERROR)
		return failure(b, rd_u8(&b->in));
	*len = take_data(b, op, buf, cap);
	return OC_OK;
}

static void op_wake(struct transport *t)
{
	of(t)->woken = true;
}

static void op_gone(struct transport *t)
{
	of(t)->gone = true;
}

static uint64_t op_now(struct transport *t)
{
	return of(t)->clock;
}

static void op_pause(struct transport *t, unsigned ms)
{
	of(t)->clock += ms;
}

static void op_close(struct transport *t)
{
	of(t)->closed = true;
}

static const struct transport_ops ops = {
	.send = op_send,
	.recv = op_recv,
	.beside = op_beside,
	.control = op_control,
	.clear_halt = op_clear,
	.clear_interrupt = op_clear,
	.reset = op_reset,
	.interrupt = op_interrupt,
	.wake = op_wake,
	.gone = op_gone,
	.now = op_now,
	.pause = op_pause,
	.close = op_close,
};

void bus_begin(struct bus *bus, struct rd in)
{
	bus_forget();
	*bus = (struct bus){ .transport.ops = &ops, .in = in, .clock = 1, .slots = 256, .seq = 0xFF };
}
