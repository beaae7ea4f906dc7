#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# T=1 at TPDU level on readers that negotiate by themselves, and on readers for which the host does it.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_t1.py reader
story 08e6:3437 story_t1.py host
