#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# 64 KiB both ways on readers of each level, with messages of 64 bytes, of one short APDU, and of one extended APDU.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_extended.py tpdu
story 076b:3021 story_extended.py short
story 09d8:0428 story_extended.py extended
story 096e:0624 story_extended.py extended
story 1c34:6012 story_extended.py whole
