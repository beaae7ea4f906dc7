/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device names that pcscd hands out, and what opening a device says of a name that leads nowhere. */
#include "check.h"
#include "usb/devname.h"
#include "usb/usb.h"

static const struct good {
	const char *text;
	struct usb_name want;
} goods[] = {
	/* pcscd with libudev */
	{ "usb:04e6/5116:libudev:0:/dev/bus/usb/001/002", { 0x04E6, 0x5116, true, 1, 2, 0 } },
	{ "usb:04E6/E003:libudev:0:/dev/bus/usb/001/002", { 0x04E6, 0xE003, true, 1, 2, 0 } },
	{ "usb:0a5c/5843:libudev:9:/dev/bus/usb/003/127", { 0x0A5C, 0x5843, true, 3, 127, 9 } },
	{ "usb:0a5c/5843:libudev:10:/dev/bus/usb/003/127", { 0x0A5C, 0x5843, true, 3, 127, 10 } },
	{ "usb:0a5c/5843:libudev:255:/dev/bus/usb/999/999", { 0x0A5C, 0x5843, true, 999, 999, 255 } },
	{ "usb:0/0:libudev:0:/dev/bus/usb/0/0", { 0, 0, true, 0, 0, 0 } },
	{ "usb:ffff/FFFF:libudev:000:/dev/bus/usb/1/2", { 0xFFFF, 0xFFFF, true, 1, 2, 0 } },
	/* Bus and address are decimal although the ids are not. */
	{ "usb:0010/0010:libudev:10:/dev/bus/usb/010/010", { 0x10, 0x10, true, 10, 10, 10 } },
	/* pcscd with libusb alone */
	{ "usb:04e6/5116:libusb-1.0:1:2:0", { 0x04E6, 0x5116, true, 1, 2, 0 } },
	{ "usb:04e6/5116:libusb-1.0:001:099:12", { 0x04E6, 0x5116, true, 1, 99, 12 } },
	{ "usb:04e6/5116:libusb-1.0:999:999:255", { 0x04E6, 0x5116, true, 999, 999, 255 } },
	/* Only the ids: written by hand into reader.conf, or by a pcscd that is newer than this driver */
	{ "usb:04e6/5116", { .vid = 0x04E6, .pid = 0x5116 } },
	{ "usb:04e6/5116:", { .vid = 0x04E6, .pid = 0x5116 } },
	{ "usb:4e6/3", { .vid = 0x04E6, .pid = 3 } },
	{ "usb:04e6/5116:libhal:/org/freedesktop/Hal/devices/x", { .vid = 0x04E6, .pid = 0x5116 } },
	{ "usb:04e6/5116:libusb:1:2:0", { .vid = 0x04E6, .pid = 0x5116 } },
	{ "usb:04e6/5116:libusb-1.1:1:2:0", { .vid = 0x04E6, .pid = 0x5116 } },
	{ "usb:04e6/5116:LIBUDEV:0:/dev/bus/usb/001/002", { .vid = 0x04E6, .pid = 0x5116 } },
};

static const char *const bads[] = {
	"",
	"u",
	"usb",
	"usb:",
	"USB:04e6/5116",
	" usb:04e6/5116",
	"/dev/ttyS0",
	"/dev/bus/usb/001/002",
	/* ids */
	"usb:/",
	"usb:04e6",
	"usb:04e6/",
	"usb:/5116",
	"usb:04e6:5116",
	"usb:04e6/:libudev:0:/dev/bus/usb/001/002",
	"usb:04g6/5116",
	"usb:04e6/51g6",
	"usb:0x4e6/5116",
	"usb:-4e6/5116",
	"usb:+4e6/5116",
	"usb: 4e6/5116",
	"usb:10000/5116",
	"usb:04e6/10000",
	"usb:04e6/100005116",
	"usb:ffffffffffffffffffffffffffffff/5116",
	"usb:04e6/5116 ",
	"usb:04e6/5116/",
	"usb:04e6/5116libudev:0:/dev/bus/usb/001/002",
	/* libudev */
	"usb:04e6/5116:libudev:",
	"usb:04e6/5116:libudev:0",
	"usb:04e6/5116:libudev:0:",
	"usb:04e6/5116:libudev::/dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:256:/dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:4294967296:/dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:-1:/dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:a:/dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:0x1:/dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:0 :/dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/001",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/001/",
	"usb:04e6/5116:libudev:0:/dev/bus/usb//002",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/1000/002",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/001/1000",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/001/4294967298",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/00a/002",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/001/002 ",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/001/002/",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/001/002/003",
	"usb:04e6/5116:libudev:0:/dev/bus/usb/../../etc/passwd",
	"usb:04e6/5116:libudev:0:/dev/bus/USB/001/002",
	"usb:04e6/5116:libudev:0:dev/bus/usb/001/002",
	"usb:04e6/5116:libudev:0:/proc/bus/usb/001/002",
	/* libusb */
	"usb:04e6/5116:libusb-1.0:",
	"usb:04e6/5116:libusb-1.0:1",
	"usb:04e6/5116:libusb-1.0:1:2",
	"usb:04e6/5116:libusb-1.0:1:2:",
	"usb:04e6/5116:libusb-1.0::2:0",
	"usb:04e6/5116:libusb-1.0:1::0",
	"usb:04e6/5116:libusb-1.0:1:2:0:",
	"usb:04e6/5116:libusb-1.0:1:2:0:0",
	"usb:04e6/5116:libusb-1.0:1:2:256",
	"usb:04e6/5116:libusb-1.0:1000:2:0",
	"usb:04e6/5116:libusb-1.0:1:1000:0",
	"usb:04e6/5116:libusb-1.0:1:2:f",
	"usb:04e6/5116:libusb-1.0:1/2/0",
	"usb:04e6/5116:libusb-1.0:18446744073709551617:2:0",
};

/* In a block of exactly its size, so that a look behind its end is seen. */
static char *text_copy(const char *text, size_t len)
{
	char *copy = (char *)exact_copy(text, len + 1);

	copy[len] = '\0';
	return copy;
}

static void names_that_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		const struct good *g = &goods[i];
		char *text = text_copy(g->text, strlen(g->text));
		struct usb_name n = { 1, 1, true, 1, 1, 1 };

		CHECK_INT(g->text, usb_name_parse(text, &n), OC_OK);
		CHECK_INT(g->text, n.vid, g->want.vid);
		CHECK_INT(g->text, n.pid, g->want.pid);
		CHECK_INT(g->text, n.located, g->want.located);
		if (g->want.located) {
			CHECK_INT(g->text, n.bus, g->want.bus);
			CHECK_INT(g->text, n.address, g->want.address);
			CHECK_INT(g->text, n.interface, g->want.interface);
		}
		free(text);
	}
	check_done();
}

static void check_bad(const char *row, const char *text, size_t len)
{
	const struct usb_name before = { 0xAAAA, 0xBBBB, true, 77, 88, 99 };
	struct usb_name n = before;
	char *copy = text_copy(text, len);

	CHECK_INT(row, usb_name_parse(copy, &n), OC_E_NAME);
	CHECK(row, n.vid == before.vid && n.pid == before.pid && n.located && n.bus == 77 &&
			   n.address == 88 && n.interface == 99);
	free(copy);
}

static void names_that_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++)
		check_bad(bads[i], bads[i], strlen(bads[i]));
	check_done();
}

/* Every beginning of a whole name: the ids alone are one, and an address that lost its last digits is another one. */
static void names_that_end_too_early(void **state)
{
	static const struct {
		const char *text;
		size_t address; /* where the last number begins */
	} whole[] = {
		{ "usb:04e6/5116:libudev:10:/dev/bus/usb/001/002", 42 },
		{ "usb:04e6/5116:libusb-1.0:001:002:12", 33 },
	};
	const size_t ids = strlen("usb:04e6/5116"), scheme = strlen("usb:04e6/5116:lib");

	(void)state;
	for (size_t i = 0; i < COUNT(whole); i++) {
		for (size_t len = 0; len <= whole[i].address; len++) {
			char row[64];

			/* "usb:04e6/5" is a short id, and ":libu" a scheme that nobody knows. */
			if (len > strlen("usb:04e6/") && len <= ids)
				continue;
			if (len > ids && len < scheme + strlen(i ? "usb-1.0:" : "udev:"))
				continue;
			snprintf(row, sizeof row, "%.*s", (int)len, whole[i].text);
			check_bad(row, whole[i].text, len);
		}
	}
	check_done();
}

/* Nothing that a name can hold makes the parser read beyond it or accept a number out of range. */
static void names_with_random_bytes(void **state)
{
	static const char alphabet[] = "usb:/0123456789abcdefg-1.0libudevn\xFF ";
	uint32_t seed = 20240607;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		const char *base = goods[check_random(&seed) % COUNT(goods)].text;
		char *text = text_copy(base, strlen(base));
		struct usb_name n = { 0 };

		for (unsigned change = check_random(&seed) % 4; change; change--)
			text[check_random(&seed) % strlen(base)] =
				alphabet[check_random(&seed) % (sizeof alphabet - 1)];
		if (usb_name_parse(text, &n) == OC_OK)
			CHECK(text, n.bus <= 999 && n.address <= 999 && n.interface <= 255);
		free(text);
	}
	check_done();
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

struct lines {
	unsigned critical, others;
	char last[512];
};

static void take_line(void *arg, enum oc_log_level level, const char *line)
{
	struct lines *lines = arg;

	if (level == OC_LOG_CRITICAL)
		lines->critical++;
	else
		lines->others++;
	snprintf(lines->last, sizeof lines->last, "%s", line);
}

/* No machine has a bus 999, or a device of these ids: FFFFh is no vendor. */
static const struct nowhere {
	const char *name;
	enum oc_err err;
	const char *says;
} nowheres[] = {
	{ "", OC_E_NAME, "\"\" is no device name" },
	{ "/dev/ttyS0", OC_E_NAME, "\"/dev/ttyS0\" is no device name" },
	{ "usb:04e6/5116:libudev:0", OC_E_NAME, "\"usb:04e6/5116:libudev:0\" is no device name" },
	{ "usb:ffff/fffe", OC_E_GONE, "no USB device ffff:fffe is attached" },
	{ "usb:ffff/fffe:other:1", OC_E_GONE, "no USB device ffff:fffe is attached" },
	{ "usb:04e6/5116:libudev:0:/dev/bus/usb/999/998", OC_E_GONE,
	  "/dev/bus/usb/999/998: cannot be opened: " },
	{ "usb:04e6/5116:libusb-1.0:999:998:0", OC_E_GONE, "/dev/bus/usb/999/998: cannot be opened: " },
};

static void names_that_lead_nowhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(nowheres); i++) {
		const struct nowhere *row = &nowheres[i];
		struct lines lines = { 0 };
		const struct oc_log log = { .mask = 15, .write = take_line, .arg = &lines };
		struct transport *none = NULL;
		struct usb_info info;

		CHECK_INT(row->name, usb_open(row->name, &log, NULL, &info, &none), row->err);
		CHECK(row->name, none == NULL);
		CHECK_INT(row->name, lines.critical, 1);
		CHECK_INT(row->name, lines.others, 0);
		if (!strstr(lines.last, row->says))
			CHECK_STRING(row->name, lines.last, row->says);
	}
	check_done();
}

/* The name comes from outside: a long one must not flood the log. */
static void a_long_name_is_quoted_in_part(void **state)
{
	struct lines lines = { 0 };
	const struct oc_log log = { .mask = 15, .write = take_line, .arg = &lines };
	struct transport *none = NULL;
	struct usb_info info;
	char *name = calloc(1, 10001);

	(void)state;
	assert_non_null(name);
	memset(name, 'x', 10000);
	CHECK_INT("10000 x", usb_open(name, &log, NULL, &info, &none), OC_E_NAME);
	CHECK_INT("10000 x", lines.critical, 1);
	CHECK("10000 x", strlen(lines.last) < 200 && strstr(lines.last, "is no device name"));
	free(name);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_understood), cmocka_unit_test(names_that_are_not),
		cmocka_unit_test(names_that_end_too_early),  cmocka_unit_test(names_with_random_bytes),
		cmocka_unit_test(names_that_lead_nowhere),   cmocka_unit_test(a_long_name_is_quoted_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
