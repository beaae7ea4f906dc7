/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * T=1, ISO/IEC 7816-3:2006, clause 11 and its annex: fifty conversations of host and card, block by block. test_t1.c plays them
 * with the engine alone, tests/e2e/t1_sequences.c through pcscd, libusb and a simulated reader.
 */
#ifndef OPENCCID_TESTS_T1_SEQUENCES_H
#define OPENCCID_TESTS_T1_SEQUENCES_H

#include <stdint.h>

/*
 * One conversation is one line of words:
 *
 *   A:read      the application sends the APDU "read"       S:254       the slot announces IFSD 254
 *   cap:9       room for the answer from here on            =ok         done, the answer is "ok"
 *   =!CARD      failed with OC_E_CARD                       =?          over, one way or the other
 *   H>block     the engine must send this block             C>block     the card sends this one
 *   C>-         the card is silent                          C>~         parity error (the reader said so)
 *   3*{ ... }   three times                                 |1,0,32,254 ns, nr, IFSC and IFSD now are these;
 *                                                           then d: dead, r: IFSD has to be announced again
 *
 * Blocks: I(ns,more)data  R(nr)error  S(IFS,8) S(IFSr,8) S(WTX,5) S(WTXr,5) S(RES) S(RESr) S(ABT) S(ABTr), or #hex from
 * NAD to INF. "!" behind one: it is damaged on the way. Data is letters, 40k is k forty times.
 *
 * Commands of the fifty are valid APDUs ("abcde" is one with Le, "121t" one of 116 bytes of data), answers have two bytes at
 * least: a driver lets nothing else through.
 */
struct row {
	const char *name;
	uint8_t ifsc; /* of the ATR */
	const char *talk;
};

#define OK  "C>I(0,0)ok =ok |1,1,32,32"
#define CMD "A:read H>I(0,0)read "
/* A first exchange, so that the card has been heard (7.4.2); then one that three times gets nothing. */
#define HEARD "A:open H>I(0,0)open C>I(0,0)two =two "
#define LOST  HEARD "A:read H>I(1,0)read C>- H>R(1)2 C>- H>R(1)2 C>- "

static const struct row scenarios[] = {
	{ "1: two exchanges", 32, CMD "C>I(0,0)ok =ok A:next H>I(1,0)next C>I(1,0)no =no |0,0,32,32" },
	{ "2: more time", 32, CMD "C>S(WTX,9) H>S(WTXr,9) " OK },
	{ "3: the card announces IFSC", 32,
	  CMD "C>S(IFS,121) H>S(IFSr,121) C>I(0,0)ok =ok A:121t H>I(1,0)121t C>I(1,0)ok =ok |0,0,121,32" },
	{ "4: S-blocks do not count", 32,
	  CMD "C>I(0,0)ok =ok S:254 H>S(IFS,254) C>S(IFSr,254) = A:read H>I(1,0)read C>I(1,0)254k =254k "
	      "|0,0,32,254" },
	{ "5: chain of the host", 2,
	  "A:abcde H>I(0,1)ab C>R(1) H>I(1,1)cd C>R(0) H>I(0,0)e C>I(0,0)ok =ok |1,1,2,32" },
	{ "6: chain of the card", 32,
	  CMD "C>I(0,1)ab H>R(1) C>I(1,0)cd =abcd A:next H>I(1,0)next C>I(0,0)ok =ok |0,1,32,32" },
	{ "7: empty last block", 32,
	  CMD "C>I(0,1)ab H>R(1) C>I(1,0) =ab A:next H>I(1,0)next C>I(0,0)ok =ok |0,1,32,32" },
	{ "8: the command is damaged", 32, "A:read H>I(0,0)read! C>R(0)1 H>I(0,0)read " OK },
	{ "9: the answer is damaged", 32, CMD "C>I(0,0)ok! H>R(0)1 " OK },
	{ "10: command and complaint damaged", 32,
	  "A:read H>I(0,0)read! C>R(0)1! H>R(0)1 C>R(0) H>I(0,0)read " OK },
	{ "11: R(1) means that the card has the command", 32,
	  CMD "C>I(0,0)ok! H>R(0)1! C>R(1)1 H>R(0)1 " OK },
	{ "12: the R-block is repeated", 32, CMD "C>I(0,0)ok! H>R(0)1! C>R(1)1! H>R(0)1 " OK },
	{ "13: and once more", 32, CMD "C>I(0,0)ok! H>R(0)1! C>R(1)1! H>R(0)1! C>R(1)1 H>R(0)1 " OK },
	{ "14: S(WTX request) damaged", 32, CMD "C>S(WTX,5)! H>R(0)1 C>S(WTX,5) H>S(WTXr,5) " OK },
	{ "15: and the R-block too", 32, CMD "C>S(WTX,5)! H>R(0)1! C>S(WTX,5) H>S(WTXr,5) " OK },
	{ "16: S(IFS request) damaged", 32,
	  CMD "C>S(IFS,8)! H>R(0)1 C>S(IFS,8) H>S(IFSr,8) C>I(0,0)ok =ok |1,1,8,32" },
	{ "17: and the R-block too", 32,
	  CMD "C>S(IFS,8)! H>R(0)1! C>S(IFS,8) H>S(IFSr,8) C>I(0,0)ok =ok |1,1,8,32" },
	{ "18: S(IFS response) damaged", 32,
	  CMD "C>S(IFS,8) H>S(IFSr,8)! C>S(IFS,8) H>S(IFSr,8) C>I(0,0)ok =ok |1,1,8,32" },
	{ "19: the answer after S(IFS) damaged", 32,
	  CMD "C>S(IFS,8) H>S(IFSr,8) C>I(0,0)ok! H>R(0)1 C>I(0,0)ok =ok |1,1,8,32" },
	{ "20: and the R-block too", 32,
	  CMD "C>S(IFS,8) H>S(IFSr,8) C>I(0,0)ok! H>R(0)1! C>R(1)1 H>R(0)1 C>I(0,0)ok =ok |1,1,8,32" },
	{ "21: acknowledgement damaged", 2,
	  "A:abcde H>I(0,1)ab C>R(1)! H>R(0)1 C>R(1) H>I(1,1)cd C>R(0) H>I(0,0)e C>I(0,0)ok =ok "
	  "|1,1,2,32" },
	{ "22: and the R-block too", 2,
	  "A:abcde H>I(0,1)ab C>R(1)! H>R(0)1! C>R(1)1 H>I(1,1)cd C>R(0) H>I(0,0)e C>I(0,0)ok =ok "
	  "|1,1,2,32" },
	{ "23: our acknowledgement damaged", 32,
	  CMD "C>I(0,1)ab H>R(1)! C>R(1)1 H>R(1) C>I(1,0)cd =abcd |1,0,32,32" },
	{ "24: and the complaint too", 32,
	  CMD "C>I(0,1)ab H>R(1)! C>R(1)1! H>R(1) C>I(1,0)cd =abcd |1,0,32,32" },
	{ "25: last block of our chain damaged", 2,
	  "A:abcd H>I(0,1)ab C>R(1) H>I(1,0)cd! C>R(1)1 H>I(1,0)cd C>I(0,0)ok =ok |0,1,2,32" },
	{ "26: the card aborts its answer", 32,
	  CMD "C>I(0,1)ab H>R(1) C>S(ABT) H>S(ABTr) C>R(1) =!CARD |1,1,32,32" },
	{ "27: the card aborts our command", 2,
	  "A:abcde H>I(0,1)ab C>R(1) H>I(1,1)cd C>S(ABT) H>S(ABTr) C>R(0) =!CARD |0,0,2,32" },
	{ "28: we abort; the only reason is an answer without room", 32,
	  "cap:3 A:read H>I(0,0)read C>I(0,1)abcd H>S(ABT) C>S(ABTr) =!SPACE |1,1,32,32" },
	{ "29: RESYNCH", 32, LOST "H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "30: RESYNCH, response damaged", 32,
	  LOST "H>S(RES) C>S(RESr)! H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "31: RESYNCH, request damaged", 32, LOST "H>S(RES)! C>R(0)1 H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "32: RESYNCH, request and complaint damaged", 32,
	  LOST "H>S(RES)! C>R(0)1! H>S(RES) C>S(RESr) =!CARD |0,0,32,32" },
	{ "33: three invalid blocks lead to RESYNCH", 32,
	  "S:254 H>S(IFS,254) C>S(IFSr,254) = " CMD "C>I(0,0)ok! H>R(0)1 C>I(0,0)ok! H>R(0)1 C>I(0,0)ok! "
	  "H>S(RES) C>S(RESr) =!CARD |0,0,32,254r" },
	{ "34: three times RESYNCH in vain", 32, LOST "3*{ H>S(RES) C>S(RESr)! } =!MUTE |1,1,32,32d" },
	{ "35: nothing since the protocol start", 32, CMD "C>- H>R(0)2 C>- H>R(0)2 C>- =!MUTE |0,0,32,32d" },
	{ "36: IFSD first", 32, "S:254 H>S(IFS,254) C>S(IFSr,254) = |0,0,32,254" },
	{ "37: IFSD refused", 32, "S:254 3*{ H>S(IFS,254) C>R(0)2 } = |0,0,32,32" },
	{ "38: IFSD answered with another value", 32,
	  "S:254 H>S(IFS,254) C>S(IFSr,253) H>S(IFS,254) C>S(IFSr,254) = |0,0,32,254" },
	{ "39: wrong N(S)", 32, CMD "C>I(1,0)no H>R(0)2 " OK },
	{ "40: RESYNCH by the card", 32, CMD "C>S(RES) H>R(0)2 " OK },
	{ "41: LEN FFh", 32, CMD "C>#0000FF6F6B H>R(0)2 " OK },
	{ "42: longer than IFSD", 32, CMD "C>I(0,0)33k H>R(0)2 C>I(0,0)32k =32k |1,1,32,32" },
	{ "43: acknowledgement without a chain", 32, CMD "C>R(1) H>R(0)2 " OK },
	{ "44: answer in the middle of our chain", 2,
	  "A:abcd H>I(0,1)ab C>I(0,0)no H>R(0)2 C>R(1) H>I(1,0)cd C>I(0,0)ok =ok |0,1,2,32" },
	{ "45: more time, 200 times", 32, CMD "200*{ C>S(WTX,1) H>S(WTXr,1) } " OK },
	{ "46: a chain without end", 32,
	  "cap:8 " CMD "C>I(0,1)abc H>R(1) C>I(1,1)def H>R(0) C>I(0,1)ghi H>S(ABT) C>S(ABTr) =!SPACE "
	  "|1,1,32,32" },
	{ "47: S(IFS) of 0 and 255", 32, CMD "C>S(IFS,0) H>R(0)2 C>S(IFS,255) H>R(0)2 " OK },
	{ "48: parity error", 32, CMD "C>~ H>R(0)1 " OK },
	{ "49: silence", 32, CMD "C>- H>R(0)2 " OK },
	{ "50: more time during our chain", 2,
	  "A:abcd H>I(0,1)ab C>S(WTX,3) H>S(WTXr,3) C>R(1) H>I(1,0)cd C>I(0,0)ok =ok |0,1,2,32" },
};

#endif
