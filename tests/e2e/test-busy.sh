#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A reader that a kernel driver, another process or missing rights keep from pcscd.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_busy.py "$stage/pcscd.log"
