#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Tokens on the control pipe: ICCD version B without and with an interrupt endpoint, version A with the smart-card class and
# with the vendor class.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 0471:040f story_iccd.py B
story 1059:000c story_iccd.py B
story 23a0:0002 story_iccd.py A
story 0973:0003 story_iccd.py A
