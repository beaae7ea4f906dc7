/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is different about a reader, as data: rules of conditions and effects that edit the capabilities once, at open.
 * The rules come from the .reader files: through the generated table.c or, at run time, through reader_file.h.
 */
#ifndef OPENCCID_QUIRK_QUIRK_H
#define OPENCCID_QUIRK_QUIRK_H

#include "ccid/descriptor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the value of an effect is written in a .reader file, and what is stored for it. */
enum quirk_kind {
	QUIRK_NUMBER,     /* a decimal number, stored as it is */
	QUIRK_LEVEL_WORD, /* character, tpdu, short-apdu, extended-apdu: stored as enum ccid_level */
	QUIRK_YES_CLEARS, /* "yes": 0 is stored */
	QUIRK_KIND_COUNT,
};

/*
 * Every effect: X(id, key in the file, kind, lowest and highest value, member of struct ccid_caps it is stored in).
 * A new effect is one row here and one in readers/README.md; parser, generator and quirk_apply() follow.
 */
#define QUIRK_KEYS(X)                                                       \
	X(MAX_MESSAGE, "max-message", QUIRK_NUMBER, 64, 65554, max_message) \
	X(MAX_IFSD, "max-ifsd", QUIRK_NUMBER, 1, 254, max_ifsd)             \
	X(LEVEL, "level", QUIRK_LEVEL_WORD, 0, 0, level)                    \
	X(NO_PINPAD, "no-pinpad", QUIRK_YES_CLEARS, 0, 0, pin_support)

enum quirk_key {
#define X(id, name, kind, low, high, member) QUIRK_##id,
	QUIRK_KEYS(X)
#undef X
		QUIRK_KEY_COUNT
};

/* What a condition compares. */
enum quirk_field {
	QUIRK_ON_FIRMWARE, /* bcdDevice */
	QUIRK_ON_MESSAGE,  /* dwMaxCCIDMessageLength as the device states it, before any rule */
	QUIRK_ON_LEVEL,    /* enum ccid_level as derived from the descriptor, before any rule */
	QUIRK_FIELD_COUNT,
};

enum quirk_op { QUIRK_LT, QUIRK_LE, QUIRK_EQ, QUIRK_GE, QUIRK_GT, QUIRK_OP_COUNT };

struct quirk_condition {
	uint8_t field, op; /* enum quirk_field, enum quirk_op */
	uint32_t value;
};

struct quirk_effect {
	uint8_t key; /* enum quirk_key */
	uint32_t value;
};

enum { QUIRK_CONDITIONS_MAX = 4, QUIRK_EFFECTS_MAX = 8 };

/* The effects happen where all conditions hold; a rule without conditions always holds. */
struct quirk_rule {
	uint8_t conditions, effects;
	struct quirk_condition condition[QUIRK_CONDITIONS_MAX];
	struct quirk_effect effect[QUIRK_EFFECTS_MAX];
};

enum {
	QUIRK_OFFERED = 1,      /* listed in Info.plist */
	QUIRK_VENDOR_CLASS = 2, /* its smart-card interface may be of class FFh */
};

/* One row of the generated table: offsets instead of pointers, so that it needs no relocation. */
struct quirk_reader {
	uint16_t vid, pid;
	uint32_t name;  /* offset into quirk_names */
	uint16_t first; /* index of its first rule in quirk_rules */
	uint8_t rules;  /* and how many follow one another */
	uint8_t flags;  /* QUIRK_OFFERED, QUIRK_VENDOR_CLASS */
};

/* Generated, src/quirk/table.c; quirk_table is sorted by vendor and product id. */
extern const struct quirk_reader quirk_table[];
extern const size_t quirk_table_len;
extern const struct quirk_rule quirk_rules[];
extern const char quirk_names[];

/* The row of a product, or NULL if it is not listed. */
const struct quirk_reader *quirk_find(uint16_t vid, uint16_t pid);

static inline const char *quirk_name(const struct quirk_reader *reader)
{
	return quirk_names + reader->name;
}

/**
 * quirk_apply - edit the capabilities of one reader by the rules of its row
 * @reader: the row, or NULL (then nothing happens)
 * @desc: the descriptor that @caps was derived from
 * @bcd_device: bcdDevice of the USB device descriptor
 * @caps: edited in place
 *
 * Every rule whose conditions hold is applied in file order, so a later one wins. Conditions look at the descriptor and
 * at what ccid_caps_derive() made of it, never at the outcome of an earlier rule. Call it once, after ccid_caps_derive().
 */
void quirk_apply(const struct quirk_reader *reader, const struct ccid_descriptor *desc, uint16_t bcd_device,
		 struct ccid_caps *caps);

/* The same for rules that come from elsewhere, such as a .reader file read at run time. */
void quirk_apply_rules(const struct quirk_rule *rules, size_t count, const struct ccid_descriptor *desc,
		       uint16_t bcd_device, struct ccid_caps *caps);

#endif
