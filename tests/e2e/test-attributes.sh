#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every attribute and control code through WinSCard on readers of all kinds.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
SIM_OPTIONS='--card none'
story 04e6:5116 story_attributes.py 04e6:5116 t0 t0,ta1=96 t1 t1,crc,ifsc=40,bwi=2 dual,ta1=95  # TPDU, PPS by the reader
story 08e6:3437 story_attributes.py 08e6:3437 names_firmware=yes t0,ta1=95 t1                  # PPS by the host, one clock
story 24a2:0102 story_attributes.py 24a2:0102 t0,ta1=96                                        # the rate has to be set
story 0416:3815 story_attributes.py 0416:3815 t0 t1                                            # characters
story 076b:3021 story_attributes.py 076b:3021 t0 t1,ta1=95,ifsc=100                            # short APDUs
story 096e:0624 story_attributes.py 096e:0624 t0 t1,crc                                        # extended APDUs
story 04e6:5790 story_attributes.py 04e6:5790 t1                                               # contactless
story 08e6:3478 story_attributes.py 08e6:3478 names_firmware=yes conditions=2 columns=16 lines=2 t0               # keypad
story 08e6:3478@0211 story_attributes.py 08e6:3478@0211 names_firmware=yes conditions=2 columns=16 lines=2 t1     # and display
story 0d46:3010 story_attributes.py 0d46:3010 level=short-apdu mct=yes t0                      # Secoder
SIM_OPTIONS='--card none --whole'
story 04e6:5724 story_attributes.py 04e6:5724 interface=1 slot=1 unit=1 t1                     # the second of two interfaces
story 1d50:6141 story_attributes.py 1d50:6141 t0,ta1=95                                        # the first of eight slots
SIM_OPTIONS='--card t1'
story 0471:040f story_attributes.py 0471:040f inside                                           # ICCD version B
SIM_OPTIONS='--card t0'
story 0973:0003 story_attributes.py 0973:0003 inside                                           # and A
OPENCCID_QUIRKS='04e6:*:escape=allow'
export OPENCCID_QUIRKS
SIM_OPTIONS='--card none'
story 04e6:e003 story_attributes.py 04e6:e003 escape=yes t1                                    # Escape commands
