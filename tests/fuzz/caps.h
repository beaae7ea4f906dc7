/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rest of the driver relies on, whatever the descriptor and the rules said. */
#ifndef OPENCCID_TESTS_FUZZ_CAPS_H
#define OPENCCID_TESTS_FUZZ_CAPS_H

#include "fuzz.h"

#include "ccid/caps.h"

static inline void check_escape(const struct ccid_bytes *bytes)
{
	FUZZ_ASSERT(bytes->len <= CCID_BYTES_MAX);
	FUZZ_ASSERT(bytes->len || !bytes->open_end);
}

static inline void check_caps(const struct ccid_caps *caps)
{
	FUZZ_ASSERT((unsigned)caps->level <= CCID_EXTENDED_APDU);
	FUZZ_ASSERT(caps->slots >= 1 && caps->slots <= 256);
	FUZZ_ASSERT(caps->busy_slots >= 1 && caps->busy_slots <= caps->slots);
	FUZZ_ASSERT(caps->voltages >= 1 && caps->voltages <= 7);
	FUZZ_ASSERT(caps->t0 || caps->t1);
	FUZZ_ASSERT(caps->clock_khz);
	FUZZ_ASSERT(caps->max_message >= 64 && caps->max_message <= 65554);
	FUZZ_ASSERT(caps->max_ifsd >= 1 && caps->max_ifsd <= 254);
	FUZZ_ASSERT(caps->pin_support <= 3 && (unsigned)caps->pinpad <= PINPAD_FORCE);
	FUZZ_ASSERT(!caps->pin_support || caps->pinpad == PINPAD_AS_ANNOUNCED ||
		    caps->pinpad == PINPAD_FORCE);
	FUZZ_ASSERT(caps->power_off_at_open <= 10 && caps->open_pause_ms <= 2000);
	FUZZ_ASSERT(caps->extra_wait_s <= 600 && caps->write_pause_ms <= 100);
	FUZZ_ASSERT(caps->undetected_1 <= 256 && caps->escape <= PERMISSION_ALLOW);
	FUZZ_ASSERT(caps->pin.verify_messages_1 <= 256 && caps->pin.modify_messages_1 <= 256);
	FUZZ_ASSERT(caps->pin.conditions <= 7 && caps->pin.lc <= PIN_LC_APPEND && caps->pin.pause_ms <= 1000);
	check_escape(&caps->open_escape);
	check_escape(&caps->firmware_escape);
	check_escape(&caps->leave_emv);
	check_escape(&caps->escape_allowed);
	check_escape(&caps->pin.escape);
}

#endif
