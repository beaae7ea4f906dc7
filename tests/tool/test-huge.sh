#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A capture from a pipe takes no more memory than a small one, whatever its form, and whatever is done with it. HUGE_MEGABYTES says how
# large it is: "make check-huge" takes 1024, for which it wants as much room in TMPDIR or /var/tmp, and some minutes.
set -u
tool=$top_builddir/src/tool/openccid
huge=$top_builddir/tests/tool/huge
megabytes=${HUGE_MEGABYTES-12}
most=8192 # kilobytes: less than the smallest capture
OPENCCID_READERS=$top_srcdir/readers
export OPENCCID_READERS
status=0

[ -z "${SANITIZED-}" ] || {
	echo "SKIP: sanitizers take memory of their own"
	exit 77
}
while read -r form what; do
	# shellcheck disable=SC2086 # a verb with its options
	taken=$("$huge" "$form" "$megabytes" "$tool" $what - 2>&1)
	code=$?
	echo "$what of $megabytes MB of $form: $taken KB"
	[ $code = 0 ] || {
		echo "FAIL: $what of $form: exit code $code" >&2
		status=1
		continue
	}
	[ "$(echo "$taken" | tail -1)" -le $most ] || {
		echo "FAIL: $what of $form takes $taken KB of memory, and may take $most" >&2
		status=1
	}
done <<'TXT'
log decode
log redact
log decode --html
pcap decode --json
pcap redact
pcapng decode --brief
usbpcap redact
TXT
# It can fail: what holds everything is found out.
taken=$("$huge" log "$megabytes" awk "{ kept[NR] = \$0 }") || status=1
[ "$taken" -gt $most ] || {
	echo "FAIL: the memory of a program that keeps everything, $taken KB, is measured wrongly" >&2
	status=1
}
exit $status
