/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cases of a command APDU (ISO/IEC 7816-3:2006, 12.1.3), and everything that is none. */
#include "tpdu/apdu.h"
#include "check.h"

/*
 * The decoding conventions once more, written from the standard's table as a list of shapes: for each case the length that
 * it must have. Exactly one shape may fit.
 */
static bool oracle(const uint8_t *b, size_t len, struct apdu *want)
{
	const size_t b5 = len > 4 ? b[4] : 0;
	const size_t b67 = len > 6 ? (size_t)b[5] * 256 + b[6] : 0;
	const size_t last1 = len ? b[len - 1] : 0;
	const size_t last2 = len > 1 ? (size_t)b[len - 2] * 256 + last1 : 0;
	const struct {
		bool fits;
		enum apdu_case kind;
		size_t nc, ne, data_at;
	} shapes[] = {
		{ len == 4, APDU_1, 0, 0, 0 },
		{ len == 5, APDU_2S, 0, b5 ? b5 : 256, 0 },
		{ len > 5 && b5 && len == 5 + b5, APDU_3S, b5, 0, 5 },
		{ len > 5 && b5 && len == 6 + b5, APDU_4S, b5, last1 ? last1 : 256, 5 },
		{ len == 7 && !b5, APDU_2E, 0, b67 ? b67 : 65536, 0 },
		{ len > 7 && !b5 && b67 && len == 7 + b67, APDU_3E, b67, 0, 7 },
		{ len > 7 && !b5 && b67 && len == 9 + b67, APDU_4E, b67, last2 ? last2 : 65536, 7 },
	};

	for (size_t i = 0; i < COUNT(shapes); i++) {
		if (!shapes[i].fits)
			continue;
		want->kind = shapes[i].kind;
		want->nc = shapes[i].nc;
		want->ne = shapes[i].ne;
		want->data = shapes[i].data_at ? b + shapes[i].data_at : NULL;
		return true;
	}
	return false;
}

static void check_against(const char *name, const uint8_t *bytes, size_t len, bool good,
			  const struct apdu *want)
{
	struct apdu got;

	memset(&got, 0x5A, sizeof got);
	CHECK_INT(name, apdu_parse(bytes, len, &got), good ? OC_OK : OC_E_APDU);
	if (!good)
		return;
	CHECK_INT(name, got.kind, want->kind);
	CHECK_INT(name, got.nc, want->nc);
	CHECK_INT(name, got.ne, want->ne);
	CHECK(name, got.data == want->data);
	CHECK_BYTES(name, ((uint8_t[]){ got.cla, got.ins, got.p1, got.p2 }), 4, bytes, 4);
	CHECK_INT(name, apdu_extended(&got),
		  want->kind == APDU_2E || want->kind == APDU_3E || want->kind == APDU_4E);
}

/* All lengths 0..300, all values of the fifth byte, and some of the sixth, seventh and last. */
static void all_short_lengths(void **state)
{
	static const uint8_t fill[] = { 0x00, 0x01, 0xFF };

	(void)state;
	for (size_t len = 0; len <= 300; len++) {
		uint8_t *bytes = malloc(len);

		for (unsigned b5 = 0; b5 < 256; b5++) {
			for (size_t f = 0; f < COUNT(fill); f++) {
				struct apdu want = { 0 };
				char name[40];

				if (len)
					memset(bytes, fill[f], len);
				for (size_t i = 0; i < 4 && i < len; i++)
					bytes[i] = (uint8_t)(0xA0 + i);
				if (len > 4)
					bytes[4] = (uint8_t)b5;
				snprintf(name, sizeof name, "%zu bytes, B5 %02X, then %02X", len, b5,
					 fill[f]);
				check_against(name, bytes, len, oracle(bytes, len, &want), &want);
			}
		}
		free(bytes);
	}
	check_done();
}

/* B5 = 0: all lengths 7..300 with all values of B6 B7 that come near them. */
static void all_extended_lengths_near_the_length_field(void **state)
{
	(void)state;
	for (size_t len = 6; len <= 300; len++) {
		uint8_t *bytes = calloc(1, len);

		bytes[len - 1] = 0x11;
		for (size_t b67 = 0; b67 <= 310 && len >= 7; b67++) {
			struct apdu want = { 0 };
			char name[40];

			bytes[5] = (uint8_t)(b67 >> 8);
			bytes[6] = (uint8_t)b67;
			snprintf(name, sizeof name, "%zu bytes, B6 B7 %04zX", len, b67);
			check_against(name, bytes, len, oracle(bytes, len, &want), &want);
		}
		free(bytes);
	}
	check_done();
}

/* Boundaries by hand: header, length field, this many data bytes (11h each), Le field. */
static const struct {
	const char *name;
	uint8_t lc[3];
	size_t lc_len, data;
	uint8_t le[2];
	size_t le_len;
	enum oc_err err;
	enum apdu_case kind;
	size_t nc, ne;
} boundary_rows[] = {
	{ "case 1", { 0 }, 0, 0, { 0 }, 0, OC_OK, APDU_1, 0, 0 },
	{ "2S Le 01", { 1 }, 1, 0, { 0 }, 0, OC_OK, APDU_2S, 0, 1 },
	{ "2S Le FF", { 0xFF }, 1, 0, { 0 }, 0, OC_OK, APDU_2S, 0, 255 },
	{ "2S Le 00", { 0 }, 1, 0, { 0 }, 0, OC_OK, APDU_2S, 0, 256 },
	{ "3S Lc 1", { 1 }, 1, 1, { 0 }, 0, OC_OK, APDU_3S, 1, 0 },
	{ "3S Lc 255", { 255 }, 1, 255, { 0 }, 0, OC_OK, APDU_3S, 255, 0 },
	{ "4S Lc 1 Le 00", { 1 }, 1, 1, { 0 }, 1, OC_OK, APDU_4S, 1, 256 },
	{ "4S Lc 255 Le FF", { 255 }, 1, 255, { 0xFF }, 1, OC_OK, APDU_4S, 255, 255 },
	{ "2E Le 0000", { 0, 0, 0 }, 3, 0, { 0 }, 0, OC_OK, APDU_2E, 0, 65536 },
	{ "2E Le 0001", { 0, 0, 1 }, 3, 0, { 0 }, 0, OC_OK, APDU_2E, 0, 1 },
	{ "2E Le FFFF", { 0, 0xFF, 0xFF }, 3, 0, { 0 }, 0, OC_OK, APDU_2E, 0, 65535 },
	{ "3E Lc 1", { 0, 0, 1 }, 3, 1, { 0 }, 0, OC_OK, APDU_3E, 1, 0 },
	{ "3E Lc 255", { 0, 0, 0xFF }, 3, 255, { 0 }, 0, OC_OK, APDU_3E, 255, 0 },
	{ "3E Lc 256", { 0, 1, 0 }, 3, 256, { 0 }, 0, OC_OK, APDU_3E, 256, 0 },
	{ "3E Lc 65535", { 0, 0xFF, 0xFF }, 3, 65535, { 0 }, 0, OC_OK, APDU_3E, 65535, 0 },
	{ "4E Lc 1 Le 0000", { 0, 0, 1 }, 3, 1, { 0, 0 }, 2, OC_OK, APDU_4E, 1, 65536 },
	{ "4E Lc 65535 Le FFFF",
	  { 0, 0xFF, 0xFF },
	  3,
	  65535,
	  { 0xFF, 0xFF },
	  2,
	  OC_OK,
	  APDU_4E,
	  65535,
	  65535 },
	{ "4E Lc 65535 Le 0000, the longest",
	  { 0, 0xFF, 0xFF },
	  3,
	  65535,
	  { 0, 0 },
	  2,
	  OC_OK,
	  APDU_4E,
	  65535,
	  65536 },
	{ "one byte more than the longest",
	  { 0, 0xFF, 0xFF },
	  3,
	  65536,
	  { 0, 0 },
	  2,
	  OC_E_APDU,
	  APDU_1,
	  0,
	  0 },
	{ "3E with one byte of Le", { 0, 0, 1 }, 3, 1, { 0 }, 1, OC_E_APDU, APDU_1, 0, 0 },
	{ "3E Lc 65535, one byte missing", { 0, 0xFF, 0xFF }, 3, 65534, { 0 }, 0, OC_E_APDU, APDU_1, 0, 0 },
	{ "4E Lc 65535, Le in one byte", { 0, 0xFF, 0xFF }, 3, 65535, { 0 }, 1, OC_E_APDU, APDU_1, 0, 0 },
	{ "Lc 0000 and data", { 0, 0, 0 }, 3, 1, { 0 }, 0, OC_E_APDU, APDU_1, 0, 0 },
	{ "Lc 0000 and Le", { 0, 0, 0 }, 3, 0, { 0, 0 }, 2, OC_E_APDU, APDU_1, 0, 0 },
	{ "3S, one byte missing", { 255 }, 1, 254, { 0 }, 0, OC_E_APDU, APDU_1, 0, 0 },
	{ "4S, one byte too many", { 255 }, 1, 255, { 0, 0 }, 2, OC_E_APDU, APDU_1, 0, 0 },
	{ "extended with 2 length bytes", { 0, 0 }, 2, 0, { 0 }, 0, OC_E_APDU, APDU_1, 0, 0 },
};

static void boundaries(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(boundary_rows); i++) {
		const size_t at = 4 + boundary_rows[i].lc_len, le_at = at + boundary_rows[i].data;
		const size_t len = le_at + boundary_rows[i].le_len;
		uint8_t *bytes = check_memory(len);
		struct apdu want = { .kind = boundary_rows[i].kind,
				     .nc = boundary_rows[i].nc,
				     .ne = boundary_rows[i].ne };

		memset(bytes, 0x11, len);
		memcpy(bytes + 4, boundary_rows[i].lc, boundary_rows[i].lc_len);
		memcpy(bytes + le_at, boundary_rows[i].le, boundary_rows[i].le_len);
		want.data = want.nc ? bytes + at : NULL;
		check_against(boundary_rows[i].name, bytes, len, boundary_rows[i].err == OC_OK, &want);
		free(bytes);
	}
	check_done();
}

static void cases_have_names(void **state)
{
	static const char *const names[] = { "case 1",  "case 2S", "case 3S", "case 4S",
					     "case 2E", "case 3E", "case 4E" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		CHECK_STRING(names[i], apdu_case_name((enum apdu_case)i), names[i]);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_short_lengths),
		cmocka_unit_test(all_extended_lengths_near_the_length_field),
		cmocka_unit_test(boundaries),
		cmocka_unit_test(cases_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
