/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the driver works with: the class descriptor made plausible by ccid_caps_derive(), then edited once by src/quirk.
 * After that nobody asks for a vendor or product id. A field that src/quirk alone sets is 0 where nothing is special.
 */
#ifndef OPENCCID_CCID_CAPS_H
#define OPENCCID_CCID_CAPS_H

#include <stdbool.h>
#include <stdint.h>

enum ccid_level { CCID_CHARACTER, CCID_TPDU, CCID_SHORT_APDU, CCID_EXTENDED_APDU };

/* A short command of a vendor, as data */
enum { CCID_BYTES_MAX = 8 };

struct ccid_bytes {
	uint8_t len;   /* 0: none */
	bool open_end; /* one more byte of any value belongs to it */
	uint8_t at[CCID_BYTES_MAX];
};

/* May applications send Escape commands to this reader? */
enum permission { PERMISSION_AS_CONFIGURED, PERMISSION_DENY, PERMISSION_ALLOW };

/* Whether the keypad that the descriptor announces is offered to applications */
enum pinpad {
	PINPAD_AS_ANNOUNCED,
	PINPAD_NONE,   /* there is none, or what is typed reaches the host */
	PINPAD_BROKEN, /* there is one, and the firmware cannot use it */
	PINPAD_FORCE,  /* somebody wants it offered in spite of what is known */
};

/* What to do with Lc where an application leaves the building of the command to the reader (a template without data) */
enum pin_lc {
	PIN_LC_AS_GIVEN,
	PIN_LC_STRIP,  /* the reader wants CLA INS P1 P2 alone */
	PIN_LC_APPEND, /* the reader wants an Lc of 00 behind it */
};

/* How the reader wants PC_to_RDR_Secure. A number that may well be 0 is kept plus 1: 0 means "as it was asked for". */
struct pin_rules {
	uint8_t min, max;              /* digits; max 0: not known */
	uint8_t conditions;            /* bEntryValidationCondition: bits that it takes; 0: all of 07h */
	uint32_t verify_messages_1;    /* bNumberMessage plus 1, whatever was asked for */
	uint32_t modify_messages_1;    /* the same for a modification */
	uint32_t modify_no_messages_1; /* the same, where 0 was asked for */
	bool three_indexes;            /* modification: all three bMsgIndex, whatever bNumberMessage says */
	bool zero_indexes;             /* modification: all bMsgIndex 00 */
	bool swap_limits;              /* verification: minimum and maximum change places */
	bool plain_block;  /* bmPINBlockString and bmPINLengthFormat 00 with a template without data */
	bool plain_bcd;    /* a BCD format is 01h, without position and unit */
	bool fixed_length; /* the template must have the whole PIN block */
	uint8_t lc;        /* enum pin_lc */
	uint8_t timeout_s; /* bTimeOut instead of 0 */
	struct ccid_bytes
		escape;         /* sent before Secure with a template without data and bmPINBlockString 00 */
	uint32_t pause_ms;      /* let pass before Secure */
	uint8_t refused_error;  /* bError that means 6B80: the request is one that the reader does not take */
	uint8_t mismatch_error; /* bError that means 6402: the two new PINs differ */
};

struct ccid_caps {
	enum ccid_level level;
	uint32_t features;   /* enum ccid_feature, contradictions resolved */
	unsigned slots;      /* 1..256 */
	unsigned busy_slots; /* 1..slots */
	uint8_t voltages;    /* bits as bVoltageSupport; never 0 */
	bool t0, t1;         /* protocols the reader speaks */
	uint32_t clock_khz;  /* default clock; never 0 */
	uint32_t max_rate;   /* fastest data rate in bps; 0 = only the default rate */
	uint8_t num_rates; /* entries that GET_DATA_RATES promises; 0: every rate up to the fastest will do */
	uint32_t max_message; /* longest CCID message in bytes incl. the 10 of its header: 64..65554 */
	uint8_t max_ifsd;     /* 1..254 */
	uint8_t class_get_response, class_envelope;
	uint8_t pin_support; /* bPINSupport: bit 0 verify, bit 1 modify */
	uint8_t lcd_lines, lcd_columns;

	/* ---- the speed and the protocol */
	uint32_t other_slots_rate; /* fastest data rate of slots 1 and up, bps; 0: as slot 0 */
	bool no_pps;               /* neither PPS nor another protocol than the card's first one */
	bool no_ifsd;              /* S(IFS request) does harm */
	bool ignore_parameters;    /* T=1: go on where SetParameters is refused */
	bool no_full_packets; /* character level: an answer that ends on a full packet of 64 bytes is lost */

	/* ---- opening and power */
	bool resync_at_open;        /* ABORT before the first command: sequence numbers may be out of step */
	uint32_t power_off_at_open; /* so many IccPowerOff at most, until one succeeds */
	uint32_t open_pause_ms;     /* let pass before the first command, and after power_off_at_open */
	struct ccid_bytes open_escape;     /* sent once at open; a refusal is fine */
	bool load_prompts;                 /* the display has no texts: bring them */
	bool ask_features;                 /* an Escape command tells limits of the keypad */
	struct ccid_bytes firmware_escape; /* brings the firmware's name */
	bool power_off_first;              /* IccPowerOff before every IccPowerOn */
	struct ccid_bytes leave_emv; /* Escape command that helps where IccPowerOn fails with bError BBh */
	bool clear_interrupt;        /* clear a halt of the interrupt endpoint after power-on */

	/* ---- presence */
	bool no_interrupt;      /* leave the interrupt endpoint alone */
	bool presence_by_event; /* after the first look believe the notifications, not GetSlotStatus */
	uint32_t
		undetected_1; /* number plus 1 of the first slot that cannot see whether there is a card; 0: all can */

	/* ---- time */
	uint32_t extra_wait_s;   /* on top of what a card may take for a command */
	uint32_t write_pause_ms; /* between the packets of a command */

	/* ---- what applications may ask for */
	uint8_t escape;                   /* enum permission */
	struct ccid_bytes escape_allowed; /* an Escape command that is permitted to everybody */
	bool mct;                         /* takes MCT_READER_DIRECT commands as Escape commands */
	bool reader_info;                 /* the driver answers the pseudo APDUs FF 9A 01 .. */

	/* ---- the keypad */
	enum pinpad pinpad;
	struct pin_rules pin;

	/* ---- the firmware */
	uint32_t firmware; /* bcdDevice, for the log */
	uint32_t
		fixed_in; /* that of the first one without the fault that a rule is there for; 0: none known */
	const char *fault; /* the reason of that rule: static text, or NULL */
};

#endif
