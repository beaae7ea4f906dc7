#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No operation needs more messages, system calls, allocations or instructions than the committed table says.
# "make bench-counts" writes the table anew.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
[ -z "${SANITIZED-}" ] || {
	echo "SKIP: a sanitizer does things of its own; a plain build runs this"
	exit $SKIP
}
[ -x "$CCID_SIM" ] || {
	echo "SKIP: the simulator was not built (is umockdev installed?)"
	exit $SKIP
}
need python3
exec python3 -B "$top_srcdir/tests/bench/guard.py" "$top_srcdir/tests/bench/counts.json"
