/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PIN is in no copy, whatever the form; lengths and check bytes stay right, and everything else is as it was. */
#include "check.h"
#include "pcap_writer.h"
#include "tool/redact_text.h"
#include "tool/redaction.h"
#include "tool/words.h"
#include "traffic/traffic.h"

static void complain(void *arg, enum traffic_gravity gravity, const char *where, unsigned long place,
		     const char *sentence)
{
	(void)arg;
	(void)gravity;
	print_error("%s %lu: %s\n", where, place, sentence);
}

static void scratch(char path[64], const char *name)
{
	snprintf(path, 64, "/tmp/openccid-%s-%ld", name, (long)getpid());
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

#define PIN_T0    "6F 09 00 00 00 00 03 00 00 00 00 20 00 82 04 31 32 33 34"
#define PIN_T0_NO "6F 09 00 00 00 00 03 00 00 00 00 20 00 82 04 00 00 00 00"
#define ATR_T0    "80 04 00 00 00 00 01 00 00 00 3B 02 14 50"
#define SET_T0    "61 05 00 00 00 00 02 00 00 00 11 00 00 0A 00"
#define SET_T0_IN "82 05 00 00 00 00 02 00 00 00 11 00 00 0A 00"
#define POWER     "62 00 00 00 00 00 01 00 00 00"

static const struct {
	const char *row, *text, *data, *want;
	bool only;
} texts[] = {
	{ "a log of pcscd",
	  "00000041 -> 000000 " POWER "\n00000041 <- 000000 " ATR_T0 "\n00000041 -> 000000 " SET_T0
	  "\n00000041 <- 000000 " SET_T0_IN
	  "\nwhat is no message stays: 31 32 33 34\n00000041 -> 000000 " PIN_T0 " \n",
	  NULL,
	  "00000041 -> 000000 " POWER "\n00000041 <- 000000 " ATR_T0 "\n00000041 -> 000000 " SET_T0
	  "\n00000041 <- 000000 " SET_T0_IN
	  "\nwhat is no message stays: 31 32 33 34\n00000041 -> 000000 " PIN_T0_NO " \n",
	  false },
	{ "an APDU, with colours and without an end of line",
	  "00000041 -> 000000 65 00 00 00 00 00 01 00 00 00\n\033[34m00000003 APDU: 00 20 00 82 04 31 32 33 "
	  "34\033[0m",
	  NULL,
	  "00000041 -> 000000 65 00 00 00 00 00 01 00 00 00\n\033[34m00000003 APDU: 00 20 00 82 04 00 00 00 "
	  "00\033[0m",
	  false },
	{ "the short form, where a time stands before the bytes",
	  "# level: short-apdu\nOUT - " POWER "\nIN 12 " ATR_T0 "\nOUT 48 " PIN_T0 "\n", NULL,
	  "# level: short-apdu\nOUT - " POWER "\nIN 12 " ATR_T0 "\nOUT 48 " PIN_T0_NO "\n", false },
	{ "GnuPG, field by field",
	  "DBG: ccid-driver: PC_to_RDR_Escape:\nDBG: ccid-driver:   dwLength ..........: 3\nDBG: "
	  "ccid-driver:   bSlot .............: 0\n"
	  "DBG: ccid-driver:   bSeq ..............: 56\nDBG: ccid-driver:   [0007]  00 00 00\nDBG: "
	  "ccid-driver:   [0010]  80 02 99\n"
	  "DBG: ccid-driver: RDR_to_PC_DataBlock:\nDBG: ccid-driver:   dwLength ..........: 3\nDBG: "
	  "ccid-driver:   [0010]  80 02 99\n",
	  NULL,
	  "DBG: ccid-driver: PC_to_RDR_Escape:\nDBG: ccid-driver:   dwLength ..........: 3\nDBG: "
	  "ccid-driver:   bSlot .............: 0\n"
	  "DBG: ccid-driver:   bSeq ..............: 56\nDBG: ccid-driver:   [0007]  00 00 00\nDBG: "
	  "ccid-driver:   [0010]  00 00 00\n"
	  "DBG: ccid-driver: RDR_to_PC_DataBlock:\nDBG: ccid-driver:   dwLength ..........: 3\nDBG: "
	  "ccid-driver:   [0010]  80 02 99\n",
	  false },
	{ "GnuPG, the older form",
	  "DBG: ccid-driver: sending 6B 03 00 00 00 00 11 00 00 00 80 02 00\nDBG: ccid-driver: status: 00  "
	  "error: 00  octet[9]: 00\n",
	  NULL,
	  "DBG: ccid-driver: sending 6B 03 00 00 00 00 11 00 00 00 00 00 00\nDBG: ccid-driver: status: 00  "
	  "error: 00  octet[9]: 00\n",
	  false },
	{ "a damaged line has nothing left",
	  "# level: short-apdu\n00000041 -> 000000 6F 09 00 00 00 00 03 00 00 00 00 20 00 82 04 31 32 zz 33 "
	  "34\n",
	  NULL,
	  "# level: short-apdu\n00000041 -> 000000 6F 09 00 00 00 00 03 00 00 00 00 20 00 82 04 31 32 zz 00 "
	  "00\n",
	  false },
	{ "chosen data in an answer",
	  "# level: short-apdu\nOUT - 6F 04 00 00 00 00 03 00 00 00 00 CA 00 6E\nIN - 80 06 00 00 00 00 03 "
	  "00 00 00 CA FE AA BB 90 00\n",
	  "AABB,CAFE",
	  "# level: short-apdu\nOUT - 6F 04 00 00 00 00 03 00 00 00 00 CA 00 6E\nIN - 80 06 00 00 00 00 03 "
	  "00 00 00 00 00 00 00 90 00\n",
	  false },
	{ "chosen data and nothing else",
	  "# level: short-apdu\nOUT - " PIN_T0 "\nIN - 80 02 00 00 00 00 03 00 00 00 63 C2\n", "63C2",
	  "# level: short-apdu\nOUT - " PIN_T0 "\nIN - 80 02 00 00 00 00 03 00 00 00 00 00\n", true },
	{ "T=1: the check byte is right again",
	  "OUT - " POWER "\nIN - 80 07 00 00 00 00 01 00 00 00 3B 80 81 31 FE 45 8B\n"
	  "OUT - 61 07 00 00 00 00 02 01 00 00 11 10 00 45 00 FE 00\nIN - 82 07 00 00 00 00 02 00 00 01 11 "
	  "10 00 45 00 FE 00\n"
	  "OUT - 6F 0D 00 00 00 00 03 00 00 00 00 00 09 00 20 00 82 04 31 32 33 34 AB\n",
	  NULL,
	  "OUT - " POWER "\nIN - 80 07 00 00 00 00 01 00 00 00 3B 80 81 31 FE 45 8B\n"
	  "OUT - 61 07 00 00 00 00 02 01 00 00 11 10 00 45 00 FE 00\nIN - 82 07 00 00 00 00 02 00 00 01 11 "
	  "10 00 45 00 FE 00\n"
	  "OUT - 6F 0D 00 00 00 00 03 00 00 00 00 00 09 00 20 00 82 04 00 00 00 00 AF\n",
	  false },
	{ "a trace, with what was made",
	  "reader: - x\nsource: a\norigin: a\nabout: a\nlevel: short-apdu\ndescriptor: 36 21 10 01 00 01 03 "
	  "00 00 00 a0 0f 00 00 40 1f 00 00 "
	  "00 01 2a 00 00 29 40 05 00 00 fc 00 00 00 00 00 00 00 00 00 00 00 ba 00 02 00 0f 01 00 00 ff ff "
	  "00 00 00 01\n"
	  "before: open\ndo transmit 00 20 00 82 04 31 32 33 34\n  differs: so\n"
	  "  made out - 6F 09 00 00 00 00 .. 00 00 00 00 20 00 82 04 31 32 33 34\n  out 22 6F 09 00 00 00 00 "
	  "03 00 00 00 00 20 00 82 04 "
	  "[31] 32 33 34\nexpect OC_E_MUTE\nend\n",
	  NULL,
	  "reader: - x\nsource: a\norigin: a\nabout: a\nlevel: short-apdu\ndescriptor: 36 21 10 01 00 01 03 "
	  "00 00 00 a0 0f 00 00 40 1f 00 00 "
	  "00 01 2a 00 00 29 40 05 00 00 fc 00 00 00 00 00 00 00 00 00 00 00 ba 00 02 00 0f 01 00 00 ff ff "
	  "00 00 00 01\n"
	  "before: open\ndo transmit 00 20 00 82 04 00 00 00 00\n  differs: so\n"
	  "  made out - 6F 09 00 00 00 00 .. 00 00 00 00 20 00 82 04 00 00 00 00\n  out 22 6F 09 00 00 00 00 "
	  "03 00 00 00 00 20 00 82 04 "
	  "[00] 00 00 00\nexpect OC_E_MUTE\nend\n",
	  false },
};

static void choose_all(struct redaction *r, const char *data)
{
	uint8_t bytes[8];
	size_t len = 0;

	for (; data && *data; data++) {
		unsigned value;

		if (*data == ',') {
			redaction_choose(r, bytes, len);
			len = 0;
			continue;
		}
		assert_int_equal(sscanf(data, "%2x", &value), 1);
		bytes[len++] = (uint8_t)value;
		data++;
	}
	if (len)
		redaction_choose(r, bytes, len);
}

static char *redacted(const char *row, const char *text, const char *data, bool only, unsigned long *changed)
{
	char path[64], *copy = NULL;
	static struct redaction r;
	struct traffic *t;
	size_t len = 0;
	FILE *file;

	scratch(path, "redaction");
	file = fopen(path, "wb");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	t = traffic_open(path, complain, NULL);
	remove(path);
	CHECK(row, t != NULL);
	assert_non_null(t);
	redaction_begin(&r, strstr(text, "short-apdu") ? REDACT_LEVEL(CCID_SHORT_APDU) : REDACT_ANY_LEVEL);
	r.keep_secrets = only;
	choose_all(&r, data);
	traffic_include_made(t);
	traffic_play(t, 0, redaction_event, &r);
	redaction_settle(&r);
	file = open_memstream(&copy, &len);
	assert_non_null(file);
	CHECK(row, redact_text_copy(&r, traffic_file(t), file));
	fclose(file);
	*changed = r.messages;
	redaction_end(&r);
	traffic_close(t);
	return copy;
}

static void no_pin_is_in_a_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		unsigned long changed, again;
		char *once = redacted(texts[i].row, texts[i].text, texts[i].data, texts[i].only, &changed);
		char *twice = redacted(texts[i].row, once, texts[i].data, texts[i].only, &again);

		CHECK_STRING(texts[i].row, once, texts[i].want);
		CHECK(texts[i].row, changed > 0);
		CHECK_STRING(texts[i].row, twice, once);
		free(once);
		free(twice);
	}
	check_done();
}

/* ---- USB captures ------------------------------------------------------------------------------------------------ */

static const uint8_t ccid[CCID_DESCRIPTOR_LEN] = {
	0x36, 0x21, 0x10, 0x01, 0x00, 0x01, 0x03, 0x00, 0x00, 0x00, 0xA0, 0x0F, 0x00, 0x00,
	0x40, 0x1F, 0x00, 0x00, 0x00, 0x01, 0x2A, 0x00, 0x00, 0x29, 0x40, 0x05, 0x00, 0x00,
	0xFC, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xBA, 0x00,
	0x02, 0x00, 0x0F, 0x01, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01,
};

/* VERIFY with 64 bytes, so that it comes in two transfers */
static const uint8_t verify[79] = { 0x6F, 69,   0,    0,    0,  0,   1,   0,   0,   0,
				    0x00, 0x20, 0x00, 0x82, 64, '1', '2', '3', '4', [78] = '9' };
static const uint8_t fine[] = { 0x80, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0x90, 0x00 };
/* An APDU for a token, over the control pipe */
static const uint8_t token[] = {
	0x21, 0x65, 0, 0, 0, 0, 9, 0, 0x00, 0x20, 0x00, 0x82, 4, '1', '2', '3', '4'
};

static const struct event session[] = {
	{ .kind = EVENT_OUT, .us = 1, .bytes = verify, .len = sizeof verify },
	{ .kind = EVENT_IN, .us = 2, .bytes = fine, .len = sizeof fine },
	{ .kind = EVENT_CONTROL, .us = 3, .bytes = token, .len = sizeof token },
};

struct seen {
	const char *row;
	unsigned count;
	bool hidden; /* the PIN must not be there */
};

static void look(void *arg, const struct event *e)
{
	static const size_t shown[] = { 15, sizeof fine, 8 };
	struct seen *s = arg;

	if (s->count >= COUNT(session)) {
		s->count++;
		return;
	}
	CHECK_INT(s->row, e->kind, session[s->count].kind);
	CHECK_INT(s->row, e->len, session[s->count].len);
	CHECK_BYTES(s->row, e->bytes, shown[s->count], session[s->count].bytes, shown[s->count]);
	for (size_t i = shown[s->count]; i < e->len; i++)
		CHECK_INT(s->row, e->bytes[i], s->hidden ? 0 : session[s->count].bytes[i]);
	s->count++;
}

static void see(const char *path, const char *row, bool hidden)
{
	struct traffic *t = traffic_open(path, complain, NULL);
	struct seen s = { .row = row, .hidden = hidden };

	assert_non_null(t);
	traffic_play(t, 0, look, &s);
	CHECK_INT(row, s.count, COUNT(session));
	CHECK_INT(row, traffic_reader(t, 0)->vid, 0x1234);
	traffic_close(t);
}

static void patch(void *arg, unsigned long packet, uint8_t *record, size_t len)
{
	struct redaction *r = arg;
	size_t count;
	const struct redaction_patch *p = redaction_find(r, packet, &count);

	for (size_t i = 0; i < count; i++) {
		CHECK("inside the record", p[i].at + p[i].len <= len);
		memcpy(record + p[i].at, r->pool + p[i].bytes, p[i].len);
	}
}

static void no_pin_is_in_a_usb_capture(void **state)
{
	char from[64], to[64], row[32];

	(void)state;
	scratch(from, "from");
	scratch(to, "to");
	for (unsigned form = 0; form < FORMS; form++) {
		FILE *file = fopen(from, "wb");
		struct pcap_writer w;
		static struct redaction r;
		struct traffic *t;

		assert_non_null(file);
		snprintf(row, sizeof row, "form %u", form);
		writer_begin(&w, (enum pcap_form)form, file);
		writer_descriptors(&w, 0x1234, 0x5678, ccid);
		w.split = 64;
		for (size_t i = 0; i < COUNT(session); i++)
			writer_event(&w, &session[i]);
		fclose(file);
		see(from, row, false);
		t = traffic_open(from, complain, NULL);
		assert_non_null(t);
		redaction_begin(&r, REDACT_LEVEL(CCID_SHORT_APDU));
		traffic_play(t, 0, redaction_event, &r);
		redaction_settle(&r);
		file = fopen(to, "wb");
		assert_non_null(file);
		CHECK(row, traffic_copy_packets(t, file, patch, &r));
		fclose(file);
		redaction_end(&r);
		traffic_close(t);
		see(to, row, true);
		remove(from);
		remove(to);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_pin_is_in_a_text),
		cmocka_unit_test(no_pin_is_in_a_usb_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
