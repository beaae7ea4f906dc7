#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Readers that come and go while clients use them: one with a slot, and one with eight.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
SIM_OPTIONS="--card none"
story 04e6:5116 story_storm.py 1 4
story 1d50:6141 story_storm.py 8 3
