#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A reader that only a reset of its USB port brings back.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_reset.py "$stage/pcscd.log"
story 076b:3021 story_reset.py "$stage/pcscd.log"
