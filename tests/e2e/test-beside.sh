#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside libccid: pcscd takes our driver, and libccid where ours leaves a reader or cannot open it. And what people of libccid have in
# their environment is understood.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
find_libccid
make_stage
ln -s "$libccid" "$stage/drivers/"
OPENCCID_CONFIG=$stage/settings
export OPENCCID_CONFIG
mkdir "$OPENCCID_CONFIG"

# A line of pcscd's log, so many times
logged() { # TIMES TEXT
	found=$(grep -c -F -e "$2" "$stage/pcscd.log" || true)
	[ "$found" = "$1" ] || {
		echo "FAIL: pcscd's log has $found times '$2', not $1"
		grep -a -e openccid -e ccid "$stage/pcscd.log" | tail -20
		exit 1
	}
}

echo '== ours comes first'
story 04e6:5116 story_beside.py ours
logged 1 'openccid: opened SCM Microsystems Inc. SCR 3310'

echo '== a reader that is left to others, until it is not'
printf '[04e6:5116]\nleave = yes\n' >"$OPENCCID_CONFIG/10-left.reader"
story 04e6:5116 story_beside.py theirs "$OPENCCID_CONFIG/10-left.reader"
logged 1 "openccid: 04e6:5116 interface 0 is left to another driver, as 'leave = yes' in the settings says"
logged 1 'openccid: opened SCM Microsystems Inc. SCR 3310'

echo '== another reader is not left'
printf '[04e6:5117]\nleave = yes\n' >"$OPENCCID_CONFIG/10-left.reader"
story 04e6:5116 story_beside.py ours
rm "$OPENCCID_CONFIG"/*

echo '== a quick try'
OPENCCID_QUIRKS=04e6:5116:leave
export OPENCCID_QUIRKS
story 04e6:5116 story_beside.py theirs
unset OPENCCID_QUIRKS

# Its messages are too short for any command: ours refuses it, libccid opens it and gets as far as the ATR.
echo '== a reader that ours cannot open'
mkdir "$stage/readers"
sed -n '/^\[04e6:5116\]/,/^$/p' "$top_srcdir/readers/04e6-scm-microsystems.reader" |
	sed 's/ 0f 01 00 00 ff/ 0a 00 00 00 ff/' >"$stage/readers/04e6-short.reader"
SIM_OPTIONS="--readers $stage/readers"
story 04e6:5116 story_beside.py theirs-atr
SIM_OPTIONS=
logged 1 'openccid: 04e6:5116 interface 0 cannot be used'

echo "== libccid's variable for the log"
LIBCCID_ifdLogLevel=0x0007
export LIBCCID_ifdLogLevel
story 04e6:5116 story_beside.py ours
grep -q 'openccid: .*IccPowerOn' "$stage/pcscd.log" || { echo 'FAIL: messages are not logged'; exit 1; }
OPENCCID_LOG=critical
export OPENCCID_LOG
story 04e6:5116 story_beside.py ours
logged 0 'openccid: '
