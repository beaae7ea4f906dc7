/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces found in a run of descriptors, whatever its bytes are. */
#include "check.h"
#include "usb/attached.h"

#define DEVICE                                      18, 1, 0, 2, 0, 0, 0, 64, 0xCD, 0xAB, 0x34, 0x12, 0x07, 0x21, 0, 0, 0, 1
#define CONFIG(value)                               9, 2, 0, 0, 1, value, 0, 0x80, 50
#define INTERFACE(number, setting, class, protocol) 9, 4, number, setting, 2, class, 0, protocol, 0
#define BULK_OUT                                    7, 5, 0x01, 2, 64, 0, 0
#define BULK_IN                                     7, 5, 0x82, 2, 64, 0, 0
#define INTERRUPT                                   7, 5, 0x83, 3, 8, 0, 16
#define EXTRA                                       4, 0x21, 0xAA, 0xBB

static const struct {
	const char *row;
	const uint8_t *bytes;
	size_t len;
	unsigned configuration;
	size_t count;
	/* of the last one */
	uint8_t interface, class, protocol;
	bool bulk, interrupt;
	size_t extra;
} cases[] = {
	{ "a reader", BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 0), EXTRA, BULK_OUT, BULK_IN, INTERRUPT),
	  1, 1, 0, 0x0B, 0, true, true, 4 },
	{ "the descriptor behind the endpoints",
	  BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 0), BULK_OUT, BULK_IN, EXTRA), 1, 1, 0, 0x0B, 0,
	  true, false, 4 },
	{ "a token", BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 2), EXTRA), 1, 1, 0, 0x0B, 2, false,
	  false, 4 },
	{ "one bulk endpoint is not enough", BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 0), BULK_IN), 1,
	  1, 0, 0x0B, 0, false, false, 0 },
	{ "two interfaces",
	  BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 3, 1), INTERRUPT, INTERFACE(1, 0, 0x0B, 0), EXTRA), 1, 2,
	  1, 0x0B, 0, false, false, 4 },
	{ "another setting does not count",
	  BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 0), INTERFACE(0, 1, 0xFF, 0), EXTRA, BULK_IN), 1, 1,
	  0, 0x0B, 0, false, false, 0 },
	{ "the second configuration",
	  BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 3, 0), CONFIG(2), INTERFACE(4, 0, 0x0B, 0)), 2, 1, 4, 0x0B,
	  0, false, false, 0 },
	{ "any configuration",
	  BYTES(DEVICE, CONFIG(7), INTERFACE(2, 0, 0x0B, 0), CONFIG(8), INTERFACE(4, 0, 3, 0)), 0, 1, 2, 0x0B,
	  0, false, false, 0 },
	{ "no such configuration", BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 0)), 3, 0, 0, 0, 0, false,
	  false, 0 },
	{ "cut inside an endpoint", BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 0), 7, 5, 0x82), 1, 1, 0,
	  0x0B, 0, false, false, 0 },
	{ "a length of nothing", BYTES(DEVICE, CONFIG(1), INTERFACE(0, 0, 0x0B, 0), 0, 5, 0x82, 2), 1, 1, 0,
	  0x0B, 0, false, false, 0 },
	{ "a short interface", BYTES(DEVICE, CONFIG(1), 3, 4, 5), 1, 1, 5, 0, 0, false, false, 0 },
	{ "no device descriptor", BYTES(CONFIG(1), INTERFACE(0, 0, 0x0B, 0)), 1, 0, 0, 0, 0, false, false,
	  0 },
	{ "nothing", NULL, 0, 1, 0, 0, 0, 0, false, false, 0 },
};

static void interfaces_are_found(void **state)
{
	static struct usb_info info[USB_INTERFACES_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *row = cases[i].row;
		const size_t n =
			usb_interfaces_parse(cases[i].bytes, cases[i].len, cases[i].configuration, info);
		const struct usb_info *last = &info[n ? n - 1 : 0];

		CHECK_INT(row, n, cases[i].count);
		if (n == 0 || n != cases[i].count)
			continue;
		CHECK_INT(row, last->vid, 0xABCD);
		CHECK_INT(row, last->pid, 0x1234);
		CHECK_INT(row, last->bcd_device, 0x2107);
		CHECK_INT(row, last->interface, cases[i].interface);
		CHECK_INT(row, last->class, cases[i].class);
		CHECK_INT(row, last->protocol, cases[i].protocol);
		CHECK_INT(row, last->bulk, cases[i].bulk);
		CHECK_INT(row, last->interrupt, cases[i].interrupt);
		CHECK_INT(row, last->extra_len, cases[i].extra);
	}
	check_done();
}

static void there_are_never_too_many(void **state)
{
	static const uint8_t head[] = { DEVICE, CONFIG(1) };
	static uint8_t bytes[sizeof head + 256 * 9];
	static struct usb_info info[USB_INTERFACES_MAX];
	size_t len = sizeof head;

	(void)state;
	memcpy(bytes, head, sizeof head);
	for (unsigned n = 0; n < 256; n++, len += 9)
		memcpy(bytes + len, (const uint8_t[]){ INTERFACE((uint8_t)n, 0, 0x0B, 0) }, 9);
	CHECK_INT("256 interfaces", usb_interfaces_parse(bytes, len, 1, info), USB_INTERFACES_MAX);
	/* Class descriptors that do not fit are left out. */
	for (size_t at = sizeof head; at < sizeof bytes; at += 9)
		bytes[at + 1] = at == sizeof head ? 4 : 0x21;
	CHECK_INT("a lot behind one", usb_interfaces_parse(bytes, len, 1, info), 1);
	CHECK("a lot behind one", info[0].extra_len <= sizeof info[0].extra);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_are_found),
		cmocka_unit_test(there_are_never_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
