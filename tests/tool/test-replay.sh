#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every file of tests/traces is played against the driver by the command, ends as it should, and can be saved as a trace that plays.
# Each row: file, exit code, the end of the story.
set -u
. "$top_srcdir/tests/tool/begin.sh"
OPENCCID_READERS=$top_srcdir/readers
export OPENCCID_READERS

while read -r name wanted end; do
	file=$top_srcdir/tests/traces/$name.trace
	"$tool" replay --save "$stage/$name.trace" "$file" >"$stage/said" 2>&1
	code=$?
	[ $code = "$wanted" ] || fail "$name: exit code $code, not $wanted"
	grep -qF "$end" "$stage/said" || fail "$name: does not say \"$end\" but: $(cat "$stage/said")"
	grep -q '^Saved as' "$stage/said" || fail "$name: not saved: $(tail -2 "$stage/said")"
	"$tool" replay --json "$file" >"$stage/json" 2>&1
	[ $? = "$wanted" ] || fail "$name: for programs it ends with another code"
	case $wanted in
	0) grep -q '^  "ends_well": true,$' "$stage/json" || fail "$name: for programs it does not end well" ;;
	*) grep -q '^  "ends_well": false,$' "$stage/json" || fail "$name: for programs it ends well" ;;
	esac
	if command -v python3 >/dev/null; then
		python3 -c 'import json, sys; json.load(sys.stdin)' <"$stage/json" || fail "$name: this is no JSON"
	fi
	echo "$name" >>"$stage/done"
done <<'TXT'
acr122u-slot-change-1 0 It ends well.
acr122u-t0-empty-answer-1 1 It does not end well: transmit: communication with the card failed.
acr33u-shortapdu-61-padded-1 0 It ends well.
acr33u-shortapdu-61-padded-2 0 It ends well.
acr38u-poweron-memory-card-1 0 It ends well.
acr39u-startup-timeout-1 1 It does not end well: presence: the reader did not answer in time.
ct40-poweron-1 0 It ends well.
ct40-t1-exchange-1 0 It ends well.
ct40-t1-exchange-2 0 It ends well.
ct40-t1-pps-setparameters-1 0 It ends well.
feitian-t1-parity-nak-loop-1 0 It ends well.
feitian-t1-parity-nak-loop-2 0 It ends well.
gnupg-poweron-mute-1 1 It does not end well: power-up: the card does not answer.
nitrokey3-extapdu-chained-answer-1 0 It ends well.
omnikey1021-poweron-1 0 It ends well.
omnikey1021-setparameters-mute-1 0 It ends well.
omnikey1021-setparameters-mute-2 0 It ends well.
omnikey1021-t0-parity-fd-1 1 It does not end well: transmit: the command is not a well-formed APDU.
omnikey3121-slot-status-1 0 It ends well.
omnikey3121-t0-data-without-get-response-1 0 It ends well.
omnikey3121-t0-data-without-get-response-2 0 It ends well.
omnikey3121-t0-data-without-get-response-3 0 It ends well.
omnikey3121-t1-card-in-t0-mode-f6-1 1 It does not end well: transmit: the reader or the card does not take an APDU of this length.
omnikey5427-extapdu-mute-1 1 It does not end well: transmit: the card does not answer.
picohsm-getparameters-misplaced-1 1 It does not end well: protocol: the card or reader does not offer this protocol.
scr3310-poweron-mute-1 1 It does not end well: power-up: the card does not answer.
scr3310-t0-get-response-f6-1 0 It ends well.
scr3310-t0-get-response-f6-2 0 It ends well.
sec1110-t1-ifsd-refused-1 0 It ends well.
sec1110-t1-ifsd-refused-2 0 It ends well.
spr332-t1-secure-verify-fw700-1 0 It ends well, after a failure that was told.
spr332-t1-secure-verify-ok-1 0 It ends well.
spr532-t1-get-data-1 0 It ends well.
spr532-t1-secure-verify-cancelled-1 0 It ends well.
unknown-t1-verify-latvian-1 0 It ends well.
utrust3700f-poweron-mute-1 1 It does not end well: power-up: the card does not answer.
utrust3700f-startup-timeout-1 1 It does not end well: presence: the reader did not answer in time.
windows-char-level-t0-select-1 0 It ends well.
yubikey-poweron-1 0 It ends well.
yubikey-slot-status-1 0 It ends well.
TXT
for file in "$top_srcdir"/tests/traces/*.trace; do
	grep -qx "$(basename "$file" .trace)" "$stage/done" || fail "$file has no row here"
done

# The tests of the driver take what was saved; the command reads it again.
if ! srcdir=$top_srcdir "$top_builddir/tests/replay/replay_traces" "$stage"/*.trace >"$stage/played"; then
	fail "saved traces do not play: $(grep -A1 '^not ok' "$stage/played")"
fi
for file in "$stage"/*.trace; do
	"$tool" decode --brief "$file" >/dev/null 2>"$stage/said"
	[ $? -le 1 ] || fail "$file cannot be decoded: $(cat "$stage/said")"
done

# row EXIT SENTENCE FILE [OPTION...]
row() {
	want=$1 says=$2
	shift 2
	said=$("$tool" replay "$@" 2>&1)
	got=$?
	[ $got = "$want" ] || fail "replay $*: exit code $got, not $want"
	case $said in
	*"$says"*) ;;
	*) fail "replay $*: does not say \"$says\" but: $said" ;;
	esac
}

row 3 'cannot be written: File exists' --save "$stage/ct40-poweron-1.trace" "$top_srcdir/tests/traces/ct40-poweron-1.trace"
cat >"$stage/hidden" <<'TXT'
openccid: -> PC_to_RDR_XfrBlock slot 0 seq 1F [00 00 00] 7 bytes
openccid: <- RDR_to_PC_DataBlock slot 0 seq 1F [00 00 00] 2 bytes
TXT
row 3 'payloads are missing in it' "$stage/hidden"

# A whole session in the log of another driver: nothing has to be assumed but the kind of the reader.
cat >"$stage/session" <<'TXT'
00000041 -> 000000 65 00 00 00 00 00 00 00 00 00
00000484 <- 000000 81 00 00 00 00 00 00 01 00 00
00000041 -> 000000 62 00 00 00 00 00 01 00 00 00
00040484 <- 000000 80 04 00 00 00 00 01 00 00 00 3B 02 14 50
00000041 -> 000000 61 05 00 00 00 00 02 00 00 00 11 00 00 0A 00
00000484 <- 000000 82 05 00 00 00 00 02 00 00 00 11 00 00 0A 00
00000041 -> 000000 6F 07 00 00 00 00 03 00 00 00 00 A4 00 0C 02 3F 00
00030484 <- 000000 80 02 00 00 00 00 03 00 00 00 90 00
00000041 -> 000000 6F 05 00 00 00 00 04 00 00 00 00 84 00 00 08
00000484 <- 000000 80 00 00 00 00 00 04 40 F6 00
TXT
row 0 'It ends well.' "$stage/session"
row 0 'failed, F6h ICC_PROTOCOL_NOT_SUPPORTED' "$stage/session"
row 0 'one of a common kind is assumed' "$stage/session"
row 0 'Saved as' --save "$stage/session.trace" "$stage/session"
row 0 '"then": "failed, F6h ICC_PROTOCOL_NOT_SUPPORTED", "now": ' --json "$stage/session"
row 0 '"good": true, "differs": true, "more": 2, "fewer": 0}' --json "$stage/session"
row 0 '"assumed": ["descriptor"],' --json "$stage/session"
row 0 "\"saved\": \"$stage/programs.trace\"" --json --save "$stage/programs.trace" "$stage/session"
cmp -s "$stage/programs.trace" "$stage/session.trace" || fail "another trace is saved with --json"
grep -q 'answer to reset' "$stage/session.trace" && fail "an answer to reset is assumed although it was captured"

# A session from its beginning in which nobody powers the card: somebody did, unseen.
sed -e 3,6d -e 9,10d -e "2s/01 00 00$/00 00 00/" "$stage/session" >"$stage/powered"
row 0 'It ends well.' "$stage/powered"
row 0 'line 1: presence' -v "$stage/powered"
row 0 'Saved as' --save "$stage/powered.trace" "$stage/powered"

# A PIN does not get onto the screen unasked.
cat >"$stage/pin" <<'TXT'
# reader: 04e6:5116 SCR 3310
OUT - 62 00 00 00 00 00 01 00 00 00
IN - 80 04 00 00 00 00 01 00 00 00 3B 02 14 50
OUT - 6F 09 00 00 00 00 02 00 00 00 00 20 00 82 04 31 32 33 34
IN - 80 02 00 00 00 00 02 00 00 00 90 00
TXT
row 0 'transmit 00 20 00 82 04 ** ** ** **' -v "$stage/pin"
row 0 '"transmit 00 20 00 82 04 ** ** ** **' --json "$stage/pin"
row 0 'transmit 00 20 00 82 04 31 32 33 34' -v --secrets "$stage/pin"
exit $status
