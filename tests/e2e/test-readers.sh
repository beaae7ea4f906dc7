#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every kind of reader under the real pcscd: TPDU level, short APDU level, without interrupt endpoint, vendor class.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_reader.py 'SCR 3310' tpdu
story 076b:3021 story_reader.py 'CardMan 3121' apdu
story 0424:1202/1 story_reader.py 'SEC1210' tpdu
story 04e6:e003 story_reader.py 'SPR 532' tpdu
