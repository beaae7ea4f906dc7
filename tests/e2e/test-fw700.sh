#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The SPR332 with firmware 7.00: its keypad is not offered; where somebody forces it, the failure costs no more than one entry.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
SIM_OPTIONS="--card t1 --firmware 07.00"
story 04e6:e003 story_fw700.py withheld
OPENCCID_QUIRKS=04e6:e003:pinpad=force
export OPENCCID_QUIRKS
story 04e6:e003 story_fw700.py offered
# An administrator's file says the same.
unset OPENCCID_QUIRKS
mkdir "$stage/settings"
printf '[04e6:e003]\npinpad = force\n' >"$stage/settings/keypad.reader"
OPENCCID_CONFIG=$stage/settings
export OPENCCID_CONFIG
story 04e6:e003 story_fw700.py offered
