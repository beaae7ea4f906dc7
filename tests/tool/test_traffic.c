/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Captures of every form tell the same: each trace of tests/traces is written as USB captures of every kind, and read back. Logs, files
 * that are broken, several readers, messages in pieces.
 */
#include "check.h"
#include "pcap_writer.h"
#include "traffic/traffic.h"

#include <dirent.h>

enum { EVENTS_MAX = 400 };

struct kept {
	enum event_kind kind;
	uint64_t us, missing;
	bool timed, hidden;
	unsigned long place;
	uint8_t *bytes;
	size_t len;
};

struct heap {
	struct kept event[EVENTS_MAX];
	unsigned count;
	enum traffic_gravity gravity; /* of the last complaint */
	char said[512];               /* all of them, each with its place */
};

static struct heap first, second;

static void keep(void *arg, const struct event *e)
{
	struct heap *h = arg;

	assert_true(h->count < EVENTS_MAX);
	h->event[h->count++] = (struct kept){
		e->kind, e->us, e->missing, e->timed, e->hidden, e->place, exact_copy(e->bytes, e->len),
		e->len
	};
}

static void hear(void *arg, enum traffic_gravity gravity, const char *where, unsigned long place,
		 const char *sentence)
{
	struct heap *h = arg;
	const size_t used = strlen(h->said);

	(void)where;
	h->gravity = gravity;
	snprintf(h->said + used, sizeof h->said - used, "%lu: %s; ", place, sentence);
}

static void forget(struct heap *h)
{
	for (unsigned i = 0; i < h->count; i++)
		free(h->event[i].bytes);
	memset(h, 0, sizeof *h);
}

static struct traffic *read_all(const char *path, struct heap *h)
{
	struct traffic *t;

	forget(h);
	t = traffic_open(path, hear, h);
	if (t)
		traffic_play(t, traffic_busiest(t), keep, h);
	return t;
}

/* A file that goes with the test. */
static const char *scratch(void)
{
	static char path[64];

	if (!path[0])
		snprintf(path, sizeof path, "/tmp/openccid-traffic-%ld", (long)getpid());
	return path;
}

static struct traffic *read_text(const char *text, size_t len, struct heap *h)
{
	FILE *file = fopen(scratch(), "wb");
	struct traffic *t;

	assert_non_null(file);
	fwrite(text, 1, len, file);
	fclose(file);
	t = read_all(scratch(), h);
	remove(scratch());
	return t;
}

static const uint8_t ccid[CCID_DESCRIPTOR_LEN] = {
	0x36, 0x21, 0x10, 0x01, 0x00, 0x01, 0x03, 0x00, 0x00, 0x00, 0xA0, 0x0F, 0x00, 0x00,
	0x40, 0x1F, 0x00, 0x00, 0x00, 0x01, 0x2A, 0x00, 0x00, 0x29, 0x40, 0x05, 0x00, 0x00,
	0xFC, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xBA, 0x00,
	0x01, 0x00, 0x0F, 0x01, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01,
};

/* ---- the same in every form -------------------------------------------------------------------------------------- */

static bool in_usb(enum event_kind kind)
{
	return kind != EVENT_COMMAND && kind != EVENT_RESPONSE;
}

static void write_as(enum pcap_form form, bool described, size_t split, const struct heap *h)
{
	FILE *file = fopen(scratch(), "wb");
	struct pcap_writer w;

	assert_non_null(file);
	writer_begin(&w, form, file);
	w.split = split;
	if (described)
		writer_descriptors(&w, 0x1234, 0x5678, ccid);
	for (unsigned i = 0; i < h->count; i++)
		if (in_usb(h->event[i].kind))
			writer_event(&w, &(struct event){ .kind = h->event[i].kind,
							  .us = h->event[i].us,
							  .bytes = h->event[i].bytes,
							  .len = h->event[i].len });
	fclose(file);
}

static void compare(const char *row, const struct heap *want, const struct heap *got)
{
	unsigned at = 0;
	uint64_t base = 0;

	for (unsigned i = want->count; i > 0; i--)
		base = in_usb(want->event[i - 1].kind) ? want->event[i - 1].us : base;
	for (unsigned i = 0; i < want->count; i++) {
		if (!in_usb(want->event[i].kind))
			continue;
		if (at == got->count) {
			CHECK_INT(row, got->count, want->count);
			return;
		}
		CHECK_INT(row, got->event[at].kind, want->event[i].kind);
		CHECK_INT(row, got->event[at].us, want->event[i].us - base);
		CHECK_BYTES(row, got->event[at].bytes, got->event[at].len, want->event[i].bytes,
			    want->event[i].len);
		at++;
	}
	CHECK_INT(row, at, got->count);
}

static void try_forms(const char *name, const struct heap *want)
{
	for (unsigned form = 0; form < FORMS; form++)
		for (int described = 0; described < 2; described++) {
			char row[320];
			struct traffic *t;

			snprintf(row, sizeof row, "%s, form %u%s", name, form,
				 described ? ", described" : "");
			write_as((enum pcap_form)form, described, 0, want);
			t = read_all(scratch(), &second);
			remove(scratch());
			CHECK_STRING(row, second.said, "");
			if (!t)
				continue;
			compare(row, want, &second);
			CHECK_INT(row, traffic_reader(t, 0)->has_id, described);
			CHECK_INT(row, traffic_reader(t, 0)->vid, described ? 0x1234 : 0);
			CHECK_INT(row, traffic_reader(t, 0)->firmware, described ? 0x0520 : 0);
			CHECK_STRING(row, traffic_reader(t, 0)->where, "bus 1 device 9");
			traffic_close(t);
		}
}

static void every_form_tells_the_same(void **state)
{
	const char *srcdir = getenv("srcdir");
	char folder[1024], path[2048];
	struct dirent *entry;
	unsigned files = 0;
	DIR *dir;

	(void)state;
	snprintf(folder, sizeof folder, "%s/tests/traces", srcdir ? srcdir : ".");
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct traffic *t;

		if (!strstr(entry->d_name, ".trace"))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		t = read_all(path, &first);
		CHECK_STRING(entry->d_name, first.said, "");
		CHECK(entry->d_name, t && first.count > 0);
		if (!t)
			continue;
		try_forms(entry->d_name, &first);
		traffic_close(t);
		files++;
	}
	closedir(dir);
	CHECK("files", files >= 40);
	check_done();
}

/* ---- messages in pieces ------------------------------------------------------------------------------------------ */

static void a_long_message_comes_in_pieces(void **state)
{
	static uint8_t out[65554] = { 0x6F, 0x08, 0, 1 }, in[512] = { 0x80, 0xF6, 1, 0 };
	static const uint8_t extension[] = { 0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0 };
	struct traffic *t;

	(void)state;
	forget(&first);
	first.count = 3;
	first.event[0] =
		(struct kept){ .kind = EVENT_OUT, .bytes = exact_copy(out, sizeof out), .len = sizeof out };
	first.event[1] =
		(struct kept){ .kind = EVENT_IN, .us = 5, .bytes = exact_copy(extension, 10), .len = 10 };
	first.event[2] = (struct kept){
		.kind = EVENT_IN, .us = 9, .bytes = exact_copy(in, sizeof in), .len = sizeof in
	};
	for (unsigned form = 0; form < FORMS; form++) {
		write_as((enum pcap_form)form, true, 64 * (1 + form), &first);
		t = read_all(scratch(), &second);
		remove(scratch());
		assert_non_null(t);
		compare("in pieces", &first, &second);
		traffic_close(t);
	}
	forget(&first);
	check_done();
}

/* What the capture did not keep is counted. */
static void a_snapped_message_is_told(void **state)
{
	static const uint8_t out[] = { 0x6F, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5 };
	FILE *file = fopen(scratch(), "wb");
	struct pcap_writer w;
	struct traffic *t;

	(void)state;
	assert_non_null(file);
	writer_begin(&w, FORM_USBMON_64, file);
	writer_descriptors(&w, 1, 2, ccid);
	w.snap = 12;
	writer_event(&w, &(struct event){ .kind = EVENT_OUT, .bytes = out, .len = sizeof out });
	fclose(file);
	t = read_all(scratch(), &second);
	remove(scratch());
	assert_non_null(t);
	CHECK_INT("snapped", second.count, 1);
	CHECK_BYTES("snapped", second.event[0].bytes, second.event[0].len, out, 12);
	CHECK_INT("snapped", second.event[0].missing, 3);
	traffic_close(t);
	check_done();
}

/* ---- several readers --------------------------------------------------------------------------------------------- */

static const uint8_t status_out[] = { 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
		     status_in[] = { 0x81, 0, 0, 0, 0, 0, 0, 2, 0, 0 };

static void several_readers_are_told_apart(void **state)
{
	static const struct {
		const char *word;
		int found;
	} words[] = {
		{ "1", 0 }, { "2", 1 },  { "1234:0002", 0 }, { "1234:0003", 1 }, { "bus 1 device 10", 1 },
		{ "", -1 }, { "3", -1 }, { "1234", -1 },     { "nobody", -1 }
	};
	FILE *file = fopen(scratch(), "wb");
	struct pcap_writer w;
	struct traffic *t;

	(void)state;
	assert_non_null(file);
	writer_begin(&w, FORM_USBMON_64, file);
	for (uint16_t device = 9; device < 11; device++) {
		w.device = device;
		writer_descriptors(&w, 0x1234, (uint16_t)(device - 7), ccid);
	}
	for (uint16_t device = 9; device < 12; device++) {
		w.device = device;
		writer_event(&w, &(struct event){ .kind = EVENT_OUT, .bytes = status_out, .len = 10 });
		if (device == 10)
			writer_event(&w, &(struct event){ .kind = EVENT_IN, .bytes = status_in, .len = 10 });
	}
	fclose(file);
	t = read_all(scratch(), &second);
	remove(scratch());
	assert_non_null(t);
	/* The third has no descriptor and got no answer: nothing says that it is a reader. */
	CHECK_INT("readers", traffic_readers(t), 2);
	CHECK_INT("the busiest", traffic_busiest(t), 1);
	CHECK_INT("its events", second.count, 2);
	for (size_t i = 0; i < COUNT(words); i++)
		CHECK_INT(words[i].word, traffic_find(t, words[i].word), words[i].found);
	traffic_close(t);
	check_done();
}

/* A file of two computers, with Ethernet between: each reader is found, and their numbers are no one's but theirs. */
static void kinds_of_interfaces_are_told_apart(void **state)
{
	static const struct {
		const char *row;
		bool windows;
		uint16_t pid;
	} readers[] = { { "usbmon", false, 1 }, { "USBPcap", true, 2 } };
	FILE *file = fopen(scratch(), "wb");
	struct pcap_writer w;
	struct traffic *t;

	(void)state;
	assert_non_null(file);
	writer_begin(&w, FORM_MIXED, file);
	for (size_t i = 0; i < COUNT(readers); i++) {
		w.windows = readers[i].windows;
		writer_descriptors(&w, 0x1234, readers[i].pid, ccid);
	}
	for (size_t n = 0; n < 2 * COUNT(readers); n++) {
		w.windows = readers[n % 2].windows;
		writer_event(&w, &(struct event){ .kind = EVENT_OUT, .bytes = status_out, .len = 10 });
		writer_event(&w, &(struct event){ .kind = EVENT_IN, .us = 7, .bytes = status_in, .len = 10 });
	}
	fclose(file);
	t = read_all(scratch(), &second);
	remove(scratch());
	assert_non_null(t);
	CHECK_STRING("complaints", second.said, "");
	CHECK_INT("readers", traffic_readers(t), COUNT(readers));
	for (unsigned i = 0; i < traffic_readers(t); i++) {
		forget(&second);
		traffic_play(t, i, keep, &second);
		CHECK_INT(readers[i].row, traffic_reader(t, i)->pid, readers[i].pid);
		CHECK_INT(readers[i].row, second.count, 4);
		CHECK_BYTES(readers[i].row, second.event[3].bytes, second.event[3].len, status_in, 10);
		/* Wireshark counts the packets of all interfaces. */
		CHECK_INT(readers[i].row, second.event[0].place, 3 * (2 * 6 + 4 * i) + 3);
	}
	traffic_close(t);
	check_done();
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

struct want {
	enum event_kind kind;
	uint64_t us;
	bool timed;
	unsigned long place;
	uint64_t missing;
	const char *bytes;
	size_t len;
};

#define RAW(text) text, sizeof text - 1

static const struct {
	const char *row, *text;
	struct want event[6];
	const char *said;
} logs[] = {
	{ "pcscd, with a driver that dumps messages",
	  "00000010 ifdhandler.c:150 device: usb:08e6/3437:libudev:0:/dev/bus/usb/001/004\n"
	  "00000041 -> 000000 65 00 00 00 00 00 04 00 00 00 \n"
	  "00000484 <- 000000 81 00 00 00 00 00 04 02 81 00\n"
	  "00000006 nothing of interest\n"
	  "00029485 NotifySlotChange: 50 03 \n",
	  { { EVENT_OUT, 0, true, 2, 0, RAW("\x65\0\0\0\0\0\4\0\0\0") },
	    { EVENT_IN, 484, true, 3, 0, RAW("\x81\0\0\0\0\0\4\2\x81\0") },
	    { EVENT_INT, 29975, true, 5, 0, RAW("\x50\3") } },
	  "" },
	{ "the same with threads, colours and APDUs",
	  "00000003 [140158364124928] APDU: 00 A4 04 00\r\n"
	  "\033[34m00000041 [140158364124928] -> 000000 6F 04 00 00 00 00 04 00 00 00 00 A4 04 00\033[0m\n"
	  "00000484 [140158364124928] <- 000000 80 02 00 00 00 00 04 00 00 00 90 00\n"
	  "00000005 [140158364124928] SW: 90 00\n",
	  { { EVENT_COMMAND, 0, true, 1, 0, RAW("\0\xA4\4\0") },
	    { EVENT_OUT, 41, true, 2, 0, RAW("\x6F\4\0\0\0\0\4\0\0\0\0\xA4\4\0") },
	    { EVENT_IN, 525, true, 3, 0, RAW("\x80\2\0\0\0\0\4\0\0\0\x90\0") },
	    { EVENT_RESPONSE, 530, true, 4, 0, RAW("\x90\0") } },
	  "" },
	{ "in the system's log",
	  "Nov 26 10:00:01 host pcscd[812]: 00000041 -> 000000 65 00 00 00 00 00 04 00 00 00\n"
	  "Nov 26 10:00:04 host pcscd[812]: 03000113 ccid_usb.c:885:ReadUSB() read failed (1/8): "
	  "LIBUSB_ERROR_TIMEOUT\n",
	  { { EVENT_OUT, 0, true, 1, 0, RAW("\x65\0\0\0\0\0\4\0\0\0") },
	    { EVENT_TIMEOUT, 3000113, true, 2, 0, RAW("") } },
	  "" },
	{ "a damaged line",
	  "00000041 -> 000000 65 00 00 00 00 00 04 00 00 zz\n",
	  { { EVENT_OUT, 0, true, 1, 0, RAW("\x65\0\0\0\0\0\4\0\0") } },
	  "1: this message is damaged or cut; what can be read of it is used; " },
	{ "this driver, with payloads left out",
	  "00000002 openccid: opened A Reader (1) (04e6:5116, firmware 5.20, interface 0): TPDU level, 1 "
	  "slot\n"
	  "00000041 openccid: -> PC_to_RDR_XfrBlock slot 0 seq 1F [00 00 00] 7 bytes\n"
	  "00000484 openccid: <- RDR_to_PC_SlotStatus slot 0 seq 20 [40 F6 00] 0 bytes\n"
	  "00000050 openccid: -> PC_to_RDR_SetParameters slot 0 seq 21 [01 00 00] 7 bytes: 11 10 00 45 00 FE "
	  "00\n"
	  "02000050 openccid: PC_to_RDR_SetParameters to slot 0 failed: the reader did not answer in time\n",
	  { { EVENT_OUT, 0, true, 2, 7, RAW("\x6F\7\0\0\0\0\x1F\0\0\0") },
	    { EVENT_IN, 484, true, 3, 0, RAW("\x81\0\0\0\0\0\x20\x40\xF6\0") },
	    { EVENT_OUT, 534, true, 4, 0, RAW("\x61\7\0\0\0\0\x21\1\0\0\x11\x10\0\x45\0\xFE\0") },
	    { EVENT_TIMEOUT, 2000584, true, 5, 0, RAW("") } },
	  "" },
	{ "GnuPG, field by field",
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver: PC_to_RDR_XfrBlock:\n"
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver:   dwLength ..........: 9\n"
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver:   bSlot .............: 0\n"
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver:   bSeq ..............: 58\n"
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver:   bBWI ..............: 0x04\n"
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver:   wLevelParameter ...: 0x0000\n"
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver:   [0010]  00 00 05 00 CA 00\n"
	  "2014-01-02 10:00:00 scdaemon[7] DBG: ccid-driver:   [0016]  6E 00 A1\n"
	  "2014-01-02 10:00:01 scdaemon[7] DBG: ccid-driver: RDR_to_PC_DataBlock:\n"
	  "2014-01-02 10:00:01 scdaemon[7] DBG: ccid-driver:   dwLength ..........: 2\n"
	  "2014-01-02 10:00:01 scdaemon[7] DBG: ccid-driver:   bSlot .............: 0\n"
	  "2014-01-02 10:00:01 scdaemon[7] DBG: ccid-driver:   bSeq ..............: 58\n"
	  "2014-01-02 10:00:01 scdaemon[7] DBG: ccid-driver:   bStatus ...........: 0\n"
	  "2014-01-02 10:00:01 scdaemon[7] DBG: ccid-driver:   [0010]  64 00\n"
	  "2014-01-02 10:00:07 scdaemon[7] DBG: ccid-driver: usb_bulk_read error: LIBUSB_ERROR_TIMEOUT\n",
	  { { EVENT_OUT, 0, true, 1, 0, RAW("\x6F\x9\0\0\0\0\x3A\4\0\0\0\0\5\0\xCA\0\x6E\0\xA1") },
	    { EVENT_IN, 1000000, true, 9, 0, RAW("\x80\2\0\0\0\0\x3A\0\0\0\x64\0") },
	    { EVENT_TIMEOUT, 7000000, true, 15, 0, RAW("") } },
	  "" },
	{ "GnuPG, the older form",
	  "DBG: ccid-driver: sending 6B 03 00 00 00 00 11 00 00 00 80 02 00\n"
	  "DBG: ccid-driver: status: 00  error: 00  octet[9]: 00\n"
	  "DBG: ccid-driver: sending 6F 04 00 00 00 00 12 00 00 00 00 20 00 82\n"
	  "DBG: ccid-driver: status: 40  error: EF  octet[9]: 00\n"
	  "               data:  90 00\n",
	  { { EVENT_OUT, 0, false, 1, 0, RAW("\x6B\3\0\0\0\0\x11\0\0\0\x80\2\0") },
	    { EVENT_IN, 0, false, 2, 0, RAW("\x83\0\0\0\0\0\x11\0\0\0") },
	    { EVENT_OUT, 0, false, 3, 0, RAW("\x6F\4\0\0\0\0\x12\0\0\0\0\x20\0\x82") },
	    { EVENT_IN, 0, false, 4, 0, RAW("\x80\2\0\0\0\0\x12\x40\xEF\0\x90\0") } },
	  "" },
	{ "written down by hand",
	  "# reader: 04e6:5116 SCR3310\n# level: tpdu-t0\nOUT - 65 00 00 00 00 00 04 00 00 00\n"
	  "TIMEOUT 100130 bulk-in\nINT 4 50 02\nRAPDU 90 00\n",
	  { { EVENT_OUT, 0, false, 3, 0, RAW("\x65\0\0\0\0\0\4\0\0\0") },
	    { EVENT_TIMEOUT, 100130, true, 4, 0, RAW("") },
	    { EVENT_INT, 100134, true, 5, 0, RAW("\x50\2") },
	    { EVENT_RESPONSE, 100134, false, 6, 0, RAW("\x90\0") } },
	  "" },
};

static void logs_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(logs); i++) {
		struct traffic *t = read_text(logs[i].text, strlen(logs[i].text), &second);
		unsigned n = 0;

		CHECK_STRING(logs[i].row, second.said, logs[i].said);
		CHECK(logs[i].row, t != NULL);
		if (!t)
			continue;
		for (; n < COUNT(logs[i].event) && logs[i].event[n].bytes && n < second.count; n++) {
			const struct want *want = &logs[i].event[n];
			const struct kept *got = &second.event[n];

			CHECK_INT(logs[i].row, got->kind, want->kind);
			CHECK_INT(logs[i].row, got->us, want->us);
			CHECK_INT(logs[i].row, got->timed, want->timed);
			CHECK_INT(logs[i].row, got->place, want->place);
			CHECK_INT(logs[i].row, got->missing, want->missing);
			CHECK_INT(logs[i].row, got->hidden, want->missing != 0);
			CHECK_BYTES(logs[i].row, got->bytes, got->len, want->bytes, want->len);
		}
		CHECK_INT(logs[i].row, second.count, n);
		CHECK(logs[i].row, n == COUNT(logs[i].event) || !logs[i].event[n].bytes);
		traffic_close(t);
	}
	check_done();
}

static void logs_name_the_reader(void **state)
{
	static const struct {
		size_t log;
		uint16_t vid, pid, firmware;
		const char *name;
	} rows[] = { { 0, 0x08e6, 0x3437, 0, "" },
		     { 4, 0x04e6, 0x5116, 0x520, "A Reader (1)" },
		     { 7, 0x04e6, 0x5116, 0, "SCR3310" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *row = logs[rows[i].log].row;
		struct traffic *t =
			read_text(logs[rows[i].log].text, strlen(logs[rows[i].log].text), &second);

		assert_non_null(t);
		CHECK_INT(row, traffic_reader(t, 0)->vid, rows[i].vid);
		CHECK_INT(row, traffic_reader(t, 0)->pid, rows[i].pid);
		CHECK_INT(row, traffic_reader(t, 0)->firmware, rows[i].firmware);
		CHECK_STRING(row, traffic_reader(t, 0)->name, rows[i].name);
		traffic_close(t);
	}
	check_done();
}

/* ---- what cannot be read ----------------------------------------------------------------------------------------- */

static const struct {
	const char *row, *bytes;
	size_t len;
	const char *says;
} broken[] = {
	{ "nothing", RAW(""), "0: the file is empty" },
	{ "gzip", RAW("\x1F\x8B\x08"), "gunzip" },
	{ "zstd", RAW("\x28\xB5\x2F\xFD"), "unzstd" },
	{ "UTF-16", RAW("\xFF\xFE-\0>\0"), "iconv" },
	{ "a program",
	  RAW("\x7F"
	      "ELF\0\0"),
	  "neither pcap nor pcapng nor text" },
	{ "prose", RAW("Dear all,\nmy reader does not work.\n"), "no message of a smart-card reader" },
	{ "a pcap file cut in its header", RAW("\xD4\xC3\xB2\xA1\2\0\4\0"), "libpcap cannot read it" },
	{ "a pcap file of Ethernet", RAW("\xD4\xC3\xB2\xA1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0"),
	  "its link type is 1 (EN10MB)" },
	{ "a pcapng file of Ethernet",
	  RAW("\x0A\x0D\x0D\x0A\x1C\0\0\0\x4D\x3C\x2B\x1A\1\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x1C\0\0\0"
	      "\1\0\0\0\x14\0\0\0\1\0\0\0\0\0\4\0\x14\0\0\0"),
	  "its link type is 1 (EN10MB)" },
	{ "a pcapng file without interfaces",
	  RAW("\x0A\x0D\x0D\x0A\x1C\0\0\0\x4D\x3C\x2B\x1A\1\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x1C\0\0\0"),
	  "libpcap cannot read it" },
	{ "a pcapng file cut in its header", RAW("\x0A\x0D\x0D\x0A\x1C\0\0\0\x4D\x3C"),
	  "libpcap cannot read it" },
	{ "an empty USB capture", RAW("\xD4\xC3\xB2\xA1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\xDC\0\0\0"),
	  "no message of a smart-card reader" },
	{ "a trace with a mistake", RAW("reader: - x\nsource: a\norigin: a\nabout: a\ndo nonsense\nend\n"),
	  "5: " },
};

static void what_is_broken_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct traffic *t = read_text(broken[i].bytes, broken[i].len, &second);

		CHECK(broken[i].row, t == NULL);
		CHECK_INT(broken[i].row, second.gravity, TRAFFIC_FATAL);
		if (!strstr(second.said, broken[i].says))
			CHECK_STRING(broken[i].row, second.said, broken[i].says);
		if (t)
			traffic_close(t);
	}
	check_done();
}

static long size_of(const char *path)
{
	FILE *file = fopen(path, "rb");
	long size;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	return size;
}

/* A capture that was killed: cut at every byte it is told, or is a whole shorter one. */
static void a_cut_file_is_used_up_to_the_cut(void **state)
{
	unsigned ends = 0;

	(void)state;
	for (unsigned form = 0; form < FORMS; form++) {
		forget(&first);
		first.count = 2;
		first.event[0] =
			(struct kept){ .kind = EVENT_OUT, .bytes = exact_copy(status_out, 10), .len = 10 };
		first.event[1] =
			(struct kept){ .kind = EVENT_IN, .bytes = exact_copy(status_in, 10), .len = 10 };
		write_as((enum pcap_form)form, true, 0, &first);
		forget(&first);
		for (long size = size_of(scratch()) - 1; size > 0; size -= 3) {
			struct traffic *t;

			assert_int_equal(truncate(scratch(), size), 0);
			t = read_all(scratch(), &second);
			CHECK("cut", t || second.gravity == TRAFFIC_FATAL);
			CHECK("cut", second.said[0] || second.count < 2);
			ends += t && second.gravity == TRAFFIC_ENDS && strstr(second.said, "cut short here");
			if (t)
				traffic_close(t);
		}
		remove(scratch());
	}
	CHECK("some were used", ends > 10);
	forget(&second);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_tells_the_same),
		cmocka_unit_test(a_long_message_comes_in_pieces),
		cmocka_unit_test(a_snapped_message_is_told),
		cmocka_unit_test(several_readers_are_told_apart),
		cmocka_unit_test(kinds_of_interfaces_are_told_apart),
		cmocka_unit_test(logs_are_read),
		cmocka_unit_test(logs_name_the_reader),
		cmocka_unit_test(what_is_broken_is_told),
		cmocka_unit_test(a_cut_file_is_used_up_to_the_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
