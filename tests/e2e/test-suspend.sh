#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A suspend, and a reset of the port by the system: with an interrupt endpoint, without one, and a reader with two slots.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
for reader in 04e6:5116 08df:3117 04e6:5724; do
	story $reader story_suspend.py "$stage/pcscd.log"
done
