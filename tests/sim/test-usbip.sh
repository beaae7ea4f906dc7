#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The software reader for other kernels: everything that USB/IP asks, and what it must not.
set -u
here=${builddir:-.}/tests/sim
CCID_SIM=$here/ccid-sim
export CCID_SIM

command -v python3 >/dev/null || {
	echo "SKIP: python3 is not installed"
	exit 77
}
[ -x "$CCID_SIM" ] || {
	echo "SKIP: the simulator was not built (is umockdev installed?)"
	exit 77
}
"$CCID_SIM" --usbip 127.0.0.1:0 -- python3 "$top_srcdir/tests/sim/usbip_story.py" || exit 1
for wrong in nowhere 1.2.3:1 127.0.0.1:70000 127.0.0.1: :::1; do
	if "$CCID_SIM" --usbip "$wrong" -- true 2>/dev/null; then
		echo "FAILED: \"$wrong\" is taken for an address"
		exit 1
	fi
done
