/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is different about a reader, as data: rules of conditions and effects that edit the capabilities once, at open.
 * The rules come from the .reader files: through the generated table.c or, at run time, through reader_file.h.
 */
#ifndef OPENCCID_QUIRK_QUIRK_H
#define OPENCCID_QUIRK_QUIRK_H

#include "ccid/caps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the value of an effect is written in a .reader file, and what is stored for it. */
enum quirk_kind {
	QUIRK_NUMBER,          /* a decimal number, stored as it is */
	QUIRK_NUMBER_1,        /* a decimal number that may be 0, stored plus 1 */
	QUIRK_YES,             /* "yes": 1 is stored */
	QUIRK_BCD,             /* a bcdDevice such as 07.01 */
	QUIRK_BYTES,           /* up to CCID_BYTES_MAX bytes; "xx" at the end stands for one of any value */
	QUIRK_LEVEL_WORD,      /* character, tpdu, short-apdu, extended-apdu: enum ccid_level */
	QUIRK_PINPAD_WORD,     /* none, broken, force: enum pinpad */
	QUIRK_LC_WORD,         /* strip, append: enum pin_lc */
	QUIRK_PERMISSION_WORD, /* deny, allow: enum permission */
	QUIRK_KIND_COUNT,
};

/*
 * Every effect: X(id, key in the file, kind, lowest and highest value, member of struct ccid_caps it is stored in).
 * A new effect is one row here and one in readers/README.md; parser, generator and quirk_apply() follow.
 */
#define QUIRK_KEYS(X)                                                                                \
	X(MAX_MESSAGE, "max-message", QUIRK_NUMBER, 64, 65554, max_message)                          \
	X(MAX_IFSD, "max-ifsd", QUIRK_NUMBER, 1, 254, max_ifsd)                                      \
	X(MAX_RATE, "max-rate", QUIRK_NUMBER, 9600, 10000000, max_rate)                              \
	X(OTHER_SLOTS_RATE, "other-slots-max-rate", QUIRK_NUMBER, 9600, 10000000, other_slots_rate)  \
	X(LEVEL, "level", QUIRK_LEVEL_WORD, 0, 0, level)                                             \
	X(SLOTS, "slots", QUIRK_NUMBER, 1, 16, slots)                                                \
	X(LCD_LINES, "lcd-lines", QUIRK_NUMBER, 0, 255, lcd_lines)                                   \
	X(LCD_COLUMNS, "lcd-columns", QUIRK_NUMBER, 0, 255, lcd_columns)                             \
	X(NO_PPS, "no-pps", QUIRK_YES, 0, 0, no_pps)                                                 \
	X(NO_IFSD, "no-ifsd", QUIRK_YES, 0, 0, no_ifsd)                                              \
	X(IGNORE_PARAMETERS, "ignore-parameters", QUIRK_YES, 0, 0, ignore_parameters)                \
	X(NO_FULL_PACKETS, "no-full-packets", QUIRK_YES, 0, 0, no_full_packets)                      \
	X(RESYNC_AT_OPEN, "resync-at-open", QUIRK_YES, 0, 0, resync_at_open)                         \
	X(POWER_OFF_AT_OPEN, "power-off-at-open", QUIRK_NUMBER, 1, 10, power_off_at_open)            \
	X(OPEN_PAUSE, "open-pause", QUIRK_NUMBER, 1, 2000, open_pause_ms)                            \
	X(OPEN_ESCAPE, "open-escape", QUIRK_BYTES, 1, CCID_BYTES_MAX, open_escape)                   \
	X(LOAD_PROMPTS, "load-prompts", QUIRK_YES, 0, 0, load_prompts)                               \
	X(ASK_FEATURES, "ask-features", QUIRK_YES, 0, 0, ask_features)                               \
	X(FIRMWARE_ESCAPE, "firmware-escape", QUIRK_BYTES, 1, CCID_BYTES_MAX, firmware_escape)       \
	X(POWER_OFF_FIRST, "power-off-first", QUIRK_YES, 0, 0, power_off_first)                      \
	X(LEAVE_EMV, "leave-emv", QUIRK_BYTES, 1, CCID_BYTES_MAX, leave_emv)                         \
	X(CLEAR_INTERRUPT, "clear-interrupt", QUIRK_YES, 0, 0, clear_interrupt)                      \
	X(NO_INTERRUPT, "no-interrupt", QUIRK_YES, 0, 0, no_interrupt)                               \
	X(PRESENCE_BY_EVENT, "presence-by-event", QUIRK_YES, 0, 0, presence_by_event)                \
	X(UNDETECTED_FROM, "undetected-from", QUIRK_NUMBER_1, 0, 255, undetected_1)                  \
	X(EXTRA_WAIT, "extra-wait", QUIRK_NUMBER, 1, 600, extra_wait_s)                              \
	X(WRITE_PAUSE, "write-pause", QUIRK_NUMBER, 1, 100, write_pause_ms)                          \
	X(ESCAPE, "escape", QUIRK_PERMISSION_WORD, 0, 0, escape)                                     \
	X(ESCAPE_ALLOWED, "escape-allowed", QUIRK_BYTES, 1, CCID_BYTES_MAX, escape_allowed)          \
	X(MCT, "mct", QUIRK_YES, 0, 0, mct)                                                          \
	X(READER_INFO, "reader-info", QUIRK_YES, 0, 0, reader_info)                                  \
	X(PINPAD, "pinpad", QUIRK_PINPAD_WORD, 0, 0, pinpad)                                         \
	X(PIN_MIN, "pin-min", QUIRK_NUMBER, 0, 255, pin.min)                                         \
	X(PIN_MAX, "pin-max", QUIRK_NUMBER, 1, 255, pin.max)                                         \
	X(PIN_CONDITIONS, "pin-conditions", QUIRK_NUMBER, 1, 7, pin.conditions)                      \
	X(PIN_VERIFY_MESSAGES, "pin-verify-messages", QUIRK_NUMBER_1, 0, 255, pin.verify_messages_1) \
	X(PIN_MODIFY_MESSAGES, "pin-modify-messages", QUIRK_NUMBER_1, 0, 255, pin.modify_messages_1) \
	X(PIN_MODIFY_NO_MESSAGES, "pin-modify-no-messages", QUIRK_NUMBER_1, 0, 255,                  \
	  pin.modify_no_messages_1)                                                                  \
	X(PIN_THREE_INDEXES, "pin-three-indexes", QUIRK_YES, 0, 0, pin.three_indexes)                \
	X(PIN_ZERO_INDEXES, "pin-zero-indexes", QUIRK_YES, 0, 0, pin.zero_indexes)                   \
	X(PIN_SWAP_LIMITS, "pin-swap-limits", QUIRK_YES, 0, 0, pin.swap_limits)                      \
	X(PIN_PLAIN_BLOCK, "pin-plain-block", QUIRK_YES, 0, 0, pin.plain_block)                      \
	X(PIN_PLAIN_BCD, "pin-plain-bcd", QUIRK_YES, 0, 0, pin.plain_bcd)                            \
	X(PIN_FIXED_LENGTH, "pin-fixed-length", QUIRK_YES, 0, 0, pin.fixed_length)                   \
	X(PIN_LC, "pin-lc", QUIRK_LC_WORD, 0, 0, pin.lc)                                             \
	X(PIN_TIMEOUT, "pin-timeout", QUIRK_NUMBER, 1, 255, pin.timeout_s)                           \
	X(PIN_ESCAPE, "pin-escape", QUIRK_BYTES, 1, CCID_BYTES_MAX, pin.escape)                      \
	X(PIN_PAUSE, "pin-pause", QUIRK_NUMBER, 1, 1000, pin.pause_ms)                               \
	X(PIN_REFUSED_ERROR, "pin-refused-error", QUIRK_NUMBER, 1, 255, pin.refused_error)           \
	X(PIN_MISMATCH_ERROR, "pin-mismatch-error", QUIRK_NUMBER, 1, 255, pin.mismatch_error)        \
	X(FIXED_IN, "fixed-in", QUIRK_BCD, 0, 0, fixed_in)

enum quirk_key {
#define X(id, name, kind, low, high, member) QUIRK_##id,
	QUIRK_KEYS(X)
#undef X
		QUIRK_KEY_COUNT
};

/* What a condition compares. */
enum quirk_field {
	QUIRK_ON_FIRMWARE,  /* bcdDevice */
	QUIRK_ON_MESSAGE,   /* dwMaxCCIDMessageLength as the device states it, before any rule */
	QUIRK_ON_LEVEL,     /* enum ccid_level as derived from the descriptor, before any rule */
	QUIRK_ON_INTERFACE, /* bInterfaceNumber */
	QUIRK_ON_PRODUCT,   /* the USB product string: does it contain a word? */
	QUIRK_FIELD_COUNT,
};

/* The last two are for strings only. */
enum quirk_op {
	QUIRK_LT,
	QUIRK_LE,
	QUIRK_EQ,
	QUIRK_GE,
	QUIRK_GT,
	QUIRK_CONTAINS,
	QUIRK_LACKS,
	QUIRK_OP_COUNT
};

enum { QUIRK_WORD = 24, QUIRK_WHY = 256 }; /* bytes with the terminator */

struct quirk_condition {
	uint8_t field, op;     /* enum quirk_field, enum quirk_op */
	uint32_t value;        /* of a number */
	char word[QUIRK_WORD]; /* of a string; without blanks */
};

struct quirk_effect {
	uint8_t key; /* enum quirk_key */
	uint32_t value;
	struct ccid_bytes bytes; /* QUIRK_BYTES only */
};

enum { QUIRK_CONDITIONS_MAX = 4, QUIRK_EFFECTS_MAX = 14 };

/* The effects happen where all conditions hold; a rule without conditions always holds. */
struct quirk_rule {
	uint8_t conditions, effects;
	struct quirk_condition condition[QUIRK_CONDITIONS_MAX];
	struct quirk_effect effect[QUIRK_EFFECTS_MAX];
	char why[QUIRK_WHY]; /* the reason, for the log; of the section where the rule has none of its own */
};

enum {
	QUIRK_OFFERED = 1,      /* listed in Info.plist */
	QUIRK_VENDOR_CLASS = 2, /* its smart-card interface may be of class FFh */
	QUIRK_STAYS_AWAKE = 4,  /* does not come back from USB autosuspend; for udev and "openccid doctor" */
};

/* One row of the generated table: offsets instead of pointers, so that it needs no relocation. */
struct quirk_reader {
	uint16_t vid, pid;
	uint32_t name;  /* offset into quirk_names */
	uint16_t first; /* index of its first rule in quirk_rules */
	uint8_t rules;  /* and how many follow one another */
	uint8_t flags;  /* QUIRK_OFFERED, QUIRK_VENDOR_CLASS, QUIRK_STAYS_AWAKE */
};

/* What holds for every product of a vendor, listed or not. */
struct quirk_vendor {
	uint16_t vid;
	uint16_t first; /* index of its first rule in quirk_rules */
	uint8_t rules;
};

/* Generated, src/quirk/table.c; sorted by vendor and product id. */
extern const struct quirk_reader quirk_table[];
extern const size_t quirk_table_len;
extern const struct quirk_vendor quirk_vendors[]; /* ends with a row without rules */
extern const size_t quirk_vendors_len;            /* without that row */
extern const struct quirk_rule quirk_rules[];
extern const char quirk_names[];

/* The row of a product, or NULL if it is not listed. */
const struct quirk_reader *quirk_find(uint16_t vid, uint16_t pid);

static inline const char *quirk_name(const struct quirk_reader *reader)
{
	return quirk_names + reader->name;
}

/* What the conditions of rules look at. */
struct quirk_facts {
	uint16_t bcd_device;
	uint32_t message;      /* dwMaxCCIDMessageLength */
	enum ccid_level level; /* as ccid_caps_derive() found it */
	uint8_t interface;     /* bInterfaceNumber */
	const char *product;   /* the USB product string; "" if there is none */
};

/**
 * quirk_apply - edit the capabilities of one reader by the rules of its vendor and of its row
 * @vid, @pid: which
 * @caps: as ccid_caps_derive() made them; edited in place
 *
 * Every rule whose conditions hold is applied in file order, those of [vid:*] before those of [vid:pid], so a later one
 * wins. Conditions look at the device, never at the outcome of an earlier rule. Call it once, after ccid_caps_derive().
 * @caps->fault points into the table afterwards.
 */
void quirk_apply(uint16_t vid, uint16_t pid, const struct quirk_facts *facts, struct ccid_caps *caps);

/*
 * The same for rules that come from elsewhere, such as a .reader file read at run time; they must outlive @caps. Returns how
 * many of them held.
 */
size_t quirk_apply_rules(const struct quirk_rule *rules, size_t count, const struct quirk_facts *facts,
			 struct ccid_caps *caps);

/* Do all conditions of a rule hold? */
bool quirk_holds(const struct quirk_rule *rule, const struct quirk_facts *facts);

/* After the last rule: what the effects mean for what the descriptor said. */
void quirk_settle(struct ccid_caps *caps);

#endif
