#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# PINs that are typed at readers of different makers, with T=0 and T=1 cards.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
for card in t1 t0 t1,crc t1,wtx=1,factor=2; do
	SIM_OPTIONS="--card $card --firmware 07.01"
	story 04e6:e003 story_pinpad.py open 25
done
SIM_OPTIONS="--card t1"
story 04e6:e003 story_pinpad.py open 25  # SPR532
story 046a:003e story_pinpad.py open 25  # Cherry ST-2xxx
story 08e6:3478 story_pinpad.py block 8  # GemPC Pinpad
SIM_OPTIONS="--card t0"
story 08e6:34c2 story_pinpad.py open 8   # Ezio Shield, which tells its limits itself
