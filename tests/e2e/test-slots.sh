#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Devices with two readers: of different levels, with and without an interrupt endpoint; and a reader with eight slots.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
SIM_OPTIONS="--whole --card none"
story 04e6:5724 story_slots.py 2 in-turn t0 t1
story 0424:1202 story_slots.py 2 in-turn t1 t0
story 1d50:6141 story_slots.py 8 together t0 t0,ta1=95
