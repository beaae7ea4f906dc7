#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The programs in doc/examples are compiled and run, and say what is so.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
examples=$top_srcdir/doc/examples

# What it has to say is on standard input.
says() { # NAME
	cat >"$stage/wanted"
	diff -u "$stage/wanted" "$stage/said" || {
		echo "FAIL: $1 does not say what it should"
		exit 1
	}
	echo "ok: $1"
}

# The program waits until the reader is there.
runs() { # READER COMMAND...
	reader=$1
	shift
	under_pcscd "$reader" sh -c 'n=0; until opensc-tool --atr >/dev/null 2>&1 || [ $n = 50 ]; do n=$((n + 1)); sleep 0.1; done; exec "$@"' sh "$@" >"$stage/said"
}

attributes() {
	says "$1" <<'TXT'
vendor: SCM Microsystems Inc.
type: SCR3310 USB Smart Card Reader
default clock, kHz: 4000
fastest data rate, bps: 344105
longest block of T=1: 252
protocol in use, 1 for T=0, 2 for T=1: 1
F: 512
D: 32
work waiting time, etu: 307200
longest command, bytes: 261
feature 12: control code 42330012
TXT
}

need opensc-tool
SIM_OPTIONS='--card t0,ta1=96'
runs 04e6:5116 "$PYTHON" "$examples/attributes.py"
attributes attributes.py
# shellcheck disable=SC2046 # options
${CC:-cc} -std=c11 -Wall -Wextra -Werror "$examples/attributes.c" -o "$stage/attributes" $(pkg-config --cflags --libs libpcsclite)
runs 04e6:5116 "$stage/attributes"
attributes attributes.c
SIM_OPTIONS='--card t1 --firmware 07.01'
runs 04e6:e003 sh -c '"$CCID_SIM" ctl type 1234 ok >/dev/null; exec "$@"' sh "$PYTHON" "$examples/keypad.py"
says keypad.py <<'TXT'
type the PIN at the reader
status 9000
TXT
