#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# GnuPG's scdaemon through pcscd: it finds the reader, takes the card, and gets its answers, with T=0 and T=1 cards and
# readers of every level. Its own CCID driver is switched off, as everybody should who uses it beside pcscd.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd

find_scdaemon
make_stage
make_home

# ECHO of "Hello": a case 4 command
cat >"$stage/talk" <<'TXT'
SERIALNO undefined
APDU 801000000548656C6C6F00
BYE
TXT

talk() { # READER CARD
	SIM_OPTIONS="--card $2" under_pcscd "$1" sh -c 'timeout 15 "$1" --server --disable-ccid <"$2" 2>&1' - "$scdaemon" \
		"$stage/talk" >"$stage/said" || true
	grep -aq '^D Hello' "$stage/said" || {
		echo "FAIL: scdaemon got no answer from a card \"$2\" in $1:"
		cat "$stage/said"
		tail -40 "$stage/pcscd.log"
		exit 1
	}
	echo "ok: scdaemon, $1, card $2"
}

for card in t0 t1 t1,crc; do
	talk 04e6:5116 $card
done
talk 076b:3021 t0
talk 076b:3021 t1
talk 04e6:5810@0100 t1
