#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ordinary programs log in to an OpenPGP card, with its PIN typed at the reader.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
find_scdaemon
need pkcs15-tool pkcs11-tool
make_stage
make_home
SIM_OPTIONS="--card openpgp"
story 04e6:e003 story_pinpad_clients.py "$scdaemon" # SPR532
story 046a:003e story_pinpad_clients.py "$scdaemon" # Cherry ST-2xxx
# scdaemon does not know these as readers that take PINs of any length
story 076b:3821 story_pinpad_clients.py "$scdaemon" --enable-pinpad-varlen # CardMan 3821
story 08e6:34c2 story_pinpad_clients.py "$scdaemon" --enable-pinpad-varlen # Ezio Shield
