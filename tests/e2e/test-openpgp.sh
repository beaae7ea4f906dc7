#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ordinary programs log in to an OpenPGP card, with its PIN typed at the computer.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
find_scdaemon
need opensc-tool pkcs15-tool pkcs11-tool
make_stage
make_home
SIM_OPTIONS="--card openpgp"
story 04e6:5116 story_openpgp.py "$scdaemon"
story 04e6:e003 story_openpgp.py "$scdaemon" # its keypad is not used
story 076b:3021 story_openpgp.py "$scdaemon" # APDU level
SIM_OPTIONS="--card openpgp,crc,wtx=3,factor=2"
story 04e6:5116 story_openpgp.py "$scdaemon"
