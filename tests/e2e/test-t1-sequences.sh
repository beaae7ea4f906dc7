#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The block sequences of the standard's annex, on a reader that leaves IFSD and blocks to the host.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
[ -x "$top_builddir/tests/e2e/t1_sequences" ] || {
	echo "SKIP: the client was not built (is cmocka installed?)"
	exit $SKIP
}
make_stage
under_pcscd 08e6:3437 "$top_builddir/tests/e2e/t1_sequences" || {
	status=$?
	echo "---- the end of pcscd's log"
	tail -60 "$stage/pcscd.log"
	exit $status
}
