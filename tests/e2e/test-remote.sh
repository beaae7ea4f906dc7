#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Applications whose pcscd is on another machine, behind a forwarded socket.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_remote.py
