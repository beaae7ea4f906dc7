#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the driver writes down by itself: a capture that Wireshark understands, without the PIN unless it is asked for; and the last
# messages before a failure.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# The bytes of VERIFY's data, as text
has_pin() {
	od -An -tx1 -v "$1" | tr -d ' \n' | grep -q 0020000104"$2"
}

OPENCCID_CAPTURE=$stage/all.pcap OPENCCID_FLIGHT_RECORDER=$stage/last.pcap
export OPENCCID_CAPTURE OPENCCID_FLIGHT_RECORDER
story 04e6:5116 story_capture.py
for file in "$stage/all.pcap" "$stage/last.pcap"; do
	[ "$(stat -c %a "$file")" = 600 ] || fail "others may read $file"
	has_pin "$file" 2a2a2a2a || fail "VERIFY is not in $file"
	! has_pin "$file" 31323334 || fail "the PIN is in $file"
done
[ "$(stat -c %s "$stage/last.pcap")" -lt "$(stat -c %s "$stage/all.pcap")" ] ||
	fail "the flight recorder went on after the failure"

OPENCCID_CAPTURE=$stage/secrets.pcap OPENCCID_CAPTURE_SECRETS=yes
export OPENCCID_CAPTURE OPENCCID_CAPTURE_SECRETS
story 04e6:5116 story_capture.py
has_pin "$stage/secrets.pcap" 31323334 || fail "the PIN is not in the capture although it was asked for"

echo 'no capture' >"$stage/other"
OPENCCID_CAPTURE=$stage/other
story 04e6:5116 story_capture.py
[ "$(cat "$stage/other")" = 'no capture' ] || fail "a file that is no capture was written to"
grep -q "$stage/other: no capture is written" "$stage/pcscd.log" || fail "nobody was told"

# As /etc/openccid has it
unset OPENCCID_CAPTURE OPENCCID_FLIGHT_RECORDER OPENCCID_CAPTURE_SECRETS
mkdir "$stage/settings"
printf '[04e6:5116]\ncapture = %s\nflight-recorder = %s\n' "$stage/set.pcap" "$stage/set-last.pcap" >"$stage/settings/local.reader"
OPENCCID_CONFIG=$stage/settings
export OPENCCID_CONFIG
story 04e6:5116 story_capture.py
[ -s "$stage/set.pcap" ] && [ -s "$stage/set-last.pcap" ] || fail "the settings were not heeded"

command -v tshark >/dev/null || {
	echo "tshark is not installed: not checked that Wireshark understands the capture"
	exit 0
}
tshark -r "$stage/all.pcap" >"$stage/all.txt" 2>/dev/null || fail "tshark does not read the capture"
! tshark -r "$stage/all.pcap" -Y '_ws.malformed' 2>/dev/null | grep . || fail "malformed packets"
for message in 'Get Slot Status' 'ICC Power On' 'Set Parameters' 'Transfer Block' 'Abort' 'Data Block' 'Slot Status' 'Parameters'; do
	grep -q "CCID.*: $message" "$stage/all.txt" || fail "tshark sees no $message"
done
# The command openccid tells the same messages, one by one. What tshark does not take apart has no number there.
tshark -r "$stage/all.pcap" -Y usbccid -T fields -e usbccid.bMessageType -e usbccid.bSeq 2>/dev/null |
	awk -F'\t' '{ print toupper(substr($1, 3)), $2 == "" ? "?" : sprintf("%02X", $2) }' >"$stage/theirs"
"$top_builddir/src/tool/openccid" decode --json "$stage/all.pcap" |
	sed -n 's/.*"kind": "\(out\|in\)",.*"bytes": "\(..\)..........\(..\).*/\2 \3/p' >"$stage/ours"
[ -s "$stage/ours" ] || fail "openccid decode sees no message"
paste -d' ' "$stage/theirs" "$stage/ours" | awk '$1 != $3 || ($2 != "?" && $2 != $4)' >"$stage/other"
[ ! -s "$stage/other" ] || fail "tshark and openccid decode see other messages: $(head -5 "$stage/other")"
