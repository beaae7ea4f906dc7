/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=1 as it may come: commands in blocks of any length, with damage and repetitions, recorded as a whole or in part. */
#include "redact_bench.h"

/* A host and a card that send commands in blocks of random lengths, with damage and repetitions; 99h is the secret. */
struct line {
	struct redact redact;
	uint32_t random;
	uint8_t seq, ns, nr;
	unsigned lost; /* percent of the messages that are not recorded */
};

enum { SECRET = 0x99, HEADER = 5, NOT_RECORDED = -1 };

static bool chance(struct line *l, unsigned percent)
{
	return check_random(&l->random) % 100 < percent;
}

/* How many bytes of the block are shown, or that it was not recorded. */
static int pass(struct line *l, uint8_t type, uint8_t pcb, const uint8_t *inf, size_t len)
{
	static const uint8_t none[3];
	uint8_t bytes[3 + 254 + 1] = { 0, pcb, (uint8_t)len };

	if (len)
		memcpy(bytes + 3, inf, len);
	for (size_t i = 0; i < 3 + len; i++)
		bytes[3 + len] ^= bytes[i];
	l->seq = (uint8_t)(l->seq + (type == 0x6F));
	if (chance(l, l->lost))
		return NOT_RECORDED;
	return (int)show(&l->redact, type, l->seq, none, bytes, 4 + len);
}

/* Where all is recorded, nothing else is masked. */
static void check_shown(const struct line *l, const uint8_t *inf, size_t len, int shown)
{
	const uint8_t *secret = len ? memchr(inf, SECRET, len) : NULL;
	const int most = secret ? 3 + (int)(secret - inf) : 4 + (int)len;

	if (shown == NOT_RECORDED)
		return;
	if (l->lost)
		CHECK("lossy", shown <= most);
	else
		CHECK_INT("whole", shown, most);
}

/* An I-block, again and again as long as the card has not got it. */
static void send_i(struct line *l, const uint8_t *inf, size_t len, bool more)
{
	static const uint8_t time = 3;

	check_shown(l, inf, len, pass(l, 0x6F, (uint8_t)(l->ns << 6 | more << 5), inf, len));
	while (chance(l, 30)) {
		pass(l, 0x80, (uint8_t)(0x81 | l->ns << 4), NULL, 0);
		if (chance(l, 50)) {
			pass(l, 0x6F, (uint8_t)(0x82 | l->nr << 4), NULL, 0);
			pass(l, 0x80, 0xC3, &time, 1);
			pass(l, 0x6F, 0xE3, &time, 1);
		}
		check_shown(l, inf, len, pass(l, 0x6F, (uint8_t)(l->ns << 6 | more << 5), inf, len));
	}
	l->ns ^= 1;
}

static void command(struct line *l, const uint8_t *apdu, size_t len)
{
	static const uint8_t sw[] = { 0x90, 0x00 };
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = 1 + check_random(&l->random) % 12;
		n = n < len - at ? n : len - at;
		send_i(l, apdu + at, n, at + n < len);
		if (at + n < len)
			pass(l, 0x80, (uint8_t)(0x80 | l->ns << 4), NULL, 0);
	}
	pass(l, 0x80, (uint8_t)(l->nr << 6), sw, sizeof sw);
	l->nr ^= 1;
}

static void t1_session(unsigned lost)
{
	static const uint8_t atr[] = { 0x3B, 0x80, 0x81, 0x31, 0x00 }, none[3];

	for (uint32_t run = 1; run <= 500; run++) {
		struct line l = { .random = run * 7919, .lost = lost };

		redact_begin(&l.redact, REDACT_LEVEL(CCID_TPDU));
		show(&l.redact, 0x62, l.seq, none, NULL, 0);
		show(&l.redact, 0x80, l.seq, none, atr, sizeof atr);
		for (unsigned i = 0; i < 40; i++) {
			uint8_t apdu[64] = { 0x00, 0xA4, 0x04, 0x00 };
			const bool secret = chance(&l, 50);

			apdu[4] = (uint8_t)(1 + check_random(&l.random) % 50);
			if (secret)
				apdu[1] = secret_ins[check_random(&l.random) % COUNT(secret_ins)];
			for (unsigned k = 0; k < apdu[4]; k++)
				apdu[HEADER + k] =
					secret ? SECRET : (uint8_t)(check_random(&l.random) % SECRET);
			command(&l, apdu, HEADER + apdu[4]);
		}
	}
}

static void t1_blocks(void **state)
{
	(void)state;
	t1_session(0);
	check_done();
}

static void t1_recorded_in_part(void **state)
{
	(void)state;
	t1_session(5);
	t1_session(30);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t1_blocks),
		cmocka_unit_test(t1_recorded_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
