/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cursors that every byte passes, the errors' texts, and the log. */
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "check.h"

static void reading_stays_inside(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 8; len++) {
		uint8_t *bytes = exact_copy((const uint8_t[]){ 1, 2, 3, 4, 5, 6, 7, 8 }, len);
		struct rd r = rd_of(bytes, len);
		uint8_t one = rd_u8(&r);
		uint16_t two = rd_le16(&r);
		uint32_t four = rd_le32(&r);
		char name[16];

		snprintf(name, sizeof name, "%zu bytes", len);
		CHECK_INT(name, one, len >= 1 ? 1 : 0);
		CHECK_INT(name, two, len >= 3 ? 0x0302 : 0);
		CHECK_INT(name, four, len >= 7 ? 0x07060504 : 0);
		CHECK_INT(name, r.overrun, len < 7);
		free(bytes);
	}
	check_done();
}

static void an_overrun_sticks(void **state)
{
	const uint8_t bytes[] = { 1, 2, 3 };
	struct rd r = rd_of(bytes, sizeof bytes);

	(void)state;
	CHECK("too many", rd_bytes(&r, 4) == NULL && r.overrun);
	CHECK_INT("what would fit is not given either", rd_u8(&r), 0);
	r = rd_of(bytes, sizeof bytes);
	CHECK("SIZE_MAX", rd_bytes(&r, SIZE_MAX) == NULL && r.overrun);
	r = rd_of(bytes, sizeof bytes);
	CHECK("none", rd_bytes(&r, 0) == bytes && !r.overrun && r.left == 3);
	CHECK("all", rd_bytes(&r, 3) == bytes && !r.overrun && r.left == 0);
	r = rd_of(NULL, 0);
	CHECK("nothing to read", rd_u8(&r) == 0 && r.overrun);
	check_done();
}

static void writing_stays_inside(void **state)
{
	const uint8_t want[] = { 1, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04 };
	/* How much of u8, le16, le32 is whole in so many bytes */
	const size_t whole[] = { 0, 1, 1, 3, 3, 3, 3, 7, 7 };

	(void)state;
	for (size_t cap = 0; cap <= 8; cap++) {
		uint8_t bytes[10];
		struct wr w = wr_of(bytes, cap);
		char name[16];

		memset(bytes, 0xEE, sizeof bytes);
		snprintf(name, sizeof name, "room for %zu", cap);
		wr_u8(&w, 1);
		wr_le16(&w, 0x0203);
		wr_le32(&w, 0x04050607);
		CHECK_INT(name, w.overrun, cap < 7);
		CHECK_BYTES(name, bytes, whole[cap], want, whole[cap]);
		for (size_t i = whole[cap]; i < sizeof bytes; i++)
			CHECK_INT(name, bytes[i], 0xEE);
	}
	check_done();
}

static void wiping(void **state)
{
	uint8_t pin[] = { 0x31, 0x32, 0x33, 0x34, 0xEE };

	(void)state;
	bytes_wipe(pin, 4);
	CHECK_BYTES("wiped", pin, 5, ((const uint8_t[]){ 0, 0, 0, 0, 0xEE }), 5);
	check_done();
}

static void every_error_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int err = OC_OK; err <= OC_E_MEMORY; err++)
		for (int other = OC_OK; other < err; other++)
			CHECK("texts differ",
			      strcmp(oc_strerr((enum oc_err)err), oc_strerr((enum oc_err)other)) != 0);
	CHECK("beyond the end", oc_strerr((enum oc_err)(OC_E_MEMORY + 1)) != NULL);
	CHECK("below the start", oc_strerr((enum oc_err) - 1) != NULL);
	check_done();
}

/* ---- the log ------------------------------------------------------------------------------------------------------- */

struct seen {
	unsigned lines;
	enum oc_log_level level;
	char text[1024];
};

static void see(void *arg, enum oc_log_level level, const char *line)
{
	struct seen *seen = arg;

	seen->lines++;
	seen->level = level;
	snprintf(seen->text, sizeof seen->text, "%s", line);
}

static unsigned evaluated;

static int costly(void)
{
	return (int)++evaluated;
}

static void only_levels_that_are_on(void **state)
{
	static const enum oc_log_level levels[] = { OC_LOG_CRITICAL, OC_LOG_INFO, OC_LOG_COMM,
						    OC_LOG_PERIODIC };

	(void)state;
	for (unsigned mask = 0; mask < 16; mask++) {
		for (size_t i = 0; i < COUNT(levels); i++) {
			struct seen seen = { 0 };
			const struct oc_log log = { .mask = mask, .write = see, .arg = &seen };
			char name[32];

			evaluated = 0;
			snprintf(name, sizeof name, "mask %u level %d", mask, (int)levels[i]);
			OC_LOG(&log, levels[i], "line %d", costly());
			CHECK_INT(name, seen.lines, (mask & (unsigned)levels[i]) != 0);
			CHECK_INT(name, evaluated, seen.lines); /* no work where the level is off */
			if (seen.lines)
				CHECK_STRING(name, seen.text, "line 1");
			if (seen.lines)
				CHECK_INT(name, seen.level, levels[i]);
		}
	}
	OC_LOG((const struct oc_log *)NULL, OC_LOG_CRITICAL, "nobody listens %d", costly());
	check_done();
}

/* At most 511 characters; longer ones are cut, and show it. */
static void long_lines_are_cut(void **state)
{
	char *text = calloc(1, 1024);

	(void)state;
	assert_non_null(text);
	for (size_t len = 505; len < 520; len++) {
		struct seen seen = { 0 };
		const struct oc_log log = { .mask = 15, .write = see, .arg = &seen };
		char name[24];

		memset(text, 'a', len);
		text[len] = 0;
		snprintf(name, sizeof name, "%zu characters", len);
		OC_LOG(&log, OC_LOG_INFO, "%s", text);
		CHECK_INT(name, strlen(seen.text), len <= 511 ? len : 511);
		CHECK(name, (strstr(seen.text, "...") != NULL) == (len > 511));
		if (len > 511)
			CHECK_STRING(name, seen.text + 508, "...");
	}
	free(text);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_stays_inside),
		cmocka_unit_test(an_overrun_sticks),
		cmocka_unit_test(writing_stays_inside),
		cmocka_unit_test(wiping),
		cmocka_unit_test(every_error_has_a_text_of_its_own),
		cmocka_unit_test(only_levels_that_are_on),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
