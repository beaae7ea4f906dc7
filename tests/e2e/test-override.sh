#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Settings of an administrator under the real pcscd: read with each reader, mistakes told and left out.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage

logged() {
	grep -q -F -e "$1" "$stage/pcscd.log" || {
		echo "FAIL: pcscd's log has no line '$1'"
		grep openccid "$stage/pcscd.log" | tail -20
		exit 1
	}
}

OPENCCID_CONFIG=$stage/settings
export OPENCCID_CONFIG
mkdir "$OPENCCID_CONFIG"
printf '[04e6:5116]\nmax-ifsd = 0\n[04e6:5116]\nno-pps = yes\n' >"$OPENCCID_CONFIG/10-faulty.reader"
story 04e6:5116 story_override.py "$OPENCCID_CONFIG"
logged "openccid: $OPENCCID_CONFIG/10-faulty.reader:2: max-ifsd = 0: write a decimal number from 1 to 254"
logged 'openccid: rules of the administrator are applied to this reader: 10-faulty.reader'
logged 'openccid: rules of the administrator are applied to this reader: 20-local.reader, 10-faulty.reader'
logged "'escape = allow' in a .reader file in $OPENCCID_CONFIG permits it"

rm "$OPENCCID_CONFIG"/*
OPENCCID_QUIRKS='04e6:5116:max-ifs=48,04e6:*:escape=allow,04e6:5116:fixed-in=06.00'
export OPENCCID_QUIRKS
story 04e6:5116 story_override.py "$OPENCCID_CONFIG" allowed
logged "openccid: OPENCCID_QUIRKS, entry 1: unknown key 'max-ifs'"
logged 'openccid: rules of the administrator are applied to this reader: OPENCCID_QUIRKS'
logged 'openccid: firmware 5.23 of this reader has a known fault; firmware 6.00 and later do not have it'
