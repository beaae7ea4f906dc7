#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# PINs in no form in the log of the driver, at its highest level, and none in what the driver holds of pcscd's memory. With
# OPENCCID_LOG_SECRETS=yes they are in the log, so the search finds what is there.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage

OPENCCID_LOG=all
export OPENCCID_LOG
unset OPENCCID_LOG_SECRETS || true
# Sanitizers keep freed memory as it was, and have heaps of their own.
memory=memory
[ -z "$SANITIZED" ] || memory=no

# The PIN and the PUK of the story, 73951684 and 87654321: as digits and as BCD, which may have a length in front, and four digits in a
# row of them in hexadecimal ASCII, since blocks may divide them.
forms='739516|951684|876543|654321'
forms="$forms|37333935|33393531|39353136|35313638|31363834|38373635|37363534|36353433|35343332|34333231"

our_lines() {
	sed -n 's/.*openccid: //p' "$stage/pcscd.log"
}

found() {
	our_lines | tr -d ' ' | grep -cE "$forms" || true
}

# searched HOW READER CARD: no line has a PIN, although every message has one
searched() {
	SIM_OPTIONS="--card $3"
	case $1 in keypad) SIM_OPTIONS="$SIM_OPTIONS --firmware 07.01" ;; esac
	story "$2" story_secrets.py "$1" "$memory"
	[ "$(our_lines | grep -cE '> PC_to_RDR_(XfrBlock|Secure) .* bytes: ')" -ge 2 ] || {
		echo "FAIL: the log does not show the messages"
		exit 1
	}
	[ "$(found)" = 0 ] || {
		echo "FAIL: PINs in the log:"
		our_lines | grep -E 'PC_to_RDR_(XfrBlock|Secure|Escape)'
		exit 1
	}
	echo "ok: $(our_lines | wc -l) lines, and no PIN in them"
}

searched host 04e6:5116 t0                 # TPDU
searched host 04e6:5116 t1
searched host 04e6:5116 t1,ifsc=8          # in chains
searched host 0416:3815 t0                 # characters
searched host 0416:3815 t1
searched host 076b:3021 t1                 # short APDUs
searched host 09d8:0428 t0                 # extended APDUs
searched host 0471:040f t1                 # a token, by control transfers
searched host 23a0:0002 t0
searched keypad 04e6:e003 t0
searched keypad 04e6:e003 t1

OPENCCID_LOG_SECRETS=yes
export OPENCCID_LOG_SECRETS
SIM_OPTIONS="--card t0"
story 04e6:5116 story_secrets.py host no
[ "$(found)" -ge 6 ] || {
	echo "FAIL: with OPENCCID_LOG_SECRETS=yes PINs are found in $(found) lines only"
	exit 1
}
our_lines | head -1 | grep -q 'OPENCCID_LOG_SECRETS=yes: PINs' || {
	echo "FAIL: the first line does not warn: $(our_lines | head -1)"
	exit 1
}
echo "ok: with OPENCCID_LOG_SECRETS=yes $(found) lines have one, and the first line warns"

OPENCCID_LOG_SECRETS=1
story 04e6:5116 story_secrets.py host no
[ "$(found)" = 0 ] || {
	echo "FAIL: any other word than yes shows PINs"
	exit 1
}
echo "ok: any other word shows none"
