/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=0: one APDU as TPDUs (ISO/IEC 7816-3:2006, 12.2), each rule a conversation in one row. */
#include "tpdu/t0.h"
#include "check.h"

/*
 * A conversation is a text: "> hex" the TPDU that must come, "< hex" what the reader hands over for it, "! " the reader
 * refused it (F6h), "x" silence. "n*hh" is the byte hh n times. The outcome: the answer, or the error.
 */
struct row {
	const char *name, *apdu, *talk;
	enum oc_err err;
	const char *answer;
	size_t cap; /* room for the answer; 0 = more than any row needs */
};

enum { ROW_MAX = 1024 };

static size_t from_hex(const char **text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	const char *p = *text;

	while (*p && *p != '>' && *p != '<' && *p != '!' && *p != 'x') {
		char *end;
		unsigned long value, times = 1;

		if (*p == ' ') {
			p++;
			continue;
		}
		value = strtoul(p, &end, 16);
		if (*end == '*') {
			times = strtoul(p, &end, 10);
			value = strtoul(end + 1, &end, 16);
		}
		assert_true(end > p && value < 256 && n + times <= cap);
		memset(out + n, (int)value, times);
		n += times;
		p = end;
	}
	*text = p;
	return n;
}

/* 255 data bytes are written as 255*AA. */
static const struct row pass_through[] = {
	{ "case 1: P3 00 or nothing is added", "00 44 00 00", ">00 44 00 00 00 <90 00", OC_OK, "90 00", 0 },
	{ "case 1: 61xx goes back", "00 44 00 00", ">00 44 00 00 00 <61 10", OC_OK, "61 10", 0 },
	{ "case 1: 6Cxx goes back", "00 44 00 00", ">00 44 00 00 00 <6C 10", OC_OK, "6C 10", 0 },
	{ "case 2S", "00 B0 00 00 02", ">00 B0 00 00 02 <AA BB 90 00", OC_OK, "AA BB 90 00", 0 },
	{ "case 2S: Le 00 is 256", "00 B0 00 00 00", ">00 B0 00 00 00 <256*AA 90 00", OC_OK, "256*AA 90 00",
	  0 },
	{ "case 2S: Le FF", "00 B0 00 00 FF", ">00 B0 00 00 FF <255*AA 90 00", OC_OK, "255*AA 90 00", 0 },
	{ "case 2S: 6Cxx goes back", "00 B0 00 00 00", ">00 B0 00 00 00 <6C 05", OC_OK, "6C 05", 0 },
	{ "case 2S: 61xx goes back", "00 B0 00 00 05", ">00 B0 00 00 05 <61 05", OC_OK, "61 05", 0 },
	{ "case 2S: data and 61xx", "00 B0 00 00 02", ">00 B0 00 00 02 <AA BB 61 05", OC_OK, "AA BB 61 05",
	  0 },
	{ "case 2S: an error status", "00 B0 00 00 02", ">00 B0 00 00 02 <6A 82", OC_OK, "6A 82", 0 },
	{ "case 2S: fewer bytes than Le", "00 B0 00 00 05", ">00 B0 00 00 05 <AA 62 82", OC_OK, "AA 62 82",
	  0 },
	{ "case 3S", "00 D6 00 00 02 01 02", ">00 D6 00 00 02 01 02 <90 00", OC_OK, "90 00", 0 },
	{ "case 3S: 61xx goes back", "00 A4 04 00 02 3F 00", ">00 A4 04 00 02 3F 00 <61 1A", OC_OK, "61 1A",
	  0 },
	{ "case 3S: 6Cxx goes back", "00 A4 04 00 02 3F 00", ">00 A4 04 00 02 3F 00 <6C 1A", OC_OK, "6C 1A",
	  0 },
	{ "case 3S: 9Fxx of GSM goes back", "A0 A4 00 00 02 3F 00", ">A0 A4 00 00 02 3F 00 <9F 16", OC_OK,
	  "9F 16", 0 },
	{ "case 3S: Lc 255", "00 D6 00 00 FF 255*07", ">00 D6 00 00 FF 255*07 <90 00", OC_OK, "90 00", 0 },
	{ "the application's own GET RESPONSE", "00 C0 00 00 1A", ">00 C0 00 00 1A <26*AA 90 00", OC_OK,
	  "26*AA 90 00", 0 },
	{ "the application's own GET RESPONSE sees 6Cxx", "00 C0 00 00 00", ">00 C0 00 00 00 <6C 1A", OC_OK,
	  "6C 1A", 0 },
	{ "odd INS is allowed", "00 B1 00 00 01", ">00 B1 00 00 01 <AA 90 00", OC_OK, "AA 90 00", 0 },
	{ "CLA FF is the reader's business", "FF CA 00 00 00", ">FF CA 00 00 00 <90 00", OC_OK, "90 00", 0 },
};

#define SELECT "00 A4 04 00 02 3F 00 "
#define SENT   ">00 A4 04 00 02 3F 00 "
static const struct row get_response[] = {
	{ "4S: Le is held back", SELECT "00", SENT "<90 00", OC_OK, "90 00", 0 },
	{ "4S: 61xx, all of it", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <AA BB 90 00", OC_OK,
	  "AA BB 90 00", 0 },
	{ "4S: min(XX, Ne) is XX", SELECT "05", SENT "<61 02 >00 C0 00 00 02 <AA BB 90 00", OC_OK,
	  "AA BB 90 00", 0 },
	{ "4S: min(XX, Ne) is Ne", SELECT "02", SENT "<61 05 >00 C0 00 00 02 <AA BB 90 00", OC_OK,
	  "AA BB 90 00", 0 },
	{ "4S: the card has more than Ne", SELECT "02", SENT "<61 05 >00 C0 00 00 02 <AA BB 61 03", OC_OK,
	  "AA BB 61 03", 0 },
	{ "4S: XX 00 is 256", SELECT "00", SENT "<61 00 >00 C0 00 00 00 <256*AA 90 00", OC_OK, "256*AA 90 00",
	  0 },
	{ "4S: XX 00, Ne FF", SELECT "FF", SENT "<61 00 >00 C0 00 00 FF <255*AA 61 01", OC_OK, "255*AA 61 01",
	  0 },
	{ "4S: XX FF, Ne 256", SELECT "00", SENT "<61 FF >00 C0 00 00 FF <255*AA 90 00", OC_OK,
	  "255*AA 90 00", 0 },
	{ "4S: chaining to the final status", SELECT "00",
	  SENT "<61 02 >00 C0 00 00 02 <AA BB 61 01 >00 C0 00 00 01 <CC 90 00", OC_OK, "AA BB CC 90 00", 0 },
	{ "4S: chaining to Ne", SELECT "03",
	  SENT "<61 02 >00 C0 00 00 02 <AA BB 61 05 >00 C0 00 00 01 <CC 61 04", OC_OK, "AA BB CC 61 04", 0 },
	{ "4S: chaining to 256", SELECT "00",
	  SENT "<61 80 >00 C0 00 00 80 <128*AA 61 00 >00 C0 00 00 80 <128*BB 61 10", OC_OK,
	  "128*AA 128*BB 61 10", 0 },
	{ "4S: 255 and then one of 256", SELECT "00",
	  SENT "<61 FF >00 C0 00 00 FF <255*AA 61 00 >00 C0 00 00 01 <BB 90 00", OC_OK, "255*AA BB 90 00",
	  0 },
	{ "4S: the card gives less than asked, then the rest", SELECT "00",
	  SENT "<61 04 >00 C0 00 00 04 <AA 61 03 >00 C0 00 00 03 <BB CC DD 90 00", OC_OK, "AA BB CC DD 90 00",
	  0 },
	{ "4S: 6Cxx on GET RESPONSE is repeated with XX", SELECT "00",
	  SENT "<61 10 >00 C0 00 00 10 <6C 02 >00 C0 00 00 02 <AA BB 90 00", OC_OK, "AA BB 90 00", 0 },
	{ "4S: a second 6Cxx ends it", SELECT "00",
	  SENT "<61 10 >00 C0 00 00 10 <6C 02 >00 C0 00 00 02 <6C 03", OC_OK, "6C 03", 0 },
	{ "4S: 6Cxx once per GET RESPONSE", SELECT "00",
	  SENT "<61 10 >00 C0 00 00 10 <6C 01 >00 C0 00 00 01 <AA 61 10 >00 C0 00 00 10 <6C 01 >00 C0 00 00 "
	       "01 <BB 90 00",
	  OC_OK, "AA BB 90 00", 0 },
	{ "4S: a second 6Cxx after data ends it with the data", SELECT "00",
	  SENT "<61 01 >00 C0 00 00 01 <AA 61 10 >00 C0 00 00 10 <6C 01 >00 C0 00 00 01 <6C 02", OC_OK,
	  "AA 6C 02", 0 },
	{ "4S: 6C00 on GET RESPONSE is 256", SELECT "00",
	  SENT "<61 10 >00 C0 00 00 10 <6C 00 >00 C0 00 00 00 <256*AA 90 00", OC_OK, "256*AA 90 00", 0 },
	{ "4S: 6Cxx to the command itself goes back", SELECT "00", SENT "<6C 02", OC_OK, "6C 02", 0 },
	{ "4S: error to the command", SELECT "00", SENT "<6A 82", OC_OK, "6A 82", 0 },
	{ "4S: warning to the command", SELECT "00", SENT "<62 83", OC_OK, "62 83", 0 },
	{ "4S: 63Cx to the command", SELECT "00", SENT "<63 C2", OC_OK, "63 C2", 0 },
	{ "4S: 9000 without 61xx is the end", SELECT "10", SENT "<90 00", OC_OK, "90 00", 0 },
	{ "4S: error to GET RESPONSE", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <6F 00", OC_OK, "6F 00", 0 },
	{ "4S: warning with data", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <AA BB 62 82", OC_OK,
	  "AA BB 62 82", 0 },
	{ "4S: 63xx with data", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <AA BB 63 00", OC_OK, "AA BB 63 00",
	  0 },
	{ "4S: error in the middle of the chain", SELECT "00",
	  SENT "<61 02 >00 C0 00 00 02 <AA BB 61 02 >00 C0 00 00 02 <6A 88", OC_OK, "AA BB 6A 88", 0 },
	{ "4S: empty answer 9000", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <90 00", OC_OK, "90 00", 0 },
	{ "4S: Lc 255", "00 A4 04 00 FF 255*07 00", ">00 A4 04 00 FF 255*07 <61 01 >00 C0 00 00 01 <AA 90 00",
	  OC_OK, "AA 90 00", 0 },
	{ "4S: channel 2 is kept", "02 A4 04 00 02 3F 00 00",
	  ">02 A4 04 00 02 3F 00 <61 01 >02 C0 00 00 01 <AA 90 00", OC_OK, "AA 90 00", 0 },
	{ "4S: secure messaging is not", "0C A4 04 00 02 3F 00 00",
	  ">0C A4 04 00 02 3F 00 <61 01 >00 C0 00 00 01 <AA 90 00", OC_OK, "AA 90 00", 0 },
	{ "4S: class A0 is kept", "A0 88 00 00 02 3F 00 00",
	  ">A0 88 00 00 02 3F 00 <61 01 >A0 C0 00 00 01 <AA 90 00", OC_OK, "AA 90 00", 0 },
};

static const struct row failures[] = {
	{ "no answer bytes at all", "00 44 00 00", ">00 44 00 00 00 <", OC_E_CARD, NULL, 0 },
	{ "one answer byte", "00 44 00 00", ">00 44 00 00 00 <90", OC_E_CARD, NULL, 0 },
	{ "one byte more than Le", "00 B0 00 00 02", ">00 B0 00 00 02 <AA BB CC 90 00", OC_E_CARD, NULL, 0 },
	{ "257 for 256", "00 B0 00 00 00", ">00 B0 00 00 00 <257*AA 90 00", OC_E_CARD, NULL, 300 },
	{ "data to case 1", "00 44 00 00", ">00 44 00 00 00 <AA 90 00", OC_E_CARD, NULL, 0 },
	{ "data to case 3S", "00 D6 00 00 02 01 02", ">00 D6 00 00 02 01 02 <AA 90 00", OC_E_CARD, NULL, 0 },
	{ "one byte to GET RESPONSE", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <90", OC_E_CARD, NULL, 0 },
	{ "nothing to GET RESPONSE", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <", OC_E_CARD, NULL, 0 },
	{ "GET RESPONSE gives more than asked", SELECT "00", SENT "<61 02 >00 C0 00 00 02 <AA BB CC 90 00",
	  OC_E_CARD, NULL, 0 },
	{ "room for SW only", "00 B0 00 00 02", ">00 B0 00 00 02 <AA BB 90 00", OC_E_SPACE, NULL, 2 },
	{ "one byte too little", "00 B0 00 00 02", ">00 B0 00 00 02 <AA BB 90 00", OC_E_SPACE, NULL, 3 },
	{ "exact room", "00 B0 00 00 02", ">00 B0 00 00 02 <AA BB 90 00", OC_OK, "AA BB 90 00", 4 },
	{ "SW alone fits two bytes", "00 B0 00 00 02", ">00 B0 00 00 02 <6A 82", OC_OK, "6A 82", 2 },
	{ "no room in the second part", SELECT "00",
	  SENT "<61 02 >00 C0 00 00 02 <AA BB 61 02 >00 C0 00 00 02 <CC DD 90 00", OC_E_SPACE, NULL, 5 },
	{ "exact room over two parts", SELECT "00",
	  SENT "<61 02 >00 C0 00 00 02 <AA BB 61 02 >00 C0 00 00 02 <CC DD 90 00", OC_OK, "AA BB CC DD 90 00",
	  6 },
	{ "refused once: the same again", "00 B0 00 00 02", ">00 B0 00 00 02 ! >00 B0 00 00 02 <AA BB 90 00",
	  OC_OK, "AA BB 90 00", 0 },
	{ "refused twice", "00 B0 00 00 02", ">00 B0 00 00 02 ! >00 B0 00 00 02 !", OC_E_PROTOCOL, NULL, 0 },
	{ "GET RESPONSE refused once", SELECT "00",
	  SENT "<61 02 >00 C0 00 00 02 ! >00 C0 00 00 02 <AA BB 90 00", OC_OK, "AA BB 90 00", 0 },
	{ "GET RESPONSE refused twice", SELECT "00", SENT "<61 02 >00 C0 00 00 02 ! >00 C0 00 00 02 !",
	  OC_E_PROTOCOL, NULL, 0 },
	{ "each TPDU may be refused once", SELECT "00",
	  SENT "!" SENT "<61 02 >00 C0 00 00 02 ! >00 C0 00 00 02 <AA BB 90 00", OC_OK, "AA BB 90 00", 0 },
	{ "silence", "00 B0 00 00 02", ">00 B0 00 00 02 x", OC_E_TIMEOUT, NULL, 0 },
	{ "silence to GET RESPONSE", SELECT "00", SENT "<61 02 >00 C0 00 00 02 x", OC_E_TIMEOUT, NULL, 0 },
};

#define READ_E   "00 B0 00 00 00 "
#define WRITE_E  "00 D6 00 00 00 "
#define SELECT_E "00 A4 04 00 00 "
#define READ_ALL ">00 B0 00 00 00 "
static const struct row extended[] = {
	/* 2E with Ne up to 256 is 2S */
	{ "2E: Ne 1", READ_E "00 01", ">00 B0 00 00 01 <AA 90 00", OC_OK, "AA 90 00", 0 },
	{ "2E: Ne 255", READ_E "00 FF", ">00 B0 00 00 FF <255*AA 90 00", OC_OK, "255*AA 90 00", 0 },
	{ "2E: Ne 256 is P3 00", READ_E "01 00", READ_ALL "<256*AA 90 00", OC_OK, "256*AA 90 00", 0 },
	{ "2E: Ne 256, 61xx goes back", READ_E "01 00", READ_ALL "<256*AA 61 05", OC_OK, "256*AA 61 05", 0 },
	{ "2E: Ne 5, 6Cxx goes back", READ_E "00 05", ">00 B0 00 00 05 <6C 02", OC_OK, "6C 02", 0 },
	{ "2E: Ne 5, the card gives more", READ_E "00 05", ">00 B0 00 00 05 <6*AA 90 00", OC_E_CARD, NULL,
	  0 },

	/* 2E beyond: P3 00, then what the status says */
	{ "2E: Ne 257, 6700 fails", READ_E "01 01", READ_ALL "<67 00", OC_OK, "67 00", 0 },
	{ "2E: Ne 257, an error status", READ_E "01 01", READ_ALL "<6A 82", OC_OK, "6A 82", 0 },
	{ "2E: Ne 257, 6Cxx: the command again with P3 = XX", READ_E "01 01",
	  READ_ALL "<6C 05 >00 B0 00 00 05 <5*AA 90 00", OC_OK, "5*AA 90 00", 0 },
	{ "2E: Ne 257, a second 6Cxx ends it", READ_E "01 01", READ_ALL "<6C 05 >00 B0 00 00 05 <6C 04",
	  OC_OK, "6C 04", 0 },
	{ "2E: 6Cxx, then 61xx", READ_E "01 01",
	  READ_ALL "<6C 02 >00 B0 00 00 02 <AA BB 61 01 >00 C0 00 00 01 <CC 90 00", OC_OK, "AA BB CC 90 00",
	  0 },
	{ "2E: Ne 257, 9000 with 256 bytes is the end", READ_E "01 01", READ_ALL "<256*AA 90 00", OC_OK,
	  "256*AA 90 00", 0 },
	{ "2E: Ne 257, 9000 with fewer bytes is the end", READ_E "01 01", READ_ALL "<AA BB 90 00", OC_OK,
	  "AA BB 90 00", 0 },
	{ "2E: 256 bytes and 6282", READ_E "01 01", READ_ALL "<256*AA 62 82", OC_OK, "256*AA 62 82", 0 },
	{ "2E: Ne 257, one byte is left to ask for", READ_E "01 01",
	  READ_ALL "<256*AA 61 10 >00 C0 00 00 01 <BB 61 0F", OC_OK, "256*AA BB 61 0F", 0 },
	{ "2E: 61xx without data", READ_E "01 01", READ_ALL "<61 03 >00 C0 00 00 03 <AA BB CC 90 00", OC_OK,
	  "AA BB CC 90 00", 0 },
	{ "2E: the loop, Ne 600", READ_E "02 58",
	  READ_ALL "<256*AA 61 00 >00 C0 00 00 00 <256*BB 61 FF >00 C0 00 00 58 <88*CC 90 00", OC_OK,
	  "256*AA 256*BB 88*CC 90 00", 0 },
	{ "2E: the loop ends where the card does", READ_E "02 58",
	  READ_ALL "<256*AA 61 10 >00 C0 00 00 10 <16*BB 90 00", OC_OK, "256*AA 16*BB 90 00", 0 },
	{ "2E: 6Cxx on GET RESPONSE", READ_E "02 58",
	  READ_ALL "<256*AA 61 10 >00 C0 00 00 10 <6C 02 >00 C0 00 00 02 <BB CC 90 00", OC_OK,
	  "256*AA BB CC 90 00", 0 },
	{ "2E: an error in the loop", READ_E "02 58", READ_ALL "<256*AA 61 10 >00 C0 00 00 10 <6F 00", OC_OK,
	  "256*AA 6F 00", 0 },
	{ "2E: more than GET RESPONSE asked for", READ_E "01 01",
	  READ_ALL "<256*AA 61 10 >00 C0 00 00 01 <BB CC 90 00", OC_E_CARD, NULL, 0 },
	{ "2E: an empty promise in the loop", READ_E "02 58", READ_ALL "<256*AA 61 10 >00 C0 00 00 10 <61 10",
	  OC_E_LIMIT, NULL, 0 },
	{ "2E: the channel is kept", "02 B0 00 00 00 01 01",
	  ">02 B0 00 00 00 <AA 61 01 >02 C0 00 00 01 <BB 90 00", OC_OK, "AA BB 90 00", 0 },
	{ "2E: no room for the second part", READ_E "01 01",
	  READ_ALL "<256*AA 61 10 >00 C0 00 00 01 <BB 90 00", OC_E_SPACE, NULL, 258 },
	{ "2E: exact room", READ_E "01 01", READ_ALL "<256*AA 61 10 >00 C0 00 00 01 <BB 90 00", OC_OK,
	  "256*AA BB 90 00", 259 },

	/* 3E: Nc up to 255 is 3S, more goes by ENVELOPE */
	{ "3E: Nc 1", WRITE_E "00 01 07", ">00 D6 00 00 01 07 <90 00", OC_OK, "90 00", 0 },
	{ "3E: Nc 255", WRITE_E "00 FF 255*07", ">00 D6 00 00 FF 255*07 <90 00", OC_OK, "90 00", 0 },
	{ "3E: Nc 255, 61xx goes back", WRITE_E "00 FF 255*07", ">00 D6 00 00 FF 255*07 <61 05", OC_OK,
	  "61 05", 0 },
	{ "3E: Nc 255, 6D00 is the card's word, not ENVELOPE's", WRITE_E "00 FF 255*07",
	  ">00 D6 00 00 FF 255*07 <6D 00", OC_OK, "6D 00", 0 },
	{ "3E: Nc 256 in slices, header and Lc too", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <90 00 >00 C2 00 00 08 8*07 <90 00", OC_OK, "90 00",
	  0 },
	{ "3E: the last slice is whole", WRITE_E "01 F7 248*07 255*08",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 F7 248*07 <90 00 >00 C2 00 00 FF 255*08 <90 00", OC_OK, "90 00",
	  0 },
	{ "3E: one byte is left", WRITE_E "01 F8 248*07 255*08 09",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 F8 248*07 <90 00 >00 C2 00 00 FF 255*08 <90 00 >00 C2 00 00 01 "
	  "09 <62 83",
	  OC_OK, "62 83", 0 },
	{ "3E: 6D00 on the first: the card has no ENVELOPE", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <6D 00", OC_E_EXTENDED, NULL, 0 },
	{ "3E: 6E00 on the first", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <6E 00", OC_E_EXTENDED, NULL, 0 },
	{ "3E: another error on the first is the command's", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <69 82", OC_OK, "69 82", 0 },
	{ "3E: another status in the middle ends it", WRITE_E "01 F8 248*07 255*08 09",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 F8 248*07 <90 00 >00 C2 00 00 FF 255*08 <67 00", OC_OK, "67 00",
	  0 },
	{ "3E: 61xx in the middle ends it", WRITE_E "01 F8 248*07 255*08 09",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 F8 248*07 <61 05", OC_OK, "61 05", 0 },
	{ "3E: 9001 in the middle is not 9000", WRITE_E "01 F8 248*07 255*08 09",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 F8 248*07 <90 01", OC_OK, "90 01", 0 },
	{ "3E: 6D00 in the middle is a status as any other", WRITE_E "01 F8 248*07 255*08 09",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 F8 248*07 <90 00 >00 C2 00 00 FF 255*08 <6D 00", OC_OK, "6D 00",
	  0 },
	{ "3E: 6D00 to the last slice", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <90 00 >00 C2 00 00 08 8*07 <6D 00", OC_OK, "6D 00",
	  0 },
	{ "3E: 61xx to the last slice goes back", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <90 00 >00 C2 00 00 08 8*07 <61 05", OC_OK, "61 05",
	  0 },
	{ "3E: data to ENVELOPE", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <AA 90 00", OC_E_CARD, NULL, 0 },
	{ "3E: a slice refused by the reader goes again", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 ! >00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <90 00 "
	  ">00 C2 00 00 08 8*07 ! >00 C2 00 00 08 8*07 <90 00",
	  OC_OK, "90 00", 0 },
	{ "3E: a slice refused twice", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <90 00 >00 C2 00 00 08 8*07 ! >00 C2 00 00 08 8*07 !",
	  OC_E_PROTOCOL, NULL, 0 },
	{ "3E: ENVELOPE keeps the channel", "02 D6 00 00 00 01 00 256*07",
	  ">02 C2 00 00 FF 02 D6 00 00 00 01 00 248*07 <90 00 >02 C2 00 00 08 8*07 <90 00", OC_OK, "90 00",
	  0 },
	{ "3E: silence to a slice", WRITE_E "01 00 256*07",
	  ">00 C2 00 00 FF 00 D6 00 00 00 01 00 248*07 <90 00 >00 C2 00 00 08 8*07 x", OC_E_TIMEOUT, NULL,
	  0 },

	/* 4E: as 4S, or by ENVELOPE; the answer by GET RESPONSE */
	{ "4E: Nc 2, Ne 256", SELECT_E "00 02 3F 00 01 00", SENT "<61 02 >00 C0 00 00 02 <AA BB 90 00", OC_OK,
	  "AA BB 90 00", 0 },
	{ "4E: Nc 2, never more than Ne", SELECT_E "00 02 3F 00 00 02",
	  SENT "<61 05 >00 C0 00 00 02 <AA BB 61 03", OC_OK, "AA BB 61 03", 0 },
	{ "4E: Nc 2, Ne 65536", SELECT_E "00 02 3F 00 00 00",
	  SENT "<61 00 >00 C0 00 00 00 <256*AA 61 02 >00 C0 00 00 02 <BB BB 90 00", OC_OK,
	  "256*AA BB BB 90 00", 0 },
	{ "4E: 9000 without 61xx is the end", SELECT_E "00 02 3F 00 00 00", SENT "<90 00", OC_OK, "90 00",
	  0 },
	{ "4E: 6Cxx to the command itself goes back", SELECT_E "00 02 3F 00 00 00", SENT "<6C 05", OC_OK,
	  "6C 05", 0 },
	{ "4E: Nc 256, Le in the last slice, then GET RESPONSE", SELECT_E "01 00 256*07 01 2C",
	  ">00 C2 00 00 FF 00 A4 04 00 00 01 00 248*07 <90 00 >00 C2 00 00 0A 8*07 01 2C <61 00 "
	  ">00 C0 00 00 00 <256*AA 61 FF >00 C0 00 00 2C <44*BB 61 D3",
	  OC_OK, "256*AA 44*BB 61 D3", 0 },
	{ "4E: ENVELOPE, an error status to the last slice", SELECT_E "01 00 256*07 01 2C",
	  ">00 C2 00 00 FF 00 A4 04 00 00 01 00 248*07 <90 00 >00 C2 00 00 0A 8*07 01 2C <6A 80", OC_OK,
	  "6A 80", 0 },
	{ "4E: ENVELOPE is not known", SELECT_E "01 00 256*07 01 2C",
	  ">00 C2 00 00 FF 00 A4 04 00 00 01 00 248*07 <6D 00", OC_E_EXTENDED, NULL, 0 },
};

enum { CANARY = 16 };

/* Feed what the row says of the TPDU just sent. */
static void answer_one(struct t0 *t0, const char **talk)
{
	uint8_t in[ROW_MAX], *exact;
	struct reply reply = { .kind = REPLY_FAILED, .err = OC_E_TIMEOUT };

	switch (*(*talk)++) {
	case '<':
		reply.kind = REPLY_BLOCK;
		reply.err = OC_OK;
		reply.len = from_hex(talk, in, sizeof in);
		break;
	case '!':
		reply.kind = REPLY_NOT_SENT;
		reply.err = OC_E_PROTOCOL;
		break;
	case 'x': break;
	default: fail_msg("the script has no answer at \"%s\"", *talk - 1);
	}
	exact = exact_copy(in, reply.len);
	reply.data = exact;
	t0_feed(t0, &reply);
	free(exact);
	while (**talk == ' ')
		++*talk;
}

/* The TPDU that came must be the one of the row; case 1 may go with or without P3 = 00 (CCID leaves both). */
static bool expected(const char *name, const char **talk, const uint8_t *tpdu, size_t len)
{
	uint8_t want[T0_TPDU_MAX];
	size_t want_len;
	const bool the_row_has_one = **talk == '>';

	CHECK(name, the_row_has_one);
	if (!the_row_has_one) {
		check_hex("sent", tpdu, len);
		return false;
	}
	++*talk;
	want_len = from_hex(talk, want, sizeof want);
	if (want_len == 5 && want[4] == 0 && len == 4)
		want_len = 4;
	CHECK_BYTES(name, tpdu, len, want, want_len);
	return true;
}

static void check_outcome(const struct row *row, const struct t0 *t0, enum step step, const uint8_t *answer)
{
	uint8_t want[ROW_MAX];
	const char *text = row->answer ? row->answer : "";
	size_t want_len = from_hex(&text, want, sizeof want);

	CHECK_INT(row->name, step, row->err == OC_OK ? STEP_DONE : STEP_FAIL);
	if (row->err == OC_OK)
		CHECK_BYTES(row->name, answer, t0->len, want, want_len);
	else
		CHECK_INT(row->name, t0->err, row->err);
}

static void play(const struct row *row)
{
	uint8_t apdu_bytes[ROW_MAX], answer[ROW_MAX], tpdu[T0_TPDU_MAX + CANARY];
	const char *text = row->apdu, *talk = row->talk;
	size_t len = from_hex(&text, apdu_bytes, sizeof apdu_bytes),
	       cap = row->cap ? row->cap : ROW_MAX - CANARY;
	struct apdu apdu;
	struct t0 t0;
	struct block block;
	enum step step;

	memset(answer, 0xEE, sizeof answer);
	assert_int_equal(apdu_parse(apdu_bytes, len, &apdu), OC_OK);
	CHECK_INT(row->name, t0_begin(&t0, &apdu, answer, cap), OC_OK);
	for (;;) {
		memset(tpdu, 0xEE, sizeof tpdu);
		step = t0_next(&t0, tpdu, &block);
		if (step != STEP_SEND || !expected(row->name, &talk, tpdu, block.len))
			break;
		CHECK(row->name, tpdu[block.len] == 0xEE && tpdu[T0_TPDU_MAX] == 0xEE);
		CHECK_INT(row->name, block.level_parameter, 0);
		CHECK_INT(row->name, block.bwi, 0);
		answer_one(&t0, &talk);
	}
	CHECK_STRING(row->name, talk, "");
	check_outcome(row, &t0, step, answer);
	for (size_t i = cap; i < sizeof answer; i++)
		CHECK(row->name, answer[i] == 0xEE);
	CHECK_INT(row->name, t0_next(&t0, tpdu, &block), step); /* the end stays the end */
}

#define PLAY(rows)                                       \
	do {                                             \
		for (size_t i = 0; i < COUNT(rows); i++) \
			play(&rows[i]);                  \
		check_done();                            \
	} while (0)

static void cases_1_2_3_pass_through(void **state)
{
	(void)state;
	PLAY(pass_through);
}

static void case_4_fetches_its_answer(void **state)
{
	(void)state;
	PLAY(get_response);
}

static void extended_apdus(void **state)
{
	(void)state;
	PLAY(extended);
}

static void what_goes_wrong(void **state)
{
	(void)state;
	PLAY(failures);
}

/* 10.3.2: 6xh and 9xh would be taken for status bytes. */
static void every_ins(void **state)
{
	uint8_t answer[258];

	(void)state;
	for (unsigned ins = 0; ins < 256; ins++) {
		const uint8_t bytes[] = { 0, (uint8_t)ins, 0, 0 };
		bool bad = ins >> 4 == 6 || ins >> 4 == 9;
		struct apdu apdu;
		struct t0 t0;
		char name[16];

		snprintf(name, sizeof name, "INS %02Xh", ins);
		assert_int_equal(apdu_parse(bytes, sizeof bytes, &apdu), OC_OK);
		CHECK_INT(name, t0_begin(&t0, &apdu, answer, sizeof answer), bad ? OC_E_APDU : OC_OK);
	}
	check_done();
}

static const struct {
	const char *name;
	const uint8_t *apdu;
	size_t len, cap;
	enum oc_err err;
} begin_rows[] = {
	{ "2E, INS 6x", BYTES(0, 0x6B, 0, 0, 0, 1, 0), 258, OC_E_APDU },
	{ "3E, INS 9x", BYTES(0, 0x9D, 0, 0, 0, 0, 1, 7), 258, OC_E_APDU },
	{ "2E, no room", BYTES(0, 0xB0, 0, 0, 0, 0, 0), 1, OC_E_SPACE },
	{ "2E, the room is judged when the answer is there", BYTES(0, 0xB0, 0, 0, 0, 0, 0), 2, OC_OK },
	{ "no room", BYTES(0, 0xA4, 0, 0), 0, OC_E_SPACE },
	{ "room for one byte", BYTES(0, 0xA4, 0, 0), 1, OC_E_SPACE },
	{ "room for SW1 SW2", BYTES(0, 0xA4, 0, 0), 2, OC_OK },
};

static void what_is_refused_at_the_start(void **state)
{
	uint8_t answer[258];

	(void)state;
	for (size_t i = 0; i < COUNT(begin_rows); i++) {
		struct apdu apdu;
		struct t0 t0;

		assert_int_equal(apdu_parse(begin_rows[i].apdu, begin_rows[i].len, &apdu), OC_OK);
		CHECK_INT(begin_rows[i].name, t0_begin(&t0, &apdu, answer, begin_rows[i].cap),
			  begin_rows[i].err);
	}
	check_done();
}

/* The errors of the layer below come out as they went in. */
static void fed_errors_come_back(void **state)
{
	static const enum oc_err errors[] = { OC_E_TIMEOUT, OC_E_GONE, OC_E_CARD,  OC_E_MUTE,
					      OC_E_NO_CARD, OC_E_IO,   OC_E_STALL, OC_E_ANSWER };
	const uint8_t bytes[] = { 0, 0xB0, 0, 0, 2 };

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		uint8_t answer[4], tpdu[T0_TPDU_MAX];
		const struct reply reply = { .kind = REPLY_FAILED, .err = errors[i] };
		struct apdu apdu;
		struct t0 t0;
		struct block block;

		assert_int_equal(apdu_parse(bytes, sizeof bytes, &apdu), OC_OK);
		assert_int_equal(t0_begin(&t0, &apdu, answer, sizeof answer), OC_OK);
		CHECK_INT(oc_strerr(errors[i]), t0_next(&t0, tpdu, &block), STEP_SEND);
		CHECK_INT("longest legal answer", block.expect, 4);
		t0_feed(&t0, &reply);
		CHECK_INT(oc_strerr(errors[i]), t0_next(&t0, tpdu, &block), STEP_FAIL);
		CHECK_INT(oc_strerr(errors[i]), t0.err, errors[i]);
	}
	check_done();
}

/* After which failures does the card have a part of a command? */
static void an_unfinished_envelope(void **state)
{
	static const uint8_t more[] = { 0x61, 5 }, fine[] = { 0x90, 0 }, denied[] = { 0x69, 0x82 },
			     unknown[] = { 0x6D, 0 };
	static const struct {
		const char *name;
		unsigned good; /* slices that are answered 9000 before, of two */
		struct reply reply;
		unsigned times;
		bool unfinished;
	} rows[] = {
		{ "silence to the first slice", 0, { .kind = REPLY_SILENT, .err = OC_E_MUTE }, 1, true },
		{ "the first one failed", 0, { .kind = REPLY_FAILED, .err = OC_E_CARD }, 1, true },
		{ "the first one never got there",
		  0,
		  { .kind = REPLY_NOT_SENT, .err = OC_E_PROTOCOL },
		  2,
		  false },
		{ "there is no ENVELOPE", 0, { .kind = REPLY_BLOCK, .data = unknown, .len = 2 }, 1, false },
		{ "no status", 0, { .kind = REPLY_BLOCK, .data = fine, .len = 1 }, 1, true },
		{ "the card ends it", 0, { .kind = REPLY_BLOCK, .data = denied, .len = 2 }, 1, false },
		{ "the second one failed", 1, { .kind = REPLY_FAILED, .err = OC_E_REFUSED }, 1, true },
		{ "the second one never got there",
		  1,
		  { .kind = REPLY_NOT_SENT, .err = OC_E_PROTOCOL },
		  2,
		  true },
		{ "all is there, and the answer fails",
		  2,
		  { .kind = REPLY_FAILED, .err = OC_E_CARD },
		  1,
		  false },
	};
	uint8_t bytes[7 + 256 + 2] = { 0x80, 0x10, 0, 0, 0, 1, 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t answer[300], tpdu[T0_TPDU_MAX];
		struct block block;
		struct apdu apdu;
		struct t0 t0;

		assert_int_equal(apdu_parse(bytes, sizeof bytes, &apdu), OC_OK);
		assert_int_equal(t0_begin(&t0, &apdu, answer, sizeof answer), OC_OK);
		for (unsigned n = 0; n < rows[i].good + rows[i].times; n++) {
			const struct reply good = { .kind = REPLY_BLOCK, .data = n ? more : fine, .len = 2 };

			CHECK_INT(rows[i].name, t0_next(&t0, tpdu, &block), STEP_SEND);
			t0_feed(&t0, n < rows[i].good ? &good : &rows[i].reply);
		}
		CHECK(rows[i].name, t0_next(&t0, tpdu, &block) != STEP_SEND);
		CHECK_INT(rows[i].name, t0.unfinished, rows[i].unfinished);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unfinished_envelope),
		cmocka_unit_test(cases_1_2_3_pass_through),
		cmocka_unit_test(case_4_fetches_its_answer),
		cmocka_unit_test(extended_apdus),
		cmocka_unit_test(what_goes_wrong),
		cmocka_unit_test(every_ins),
		cmocka_unit_test(what_is_refused_at_the_start),
		cmocka_unit_test(fed_errors_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
