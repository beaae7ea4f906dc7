#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The SCR3310 that refused GET RESPONSE with F6h.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_f6.py "$stage/pcscd.log"
