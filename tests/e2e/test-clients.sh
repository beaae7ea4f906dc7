#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two clients with 10,000 APDUs each, and a card that is pulled and put back meanwhile.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
story 04e6:5116 story_clients.py 10000
