#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# openccid describe, from each source that a description can come from.
set -u
. "$top_srcdir/tests/tool/lib.sh"
list=$top_srcdir/readers/04e6-scm-microsystems.reader
good='36 21 10 01 00 01 03 00 00 00 a0 0f 00 00 40 1f 00 00 00 01 2a 00 00 29 40 05 00 00 fc 00 00 00 00 00 00 00 00 00 00 00 ba 00 01 00 0f 01 00 00 ff ff 00 00 00 01'

# said NAME EXIT FILE-OR-WORD...: as row of lib.sh, without a reader
said() {
	name=$1 want=$2
	shift 2
	rows=$((rows + 1))
	got=0
	openccid describe "$@" >"$stage/said" 2>&1 || got=$?
	[ "$got" = "$want" ] || wrong "exit code $got, not $want"
	expect
}

said 'the list' 0 04e6:5116 <<'TXT'
04e6:5116 SCM Microsystems Inc. SCR 3310, firmware 5.23, interface 0
dwMaxCCIDMessageLength  271        bytes, 10 of them header
nothing is wrong
It is in the list of readers.
! [04e6:5116]
TXT
said 'the list, in capitals' 0 04E6:5116 <<'TXT'
nothing is wrong
TXT
said 'every unit of one product' 1 04e6:5724 <<'TXT'
interface 0
interface 1
TXT
said 'a product that does not work' 0 03eb:6016 <<'TXT'
as one that does not work
TXT
said 'a keypad' 1 04e6:e003 <<'TXT'
verifies and changes PINs
TXT
said 'not in the list' 3 1234:5678 <<'TXT'
openccid describe: 1234:5678 is neither plugged in nor in the list of readers
TXT
said 'no word at all that makes sense' 3 nonsense <<'TXT'
"nonsense" is no reader that is plugged in, no file that can be read, and no vid:pid
TXT

echo "$good" >"$stage/good"
said 'hexadecimal text' 0 "$stage/good" <<'TXT'
A class descriptor without its device
nothing is wrong
[vid:pid]
descriptor = 36 21 10 01 00 01
TXT
printf '# from a mail\r\n0x36, 0x21,%s\r\n' "$(echo "$good" | cut -c 6- | tr -d ' ')" >"$stage/mail"
said 'the same as it comes in a mail' 0 "$stage/mail" <<'TXT'
nothing is wrong
TXT
# shellcheck disable=SC2059 # it makes the bytes
printf "$(echo "$good" | tr a-f A-F | sed 's/\(..\) */\\x\1/g' | sed 's/\\x/\n/g' | awk 'NF { h = "0123456789ABCDEF"; printf "\\%03o", 16 * (index(h, substr($0, 1, 1)) - 1) + index(h, substr($0, 2, 1)) - 1 }')" >"$stage/bytes"
said 'bytes' 0 "$stage/bytes" <<'TXT'
nothing is wrong
TXT
{
	echo '12 01 00 02 00 00 00 40 34 12 78 56 05 21 00 00 00 01'
	echo '09 02 00 00 02 01 00 80 32  09 04 00 00 00 03 01 01 00  09 04 03 00 03 0b 00 00 00'
	echo "$good" | sed 's/ 0f 01 00 00 ff/ 07 01 00 00 ff/'
	echo '07 05 01 02 40 00 00 07 05 82 02 40 00 00 07 05 83 03 08 00 10'
} >"$stage/device"
said 'all descriptors of a device' 1 "$stage/device" <<'TXT'
1234:5678 a reader without a name, firmware 21.05, interface 3
dwMaxCCIDMessageLength is below 270: a TPDU
This goes into readers/1234-vendor.reader
[1234:5678]
unit 21.05:
interface 3:
TXT
said 'a .reader file' 1 "$list" <<'TXT'
04e6:5111
04e6:e003
TXT
echo '36 21 xy' >"$stage/faulty"
said 'text that is something else' 3 "$stage/faulty" <<'TXT'
"xy" is not hexadecimal
TXT
echo "$good" | cut -c -101 >"$stage/short"
said 'a short one' 3 "$stage/short" <<'TXT'
holds no class descriptor of a smart-card reader
TXT
: >"$stage/empty"
said 'an empty file' 3 "$stage/empty" <<'TXT'
holds no class descriptor
TXT
printf '[04e6:5116]\nname = x\nstatus = wonderful\n' >"$stage/bad.reader"
said 'a faulty .reader file' 3 "$stage/bad.reader" <<'TXT'
bad.reader:3: status = wonderful
TXT
head -c 3000000 /dev/zero >"$stage/zeros"
said 'a large file of something else' 3 "$stage/zeros" <<'TXT'
holds no class descriptor
TXT
# ---- captures; one with descriptors in it is described by test-record.sh
trace=$top_srcdir/tests/traces/scr3310-t0-get-response-f6-1.trace
said 'a capture that has the ids' 0 "$trace" <<'TXT'
04e6:5116 SCM Microsystems Inc. SCR 3310, firmware 5.23, interface 0
It is in the list of readers.
TXT
echo '00000041 -> 000000 65 00 00 00 00 00 00 00 00 00' >"$stage/nameless.log"
said 'a capture that says nothing of the reader' 3 "$stage/nameless.log" <<'TXT'
nameless.log: this capture says neither the ids of a reader nor its descriptors
TXT
name='a pipe'
for way in - /dev/stdin; do
	for file in "$trace" "$stage/good" "$list"; do
		# shellcheck disable=SC2002 # a pipe is what is tried
		cat "$file" | openccid describe $way >"$stage/said" 2>&1
		openccid describe "$file" | cmp -s - "$stage/said" || wrong "$way: $file is described in another way"
	done
done
said 'a file below a file' 3 "$stage/good/file" <<'TXT'
cannot be opened: Not a directory
TXT
said 'a folder' 3 "$stage" <<'TXT'
cannot be read: Is a directory
TXT
said 'two words' 2 04e6:5116 04e6:5117 <<'TXT'
one word too many
TXT
said 'a bad one' 1 "$stage/device" --json <<'TXT'
"ids": "1234:5678"
"dwMaxCCIDMessageLength": 263
"usable": true
TXT
openccid describe --json "$list" | python3 -c 'import json, sys; assert len(json.load(sys.stdin)) > 20' || {
	name=JSON
	wrong "is no JSON"
}

# The section that it proposes is one that the generator takes, for every reader that there is.
mkdir "$stage/readers"
for file in "$top_srcdir"/readers/*.reader; do
	for ids in $(sed -n 's/^\[\(....:....\)\]$/\1/p' "$file"); do
		openccid describe --section "$ids" 2>&1 |
			awk -v RS='' -v ORS='\n\n' 'NR == 1' >>"$stage/readers/${file##*/}"
	done
done
"$top_builddir/readers/readerdb" check "$stage"/readers/*.reader >"$stage/said" 2>&1 || {
	name='sections for all readers'
	wrong 'the generator does not take them'
}

need_simulator
row 'an attached reader' 0 'openccid describe' <<'TXT'
04e6:5116 SCM Microsystems Inc. SCR 3310, firmware 5.23, interface 0
TXT
row 'by a part of its name' 0 'openccid describe "scr 3310"; openccid describe 001/002 >/dev/null; openccid describe 1-1 >/dev/null' <<'TXT'
nothing is wrong
TXT
row 'with its strings' 0 'openccid describe --section' <<'TXT'
  manufacturer = SCM Microsystems Inc.
  product      = SCR3310 USB Smart Card Reader
TXT
row 'none is plugged in' 3 '"$CCID_SIM" ctl unplug; openccid describe' <<'TXT'
no smart-card reader is plugged in
TXT
row 'a firmware with a fault' 1 'openccid describe' --reader 04e6:e003 --firmware 07.00 <<'TXT'
keypad     none is offered: the firmware cannot use it
this firmware has a known fault: every secure PIN entry
7.01 and later have not
TXT
end
