#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# T=1 at TPDU level on readers that negotiate by themselves, on readers for which the host does it, on readers that have
# to be told the rate, and at character level.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_t1.py reader
story 08e6:3437 story_t1.py host
story 24a2:0102 story_t1.py rate
story 1d99:0016 story_t1.py table
story 0416:3815 story_t1.py characters
