#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same readers and APDUs through libccid, if it is installed, and through our driver: an application gets the same
# answers. Where it does not, the reason stands in reason_for().
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python

find_libccid
make_stage
mkdir "$stage/theirs"
ln -s "$libccid" "$stage/theirs/"
failed=0

# Why our answer to this case ("LEVEL CARD: CASE") is the right one.
reason_for() {
	case $1 in
	"tpdu t0"*": case 4,"* | "token-a inside: case 4,"*)
		echo "ISO 7816-3, 12.2.2: at T=0 a command TPDU has no Le; GET RESPONSE fetches the answer. libccid sends Le with the data"
		;;
	"tpdu t0"*": case "?" extended"* | "token-a inside: case "?" extended"*)
		echo "ISO 7816-3, 12.2.3 to 12.2.6: ENVELOPE and GET RESPONSE carry it. libccid sends it as it is, which is no TPDU"
		;;
	"token-b inside: case 3, 255 bytes"* | "token-b inside: case 4, 250 bytes"*)
		echo "ICCD, 6: no header on the control pipe, so 261 is the longest short APDU. libccid takes the header off"
		;;
	*) return 1 ;;
	esac
}

# answers DRIVERS READER CARDS...
answers() {
	drivers=$1 reader=$2
	shift 2
	"$CCID_SIM" --reader "$reader" --readers "$top_srcdir/readers" --card "${INSIDE-none}" --pcscd \
		--log "$stage/pcscd.log" --drivers "$drivers" --no-preload -- \
		env -u LD_PRELOAD "$PYTHON" "$top_srcdir/tests/e2e/story_libccid.py" "$@"
}

judge() { # LEVEL OURS THEIRS
	[ "$2" != "$3" ] || return 0
	if reason=$(reason_for "$1 $2"); then
		printf 'differs: %s\n   libccid: %s\n   %s\n' "$2" "$3" "$reason"
		return
	fi
	printf 'FAIL: ours: %s\n   libccid: %s\n' "$2" "$3"
	failed=1
}

# compare LEVEL READER CARDS...
compare() {
	level=$1
	shift
	echo "== $*"
	answers "$stage/drivers" "$@" >"$stage/ours"
	answers "$stage/theirs" "$@" >"$stage/libccid"
	[ "$(wc -l <"$stage/ours")" -gt 20 ] && [ "$(wc -l <"$stage/ours")" = "$(wc -l <"$stage/libccid")" ] || {
		echo "FAIL: a different number of answers"
		diff "$stage/ours" "$stage/libccid" | tail -20
		exit 1
	}
	while IFS= read -r ours <&3 && IFS= read -r theirs <&4; do
		judge "$level" "$ours" "$theirs"
	done 3<"$stage/ours" 4<"$stage/libccid"
}

compare tpdu 04e6:5116 t0 t1 dual,ta1=95
compare tpdu 08e6:3437 t0,ta1=96 t1,crc
compare short 076b:3021 t0 t1,chain=50
compare extended 096e:0624 t0 t1
INSIDE=t1
compare token-b 0471:040f inside
INSIDE=t0
compare token-a 0973:0003 inside
exit $failed
