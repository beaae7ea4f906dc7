/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of each message may be shown: every command that carries a secret, at every level, in any pieces. */
#include "redact_bench.h"

enum { MOST = 70000 };

/* One message: '>' a command, '<' its answer; the payload in hexadecimal, with a '|' where the secret begins. */
struct step {
	uint8_t type;
	uint8_t specific[3];
	const char *payload;
};

#define END                    \
	{                      \
		0, { 0 }, NULL \
	}
#define STEPS(...)               \
	(const struct step[])    \
	{                        \
		__VA_ARGS__, END \
	}
#define X(payload)                   \
	{                            \
		0x6F, { 0 }, payload \
	}
#define PART(level, payload)                   \
	{                                      \
		0x6F, { 0, level, 0 }, payload \
	}
#define A(payload)                   \
	{                            \
		0x80, { 0 }, payload \
	}
#define FAILS                               \
	{                                   \
		0x80, { 0x40, 0xFE, 0 }, "" \
	}
#define MORE_TIME                        \
	{                                \
		0x80, { 0x80, 1, 0 }, "" \
	}
#define ON(atr) { 0x62, { 0 }, "" }, A(atr)
#define SET(t, structure)                    \
	{ 0x61, { t, 0, 0 }, structure },    \
	{                                    \
		0x82, { 0, 0, t }, structure \
	}
#define SKIPPED                 \
	{                       \
		0xEE, { 0 }, "" \
	} /* a command that was not recorded, with its answer */
#define ATR_T0   "3B 65 00 00 4F 43 49 44 31"
#define ATR_T1   "3B 95 80 81 31 FE 4F 43 49 44 31 5A"
#define ATR_BOTH "3B 95 80 80 81 31 FE 4F 43 49 44 31 DA"
#define T0_ON    ON(ATR_T0), SET(0, "11 00 00 0A 00")
#define T1_ON    ON(ATR_T1), SET(1, "11 10 00 45 00 FE 00")
/* I-blocks: the second half of the name is N(S), and M where the chain goes on */
#define CARD_I0 A("00 00 02 90 00 92")
#define CARD_I1 A("00 40 02 90 00 D2")
#define CARD_R0 A("00 80 00 80")
#define CARD_R1 A("00 90 00 90")

static const struct row {
	const char *name;
	unsigned levels;
	const struct step *steps;
} rows[] = {
	/* ---- APDUs ---- */
	{ "VERIFY", REDACT_LEVEL(CCID_SHORT_APDU),
	  STEPS(T0_ON, X("00 20 00 81 04|31 32 33 34"), A("90 00")) },
	{ "VERIFY, case 4", REDACT_LEVEL(CCID_SHORT_APDU), STEPS(T0_ON, X("00 20 00 81 04|31 32 33 34 00")) },
	{ "VERIFY asks for the state", REDACT_LEVEL(CCID_SHORT_APDU),
	  STEPS(T0_ON, X("00 20 00 81"), A("63 C3")) },
	{ "SELECT is shown, and its answer", REDACT_LEVEL(CCID_SHORT_APDU),
	  STEPS(T0_ON, X("00 A4 04 00 02 A0 00 00"), A("6F 00 90 00")) },
	{ "extended VERIFY", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, X("00 20 00 81 00|00 04 31 32 33 34"), A("90 00")) },
	{ "what is no APDU", REDACT_LEVEL(CCID_SHORT_APDU), STEPS(T0_ON, X("|00 A4 04 00 05 31 32 33")) },
	{ "three bytes", REDACT_LEVEL(CCID_SHORT_APDU), STEPS(T0_ON, X("|31 32 33")) },
	{ "no card was seen: an APDU stands for itself", REDACT_LEVEL(CCID_SHORT_APDU),
	  STEPS(X("00 20 00 81 01|31"), A("90 00"), X("00 A4 00 00 02 3F 00")) },

	/* ---- extended APDUs in parts ---- */
	{ "in parts", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, PART(1, "00 20 00 81 00|00 06 31"), A(""), PART(3, "|32 33"), A(""),
		PART(2, "|34 35 36"), A("90 00"), X("00 B0 00 00 00")) },
	{ "the header in parts", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, PART(1, "00"), A(""), PART(3, "20 00"), A(""), PART(3, "81"), A(""),
		PART(2, "01|31")) },
	{ "a harmless one in parts, and a VERIFY behind it", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, PART(1, "00 D6 00 00 00 00 04 20"), A(""), PART(2, "20 20 20"), A("90 00"),
		X("00 20 00 81 01|31")) },
	{ "the beginning is not known", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(PART(3, "|00 A4 00 00"), A(""), PART(2, "|00 A4 00"), A(""), X("00 A4 00 00 02 3F 00")) },
	{ "a part of nothing", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, X("00 A4 00 00 02 3F 00"), A("90 00"), PART(2, "|31")) },
	{ "a part was not recorded", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, PART(1, "00 D6 00 00 00"), SKIPPED, PART(2, "|31 32")) },
	{ "an answer in parts", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, X("00 B0 00 00 00"), A("01 02"), PART(0x10, ""), A("03 90 00"), PART(0x10, "|31")) },
	{ "wLevelParameter that means nothing", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, PART(7, "|00 A4 00 00")) },

	/* ---- T=0 TPDUs ---- */
	{ "T=0: VERIFY", REDACT_LEVEL(CCID_TPDU), STEPS(T0_ON, X("00 20 00 81 04|31 32 33 34"), A("90 00")) },
	{ "T=0: header alone", REDACT_LEVEL(CCID_TPDU), STEPS(T0_ON, X("00 20 00 81 00"), A("63 C3")) },
	{ "T=0: READ and GET RESPONSE", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, X("00 B0 00 00 02"), A("31 32 90 00"), X("00 C0 00 00 02"), A("31 32 90 00")) },
	{ "T=0: the length does not fit", REDACT_LEVEL(CCID_TPDU), STEPS(T0_ON, X("|00 A4 00 00 02 3F")) },
	{ "PPS", REDACT_LEVEL(CCID_TPDU),
	  STEPS(ON(ATR_BOTH), X("FF 11 96 78"), A("FF 11 96 78"), SET(1, "96 10 00 45 00 FE 00"),
		X("00 00 05 00 A4 00 00 00 A1")) },
	{ "PPS comes first or not at all", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, X("00 B0 00 00 01"), A("01 90 00"), X("|FF 01 FE"), X("FF 20 00 00 01|31")) },
	{ "T=0: ENVELOPE", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, X("00 C2 00 00 08 00 D6 00 00 00 00 03 20"), A("90 00"), X("00 C2 00 00 02 03 04"),
		A("90 00"), X("00 C2 00 00 08 00 20 00 81 00|00 02 31"), A("90 00"),
		X("00 C2 00 00 02|00 32"), A("90 00"), X("00 C0 00 00 02"), A("61 00"),
		X("00 C2 00 00 02|00 A4"), A("90 00"), X("00 B0 00 00 01"), A("01 90 00"),
		X("00 C2 00 00 02 00 A4")) },
	{ "T=0: ENVELOPE of one byte", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, X("00 C2 00 00 01 00"), A("90 00"), X("00 C2 00 00 06|20 00 81 01 31 00")) },
	{ "T=0: ENVELOPE, chained by its class", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, X("10 C2 00 00 06 00 20 00 81 01|31"), A("90 00"), X("00 C2 00 00 01|32")) },
	{ "T=0: ENVELOPE in ENVELOPE", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, X("00 C2 00 00 06 00 C2 00 00 01|31")) },
	{ "ENVELOPE with Le behind a part of one byte", REDACT_LEVEL(CCID_SHORT_APDU),
	  STEPS(T0_ON, X("00 C2 00 00 01 00|00"), A("90 00"), X("00 C2 00 00 06|20 00 81 01 31 00")) },
	{ "ENVELOPE of extended length", REDACT_LEVEL(CCID_EXTENDED_APDU),
	  STEPS(T0_ON, X("00 C2 00 00 00 00 08 00 20 00 81 03|31 32 33 00 00"), A("90 00")) },
	{ "ENVELOPE in a recording that begins with it", REDACT_LEVEL(CCID_TPDU),
	  STEPS(X("00 C2 00 00 06|00 A4 00 00 01 31"), A("90 00"), X("00 A4 00 00 02 3F 00")) },

	/* ---- T=0, character level ---- */
	{ "characters: header and data apart", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 20 00 81 04"), A("20"), PART(1, "|31 32 33 34"), A("90"), PART(1, ""),
		A("00"), PART(1, "00 A4 00 00 02"), A("A4"), PART(1, "3F 00"), A("90 00")) },
	{ "characters: one by one", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 20 00 81 02"), A("DF"), PART(1, "|31"), A("60"), PART(1, ""), A("DF"),
		PART(1, "|32"), A("90 00"), PART(1, "00 B0 00 00 01"), A("B0"), PART(1, ""), A("31"),
		PART(1, ""), A("90 00")) },
	{ "characters: a PIN of five that looks like a header", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 20 00 81 08"), A("20"), PART(1, "|00 B0 00 00 05"), A("20"),
		PART(1, "|31 32 33"), A("90 00"), PART(1, "00 B0 00 00 05")) },
	{ "characters: more data than there is", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 20 00 81 01"), A("20"), PART(1, "|31"), A("20"), PART(1, "|32 33")) },
	{ "characters: refused, then another command", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 20 00 81 04"), A("69 83"), PART(1, "00 A4 00 00 02"), A("A4"),
		PART(1, "3F 00")) },
	{ "characters: given up, then another command", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 20 00 81 09"), FAILS, PART(1, "|00 A4 00 00 02"), A("A4"),
		PART(1, "|3F 00"), A("90 00"), PART(1, "00 20 00 81 09"), FAILS, PART(1, "|00 24 00 81 02"),
		A("24"), PART(1, "|31 32"), A("90 00"), PART(1, "00 B0 00 00 01")) },
	{ "characters: data where a header is due", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "|31 32")) },
	{ "characters: the header was not recorded", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 B0 00 00 01"), A("B0"), PART(1, ""), A("31 90 00"), SKIPPED,
		PART(1, "|31 32 33 34"), A("90 00"), PART(1, "00 B0 00 00 01")) },
	{ "characters: ENVELOPE is not looked into", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 C2 00 00 02"), A("C2"), PART(1, "|00 A4"), A("90 00")) },
	{ "characters: T=1, the answer in two pieces", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T1_ON, PART(3, "00 00 06 00 20 00 81 01|31 B7"), A("00 00 02"), PART(3, ""), A("90 00 92"),
		PART(3, "00 40 04 00 A4 00 00 E0"), A("00 40 02"), PART(3, ""), A("90 00 D2"),
		PART(3, "00 00 06 00 20 00 81 01|31 B7")) },

	/* ---- T=1 ---- */
	{ "characters: T=1, the rest of a block looks like one", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T1_ON, PART(3, "00 20 05 00 A4 00 00 02 12 34"), A("00 C3 01"), PART(3, ""), A("03 12 34"),
		PART(3, "00 E3 01 03 12 34"), A("00 90 00"), PART(2, ""), A("12 34"),
		PART(3, "00 40 02 3F 00 12 34")) },
	{ "characters: given up, then another PIN", REDACT_LEVEL(CCID_CHARACTER),
	  STEPS(T0_ON, PART(1, "00 20 00 81 05"), FAILS, PART(1, "|00 24 00 81 05"), A("24"),
		PART(1, "|31 32 33 34 35"), A("90 00"), PART(1, "00 A4 00 00 02"), A("60"), PART(1, ""),
		A("A4"), PART(1, "3F 00")) },
	{ "T=1: one block", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 06 00 20 00 81 01|31 96"), CARD_I0, X("00 40 04 00 A4 00 00 E0"), CARD_I1,
		X("00 00 06 00 20 00 81 01|31 96")) },
	{ "T=1: CRC", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 06 00 20 00 81 01|31 12 34"), A("00 00 02 90 00 12 34"),
		X("00 40 04 00 A4 00 00 12 34")) },
	{ "T=1: header in one block, PIN in the next", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 20 00 81 02 86"), CARD_R1, X("00 40 02|31 32 41"), CARD_I0) },
	{ "T=1: the header in two blocks", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 01 00 21"), CARD_R1, X("00 60 03 20 00 81 C2"), CARD_R0,
		X("00 00 03 02|31 32 00"), CARD_I0) },
	{ "T=1: retransmissions, R- and S-blocks in between", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 06 00 20 00 81 02|31 B4"), FAILS, X("00 80 00 80"), CARD_R0,
		X("00 20 06 00 20 00 81 02|31 B4"), CARD_R1, X("00 40 01|32 73"), A("00 C3 01 03 C1"),
		X("00 E3 01 03 E1"), CARD_R1, X("00 40 01|32 73"), A("00 C1 01 20 E0"), X("00 E1 01 20 C0"),
		CARD_I0, X("00 00 04 00 A4 00 00 A0"), CARD_I1) },
	{ "T=1: retransmission of a harmless block", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 A4 00 00 02 83"), CARD_R1, X("00 40 02 3F 00 7D"), CARD_R1,
		X("00 40 02 3F 00 7D"), CARD_I0) },
	{ "T=1: time extensions are no answers", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 20 00 81 02 86"), MORE_TIME, CARD_R1, X("00 40 02|31 32 41"), MORE_TIME,
		CARD_I0) },
	{ "T=1: an answer in a chain", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 05 00 B0 00 00 00 B5"), A("00 20 01 41 60"), X("00 90 00 90"),
		A("00 40 02 90 00 D2"), X("00 40 06 00 20 00 81 01|31 D6")) },
	{ "T=1: RESYNCH, and the command again", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 A4 00 00 02 83"), FAILS, X("00 C0 00 C0"), A("00 E0 00 E0"),
		X("00 20 05 00 20 00 81 02 86"), CARD_R1, X("00 40 02|31 32 41")) },
	{ "T=1: RESYNCH without an answer", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 04 00 A4 00 00 A0"), FAILS, X("00 C0 00 C0"), FAILS,
		X("00 40 04|00 A4 00 00 E0")) },
	{ "T=1: RESYNCH in a chain, and another command", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 A4 00 00 08 89"), CARD_R1, X("00 60 02 3F 00 5D"), FAILS,
		X("00 C0 00 C0"), A("00 E0 00 E0"), X("00 00 06 00 20 00 81 01|31 96")) },
	{ "T=1: the host aborts a chain", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 A4 00 00 02 83"), CARD_R1, X("00 C2 00 C2"), FAILS,
		X("00 40 05|00 B0 00 00 00 F5"), CARD_I0, X("00 00 05 00 B0 00 00 00 B5")) },
	{ "T=1: bytes in a time extension are no block", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 A4 00 00 02 83"), { 0x80, { 0x80, 1, 0 }, "00 00 02 90 00 92" },
		CARD_R1, X("00 40 02 3F 00 7D")) },
	{ "T=1: an aborted chain", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 A4 00 00 02 83"), A("00 C2 00 C2"), X("00 E2 00 E2"), CARD_R1,
		X("00 40 05|00 B0 00 00 00 F5"), CARD_I0, X("00 00 05 00 B0 00 00 00 B5")) },
	{ "T=1: the card answers in the middle of a chain", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 05 00 A4 00 00 02 83"), CARD_I0, X("00 40 02|31 32 41")) },
	{ "T=1: the next command without an answer to this one", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 04 00 A4 00 00 A0"), FAILS, X("00 40 04|00 A4 00 00 E0"), CARD_I0,
		X("00 00 04 00 A4 00 00 A0")) },
	{ "T=1: a number that was answered already", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 04 00 A4 00 00 A0"), CARD_I0, X("00 00 04|00 A4 00 00 A0")) },
	{ "T=1: the recording begins in the middle", REDACT_LEVEL(CCID_TPDU),
	  STEPS(SET(1, "11 10 00 45 00 FE 00"), X("00 40 02|31 32 41"), CARD_I0,
		X("00 00 04 00 A4 00 00 A0")) },
	{ "T=1: the block with the header was not recorded", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 04 00 A4 00 00 A0"), CARD_I0, SKIPPED, X("00 00 02|31 32 01"), CARD_I1,
		X("00 40 04 00 A4 00 00 E0")) },
	{ "T=1: its answer was not recorded", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 04 00 A4 00 00 A0"), X("00 40 02|31 32 41")) },
	{ "T=1: a block that is none", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("|00 00 09 00 A4 00 00 A0"), X("|31 32"), X("|00 80 02 31 32 00")) },
	{ "T=1: bare status bytes of a reader are no answer", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 04 00 A4 00 00 A0"), A("64 00"), X("00 40 04|00 A4 00 00 E0")) },
	{ "T=1: ENVELOPE", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 20 07 00 C2 00 00 06 00 20 06"), CARD_R1, X("00 40 04 00 81 01|31 75"), CARD_I0,
		X("00 00 06 00 C2 00 00 01|32 F7")) },

	/* ---- which protocol ---- */
	{ "both protocols: either reading counts", REDACT_LEVEL(CCID_TPDU),
	  STEPS(ON(ATR_BOTH), X("00 00 06 00 20 00 81 01|31 96"), CARD_I0, X("00 20 00 81 01|31")) },
	{ "only T=1 is offered", REDACT_LEVEL(CCID_TPDU), STEPS(ON(ATR_T1), X("|00 A4 00 00 01 31")) },
	{ "only T=0 is offered", REDACT_LEVEL(CCID_TPDU), STEPS(ON(ATR_T0), X("|00 00 04 00 A4 00 00 A0")) },
	{ "an ATR that is cut short", REDACT_LEVEL(CCID_TPDU),
	  STEPS(ON("3B 95 80"), X("00 A4 00 00 01 31"), A("90 00"), X("00 00 04 00 A4 00 00 A0")) },

	/* ---- a level that nobody knows ---- */
	{ "any level: T=0 TPDU or APDU", REDACT_ANY_LEVEL,
	  STEPS(T0_ON, X("00 20 00 81 01|31"), A("90 00"), X("00 A4 00 00 02 3F 00")) },
	{ "any level: T=1 block", REDACT_ANY_LEVEL,
	  STEPS(T1_ON, X("00 00 06 00 20 00 81 01|31 96"), CARD_I0, X("00 40 04 00 A4 00 00 E0")) },
	{ "any level: extended APDU", REDACT_ANY_LEVEL, STEPS(T1_ON, X("00 20 00 81 00|00 01 31")) },
	{ "any level: in parts, which may be characters", REDACT_ANY_LEVEL,
	  STEPS(T0_ON, PART(1, "|00 20 00 81 00 00 01 31")) },
	{ "any level: characters", REDACT_ANY_LEVEL,
	  STEPS(T0_ON, PART(1, "00 20 00 81 05"), A("20"), PART(1, "|31 32 33 34 35"), A("90 00")) },
	{ "any level: characters, the header was not recorded", REDACT_ANY_LEVEL,
	  STEPS(T0_ON, SKIPPED, PART(1, "|31 32 33 34 35")) },

	/* ---- PINs that are typed at the reader ---- */
	{ "Secure: verify", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON,
		{ 0x69, { 0 }, "00 00 82 08 00 08 04 02 01 09 04 00 00 00 00 00 20 00 01 04|31 32 33 34" },
		A("90 00")) },
	{ "Secure: a header alone", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x69, { 0 }, "00 00 82 08 00 08 04 02 01 09 04 00 00 00 00 00 20 00 01" }) },
	{ "Secure: a header with Lc 00", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x69, { 0 }, "00 00 82 08 00 08 04 02 01 09 04 00 00 00 00 00 20 00 01 00" }) },
	{ "Secure: modify, one index", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x69,
			 { 0 },
			 "01 00 82 08 00 00 04 08 04 01 02 00 09 04 00 00 00 00 00 24 00 01 08|31 32 33 34 "
			 "35 36 37 38" }) },
	{ "Secure: modify, two", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x69,
			 { 0 },
			 "01 00 82 08 00 00 04 08 04 01 02 01 09 04 00 01 00 00 00 00 24 00 01 02|31 32" }) },
	{ "Secure: modify, three", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON,
		{ 0x69,
		  { 0 },
		  "01 00 82 08 00 00 04 08 04 01 02 03 09 04 00 01 02 00 00 00 00 24 00 01 02|31 32" }) },
	{ "Secure: the template is no command", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x69, { 0 }, "00 00 82 08 00 08 04 02 01 09 04 00 00 00 00|31 32 33 34 35 36" }) },
	{ "Secure: cut off before it", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x69, { 0 }, "00 00 82 08" }) },
	{ "Secure: another operation", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x69, { 0 }, "02|31 32 33 34" }) },
	{ "Secure at T=1 takes an I-block", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T1_ON, X("00 00 04 00 A4 00 00 A0"), CARD_I0,
		{ 0x69, { 0 }, "00 00 82 08 00 08 04 02 01 09 04 00 00 40 05 00 20 00 01 01|FF" }, CARD_I1,
		X("00 00 04 00 A4 00 00 A0")) },

	/* ---- other messages ---- */
	{ "Escape and its answer", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x6B, { 0 }, "|31 32" }, { 0x83, { 0 }, "|31 32" }) },
	{ "what nobody knows", REDACT_LEVEL(CCID_TPDU),
	  STEPS(T0_ON, { 0x60, { 0 }, "|31" }, { 0x8F, { 0 }, "|31" }) },
	{ "rates", REDACT_LEVEL(CCID_TPDU),
	  STEPS({ 0x73, { 0 }, "A0 0F 00 00 80 25 00 00" }, { 0x84, { 0 }, "A0 0F 00 00 80 25 00 00" }) },
};

/* ---- playing a row ----------------------------------------------------------------------------------------------- */

static size_t put_hex(uint8_t *out, const char *text, size_t *secret)
{
	size_t n = 0;

	*secret = SIZE_MAX;
	while (*text) {
		if (*text == '|')
			*secret = n;
		if (*text == '|' || *text == ' ') {
			text++;
			continue;
		}
		out[n++] = (uint8_t)strtoul((const char[]){ text[0], text[1], 0 }, NULL, 16);
		text += 2;
	}
	if (*secret == SIZE_MAX)
		*secret = n;
	return n;
}

static void play(const struct row *row)
{
	struct redact r;
	uint8_t seq = 0xF8;

	redact_begin(&r, row->levels);
	for (const struct step *s = row->steps; s->payload; s++) {
		char name[200];
		uint8_t bytes[64];
		size_t secret;
		const size_t len = put_hex(bytes, s->payload, &secret);

		seq = (uint8_t)(seq + !(s->type & 0x80) + (s->type == 0xEE));
		if (s->type == 0xEE)
			continue;
		snprintf(name, sizeof name, "%s: step %d (%02X %s)", row->name, (int)(s - row->steps),
			 s->type, s->payload);
		CHECK_INT(name, show(&r, s->type, seq, s->specific, bytes, len), secret);
	}
}

static void messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		play(&rows[i]);
	check_done();
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

/* Of every class: channels, chaining, secure messaging, proprietary ones. FFh is the reader's, and knows only what is harmless. */
static void commands(void **state)
{
	(void)state;
	for (unsigned cla = 0; cla < 256; cla++)
		for (unsigned ins = 0; ins < 256; ins++) {
			const uint8_t apdu[] = { (uint8_t)cla, (uint8_t)ins, 0, 0, 4, 1, 2, 3, 4 };
			static const uint8_t harmless[] = { 0x86, 0x88, 0x9A, 0xB0, 0xCA };
			const bool secret = cla == 0xFF ? !memchr(harmless, (int)ins, sizeof harmless)
							: !!memchr(secret_ins, (int)ins, sizeof secret_ins);
			struct redact_apdu a = { 0 };
			char name[32];

			snprintf(name, sizeof name, "%02X %02X", cla, ins);
			CHECK_INT(name, redact_command(&a, apdu, sizeof apdu), secret ? 5 : sizeof apdu);
		}
	check_done();
}

/* Wherever it is cut, the same bytes are shown. */
static void pieces(void **state)
{
	const uint8_t apdu[] = { 0x10, 0xDB, 0x3F, 0xFF, 0, 0, 4, 1, 2, 3, 4 };
	const uint8_t envelope[] = { 0x00, 0xC2, 0, 0, 0, 0, 8, 0x80, 0xD8, 0, 0, 3, 1, 2, 3, 0, 0 };
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len, shown;
	} whole[] = { { "PUT DATA", apdu, sizeof apdu, 5 }, { "ENVELOPE", envelope, sizeof envelope, 12 } };

	(void)state;
	for (size_t i = 0; i < COUNT(whole); i++)
		for (size_t a = 0; a <= whole[i].len; a++)
			for (size_t b = a; b <= whole[i].len; b++) {
				const size_t at[] = { 0, a, b, whole[i].len };
				struct redact_apdu r = { 0 };

				for (unsigned k = 0; k < 3; k++) {
					const size_t want = whole[i].shown < at[k] ? 0
							    : whole[i].shown > at[k + 1]
								    ? at[k + 1] - at[k]
								    : whole[i].shown - at[k];
					/* Le behind the data may be shown where it comes alone. */
					if (at[k] > whole[i].len - 3)
						continue;
					CHECK_INT(whole[i].name,
						  redact_apdu_feed(&r, whole[i].bytes + at[k],
								   at[k + 1] - at[k]),
						  want);
				}
			}
	check_done();
}

/* ---- messages that are none -------------------------------------------------------------------------------------- */

static void lengths(void **state)
{
	static const uint8_t verify[] = { 0x6F, 6,    0,    0, 0, 0, 1,    0,    0,
					  0,    0x00, 0x20, 0, 0, 1, 0x31, 0x31, 0x31 };
	static const uint8_t select[] = { 0x6F, 5,    0,    0, 0, 0, 1,    0,    0,
					  0,    0x00, 0xA4, 0, 0, 0, 0x31, 0x31, 0x31 };
	static const uint8_t begins[] = { 0x6F, 1, 0, 0, 0, 0, 2, 0, 1, 0, 0x00 };
	static const uint8_t cut[] = { 0x6F, 7, 0, 0, 0, 0, 3, 0, 3, 0, 0x20, 0, 0 };
	static const uint8_t ends[] = { 0x6F, 5, 0, 0, 0, 0, 4, 0, 2, 0, 0x31, 0x32, 0x33, 0x34, 0x35 };
	static const uint8_t answer[] = { 0x80, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0x90, 0, 0x31, 0x31 };
	struct redact r;

	(void)state;
	redact_begin(&r, REDACT_LEVEL(CCID_SHORT_APDU));
	for (size_t len = 0; len <= sizeof verify; len++)
		CHECK_INT("VERIFY", redact_message(&r, verify, len), len < 10 ? 0 : len < 16 ? 10 : 15);
	for (size_t len = 0; len <= sizeof select; len++)
		CHECK_INT("SELECT", redact_message(&r, select, len), len < 10 ? 0 : len < 15 ? 10 : 15);
	redact_begin(&r, REDACT_LEVEL(CCID_EXTENDED_APDU));
	CHECK_INT("begins", redact_message(&r, begins, sizeof begins), 11);
	CHECK_INT("a part that is cut short", redact_message(&r, cut, sizeof cut), 10);
	CHECK_INT("ends", redact_message(&r, ends, sizeof ends), 10);
	for (size_t len = 0; len <= sizeof answer; len++)
		CHECK_INT("answer", redact_message(&r, answer, len), len < 10 ? 0 : len < 12 ? 10 : 12);
	check_done();
}

static void slots(void **state)
{
	uint8_t select[] = { 0x6F, 5, 0, 0, 0, 0, 1, 0, 0, 0, 0x00, 0xA4, 0, 0, 0 };
	struct redact r;

	(void)state;
	redact_begin(&r, REDACT_LEVEL(CCID_SHORT_APDU));
	for (unsigned slot = 0; slot < 256; slot++) {
		select[5] = (uint8_t)slot;
		CHECK_INT("SELECT", redact_message(&r, select, sizeof select), slot < REDACT_SLOTS ? 15 : 10);
		select[0] = 0x80;
		CHECK_INT("answer", redact_message(&r, select, sizeof select), slot < REDACT_SLOTS ? 15 : 10);
		select[0] = 0x6F;
	}
	check_done();
}

/* ABORT has a number of its own; a driver may count per slot. The last one is a gap, so the chain is not known any more. */
static void numbers(void **state)
{
	static const struct {
		const char *name;
		uint8_t type, slot, seq;
		const char *payload;
	} steps[] = {
		{ "power on", 0x62, 0, 9, "" },
		{ "ATR", 0x80, 0, 9, ATR_T1 },
		{ "another slot", 0x65, 1, 1, "" },
		{ "begins a chain", 0x6F, 0, 10, "00 20 04 00 D6 00 00 F2" },
		{ "R", 0x80, 0, 10, "00 90 00 90" },
		{ "another slot", 0x65, 1, 2, "" },
		{ "ABORT", 0x72, 0, 0x90, "" },
		{ "an answer to something else", 0x80, 0, 0x90, "00 00 02 90 00 92" },
		{ "goes on", 0x6F, 0, 11, "00 60 01 02 63" },
		{ "R", 0x80, 0, 11, "00 80 00 80" },
		{ "as the reader counts", 0x6F, 0, 12, "00 20 01 02 23" },
		{ "R", 0x80, 0, 12, "00 90 00 90" },
		{ "a gap", 0x6F, 0, 14, "00 40 01|02 43" },
	};
	struct redact r;

	(void)state;
	redact_begin(&r, REDACT_LEVEL(CCID_TPDU));
	for (size_t i = 0; i < COUNT(steps); i++) {
		uint8_t msg[64] = { steps[i].type, 0, 0, 0, 0, steps[i].slot, steps[i].seq };
		size_t secret;
		const size_t len = put_hex(msg + 10, steps[i].payload, &secret);

		msg[1] = (uint8_t)len;
		CHECK_INT(steps[i].name, redact_message(&r, msg, 10 + len), 10 + secret);
	}
	check_done();
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void text(void **state)
{
	static const struct {
		size_t len, shown;
		const char *want;
	} texts[] = {
		{ 0, 0, "" },
		{ 3, 3, " 00 01 02" },
		{ 3, 2, " 00 01 **" },
		{ 3, 0, " ** ** **" },
	};
	static uint8_t bytes[MOST];
	char out[REDACT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < COUNT(texts); i++)
		CHECK_STRING("short", redact_text(out, bytes, texts[i].len, texts[i].shown), texts[i].want);
	CHECK_INT("88 bytes", strlen(redact_text(out, bytes, 88, 88)), 3 * 88);
	redact_text(out, bytes, 89, 89);
	CHECK_INT("89 bytes", strlen(out), 3 * 88 + strlen(" .. (1 bytes) .."));
	CHECK("the count", strstr(out, " 3E 3F .. (1 bytes) .. 41 42 ") != NULL);
	redact_text(out, bytes, MOST, 65);
	CHECK("the end is secret", strstr(out, " 3F .. (69912 bytes) .. ** **") != NULL);
	CHECK("no more", strlen(out) < REDACT_TEXT_MAX);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages), cmocka_unit_test(commands), cmocka_unit_test(pieces),
		cmocka_unit_test(lengths),  cmocka_unit_test(slots),    cmocka_unit_test(numbers),

		cmocka_unit_test(text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
