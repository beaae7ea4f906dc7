#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every file of tests/traces is decoded, and the cause that is named is the right one. Each row: file, cause, other findings.
set -u
. "$top_srcdir/tests/tool/begin.sh"

while read -r name cause others; do
	file=$top_srcdir/tests/traces/$name.trace
	"$tool" decode --json "$file" >"$stage/json"
	code=$?
	wanted=1
	[ "$cause" != - ] || wanted=0
	[ $code = $wanted ] || fail "$name: exit code $code, not $wanted"
	got=$(sed -n 's/^  "cause": "\(.*\)",$/\1/p; s/^  "cause": null,$/-/p' "$stage/json")
	[ "$got" = "$cause" ] || fail "$name: the cause is $got, not $cause"
	got=$(sed -n 's/^      "id": "\(.*\)",$/\1/p' "$stage/json" | grep -vx -e "$cause" | tr '\n' ' ')
	[ "$got" = "${others:+$others }" ] || fail "$name: also found: $got"
	if command -v python3 >/dev/null; then
		python3 -c 'import json, sys; json.load(sys.stdin)' <"$stage/json" || fail "$name: this is no JSON"
	fi
	"$tool" decode "$file" >"$stage/text"
	[ $? = $wanted ] || fail "$name: as text it ends with another code"
	grep -q '^ *[0-9]' "$stage/text" || fail "$name: no message is shown"
	echo "$name" >>"$stage/done"
done <<'TXT'
acr122u-slot-change-1 - status-contradicts error-and-done
acr122u-t0-empty-answer-1 empty-answer
acr33u-shortapdu-61-padded-1 - padding
acr33u-shortapdu-61-padded-2 - padding
acr38u-poweron-memory-card-1 -
acr39u-startup-timeout-1 never-answered
ct40-poweron-1 -
ct40-t1-exchange-1 -
ct40-t1-exchange-2 -
ct40-t1-pps-setparameters-1 -
feitian-t1-parity-nak-loop-1 t1-errors
feitian-t1-parity-nak-loop-2 t1-errors
gnupg-poweron-mute-1 card-mute
nitrokey3-extapdu-chained-answer-1 -
omnikey1021-poweron-1 -
omnikey1021-setparameters-mute-1 parameters-mute
omnikey1021-setparameters-mute-2 parameters-mute
omnikey1021-t0-parity-fd-1 wrong-lc
omnikey3121-slot-status-1 -
omnikey3121-t0-data-without-get-response-1 -
omnikey3121-t0-data-without-get-response-2 -
omnikey3121-t0-data-without-get-response-3 -
omnikey3121-t1-card-in-t0-mode-f6-1 extended-at-t0
omnikey5427-extapdu-mute-1 command-mute
picohsm-getparameters-misplaced-1 parameters-misplaced
scr3310-poweron-mute-1 card-mute
scr3310-t0-get-response-f6-1 protocol-lost
scr3310-t0-get-response-f6-2 protocol-lost
sec1110-t1-ifsd-refused-1 ifsd-refused
sec1110-t1-ifsd-refused-2 ifsd-refused
spr332-t1-secure-verify-fw700-1 keypad-firmware fell-silent
spr332-t1-secure-verify-ok-1 -
spr532-t1-get-data-1 -
spr532-t1-secure-verify-cancelled-1 pin-cancelled
unknown-t1-verify-latvian-1 -
utrust3700f-poweron-mute-1 card-mute
utrust3700f-startup-timeout-1 fell-silent status-failed
windows-char-level-t0-select-1 -
yubikey-poweron-1 -
yubikey-slot-status-1 -
TXT
for file in "$top_srcdir"/tests/traces/*.trace; do
	grep -qx "$(basename "$file" .trace)" "$stage/done" || fail "$file has no row here"
done

# From a pipe, and what is wrong with a file.
trace=$top_srcdir/tests/traces/scr3310-t0-get-response-f6-1.trace
"$tool" decode - <"$trace" >"$stage/piped" 2>&1
"$tool" decode "$trace" | cmp -s - "$stage/piped" || fail "standard input is decoded to something else"
# shellcheck disable=SC2002 # a pipe is what is tried
cat "$trace" | "$tool" decode /dev/stdin | cmp -s - "$stage/piped" || fail "a pipe is decoded to something else"

row() {
	want=$1 says=$2
	shift 2
	said=$("$tool" decode "$@" 2>&1)
	got=$?
	[ $got = "$want" ] || fail "decode $*: exit code $got, not $want"
	case $said in
	*"$says"*) ;;
	*) fail "decode $*: does not say \"$says\" but: $said" ;;
	esac
}
row 3 "openccid decode: $stage/none: cannot be opened: No such file" "$stage/none"
row 3 "openccid decode: $stage: cannot be read: Is a directory" "$stage"
row 3 "openccid decode: standard input: cannot be read: Is a directory" - <"$stage"
printf 'reader: - x\nsource: a\norigin: a\nabout: a\ndo nonsense\nend\n' >"$stage/wrong"
row 3 "wrong: line 5: " "$stage/wrong"
echo hello >"$stage/prose"
row 3 'no message of a smart-card reader in it; logs need "pcscd --debug"' "$stage/prose"
row 2 'no reader, or more than one, is "7"' --reader 7 "$trace"
row 1 'The cause: the reader has lost' --reader 04e6:5116 --brief "$trace"
row 2 'FILE is missing'
exit $status
