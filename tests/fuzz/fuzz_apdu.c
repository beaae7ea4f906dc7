/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command of a hostile application: what its fields say has to add up to the bytes it has. */
#include "fuzz.h"

#include "tpdu/apdu.h"

/* Bytes around the data, by case. */
static size_t overhead(enum apdu_case kind)
{
	static const uint8_t bytes[] = {
		[APDU_1] = 4,  [APDU_2S] = 5, [APDU_3S] = 5, [APDU_4S] = 6,
		[APDU_2E] = 7, [APDU_3E] = 7, [APDU_4E] = 9,
	};

	FUZZ_ASSERT((size_t)kind < sizeof bytes);
	return bytes[kind];
}

static void check_data(const struct apdu *a)
{
	const size_t before = apdu_extended(a) ? 7 : 5;

	if (!a->nc)
		FUZZ_ASSERT(!a->data || a->data <= a->bytes + a->len);
	else
		FUZZ_ASSERT(a->data == a->bytes + before && a->data + a->nc <= a->bytes + a->len);
}

static void check_le(const struct apdu *a)
{
	const bool has_le =
		a->kind == APDU_2S || a->kind == APDU_4S || a->kind == APDU_2E || a->kind == APDU_4E;
	const size_t most = apdu_extended(a) ? 65536 : 256;
	const size_t last = a->bytes[a->len - 1];

	FUZZ_ASSERT(has_le == (a->ne != 0) && a->ne <= most);
	if (has_le)
		FUZZ_ASSERT((a->ne & 0xFF) == last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct apdu a;
	const enum oc_err err = apdu_parse(data, size, &a);

	FUZZ_ASSERT(err == OC_OK || err == OC_E_APDU);
	if (err != OC_OK)
		return 0;
	FUZZ_ASSERT(a.bytes == data && a.len == size);
	FUZZ_ASSERT(overhead(a.kind) + a.nc == size);
	FUZZ_ASSERT(a.cla == data[0] && a.ins == data[1] && a.p1 == data[2] && a.p2 == data[3]);
	FUZZ_ASSERT(strcmp(apdu_case_name(a.kind), "no case") != 0);
	check_data(&a);
	check_le(&a);
	return 0;
}
