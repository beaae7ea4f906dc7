#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The verb redact around what tests/tool/test_redaction tries: files, exit codes, and every trace, whose lengths must stay.
set -u
. "$top_srcdir/tests/tool/begin.sh"

# row EXIT SENTENCE [WORD...]
row() {
	want=$1 says=$2
	shift 2
	"$tool" redact "$@" >"$stage/out" 2>"$stage/said"
	got=$?
	[ $got = "$want" ] || fail "redact $*: exit code $got, not $want"
	grep -qF -- "$says" "$stage/said" || fail "redact $*: does not say \"$says\" but: $(cat "$stage/said")"
}

for file in "$top_srcdir"/tests/traces/*.trace; do
	name=$(basename "$file")
	"$tool" redact -o "$stage/$name" "$file" 2>"$stage/said" || fail "$name: $(cat "$stage/said")"
	# Only digits may differ, and only in lines with bytes of messages.
	sed 's/[0-9A-F]/x/g' "$file" >"$stage/a"
	sed 's/[0-9A-F]/x/g' "$stage/$name" >"$stage/b"
	cmp -s "$stage/a" "$stage/b" || fail "$name: more than bytes has changed"
	"$tool" decode --brief "$stage/$name" >/dev/null 2>"$stage/said"
	[ $? -le 1 ] || fail "$name: the copy cannot be decoded: $(cat "$stage/said")"
done

trace=$top_srcdir/tests/traces/ct40-poweron-1.trace
row 0 '0 messages changed' "$trace"
cmp -s "$stage/out" "$trace" || fail "a trace without secrets has changed"
row 0 '1 message changed' --data 4A546178 "$trace"
grep -q '45 00 00 00 00 43' "$stage/out" || fail "chosen data is still there"
row 0 '1 message changed' --data '4A 54,61 78' --only-data "$trace"
row 1 'the chosen data was not found' --data 010203040506 "$trace"
row 2 '--data takes bytes as hexadecimal digits' --data 4A5 "$trace"
row 2 '--data takes bytes as hexadecimal digits' --data 4A,,54 "$trace"
row 2 '--data takes bytes as hexadecimal digits' --data xyz "$trace"
row 2 '--only-data needs --data' --only-data "$trace"
row 3 'cannot be written: File exists' -o "$trace" "$trace"
row 3 'cannot be written: No such file' -o "$stage/no/where" "$trace"
row 3 'cannot be opened' "$stage/none"
if [ -w /dev/full ]; then
	"$tool" redact "$trace" >/dev/full 2>/dev/null
	[ $? = 3 ] || fail "a full disk does not end with 3"
fi
exit $status
