#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# openccid list, with readers of every kind and everybody who may hold one.
set -u
. "$top_srcdir/tests/tool/lib.sh"
need_simulator
S=$stage/config
export S
mkdir "$S"

row 'a free reader with a card' 0 'openccid list' <<'TXT'
04e6:5116 SCM Microsystems Inc. SCR 3310
at         /dev/bus/usb/001/002, interface 0
firmware   5.23
level      TPDU, 1 slot
card       a card is in
driven by  nobody
list       in the list
! rule
! settings
TXT
row 'without a card' 0 'openccid list' --card none <<'TXT'
card       no card
TXT
row 'nothing is plugged in' 0 '"$CCID_SIM" ctl unplug && openccid list; openccid list --json' <<'TXT'
No smart-card reader is plugged in.
[]
TXT
row 'a kernel driver has it' 0 '"$CCID_SIM" ctl hold kernel-driver; openccid list' <<'TXT'
card       not asked, since somebody else has the reader
driven by  the kernel driver ccid_kernel
TXT
row 'a process has it' 0 '"$CCID_SIM" ctl hold process; openccid list' <<'TXT'
driven by  a program that only root can see
TXT
row 'nobody may open it' 0 '"$CCID_SIM" ctl access deny; openccid list' <<'TXT'
card       not known
driven by  not known: this user may not open the reader
TXT
row 'a keypad whose firmware is broken, and its rules' 0 'openccid list' --reader 04e6:e003 --firmware 07.00 <<'TXT'
firmware   7.00
rule       pinpad = broken, fixed-in = 07.01
every secure PIN entry of this firmware ends in 64 00
TXT
row 'the same where a rule does not hold' 0 'openccid list' --reader 04e6:e003 --firmware 07.01 <<'TXT'
level      TPDU, 1 slot, keypad
! pinpad = broken
TXT
row 'known not to work' 0 'openccid list' --reader 03eb:6016 <<'TXT'
list       in the list, and known not to work: pcscd does not get it
TXT
row 'a token' 0 'openccid list' --reader 1059:000c <<'TXT'
level      short APDU, 1 slot, a token (ICCD)
TXT
row 'vendor class' 0 'openccid list' --reader 04e6:5111 <<'TXT'
04e6:5111 SCM Microsystems Inc. SCR 331-DI
TXT
row 'two interfaces' 0 'openccid list' --reader 04e6:5724 --whole <<'TXT'
interface 0
interface 1
TXT
row 'left to another driver' 0 'mkdir "$S/left"; printf "[04e6:5116]\nleave = yes\n" >"$S/left/a.reader"; OPENCCID_CONFIG=$S/left openccid list' <<'TXT'
left       to another driver, by 'leave = yes' in the settings
TXT
row 'left, for programs' 0 'OPENCCID_QUIRKS=04e6:5116:leave openccid list --json; openccid list --json' <<'TXT'
"left": true
"left": false
TXT
row 'settings of the administrator' 0 \
	'mkdir -p "$S" && printf "[04e6:5116]\nslots = 1\n" >"$S/a.reader" && OPENCCID_CONFIG=$S openccid list' <<'TXT'
settings   a.reader
TXT
row 'for programs' 0 'openccid list --json >"$S/list.json" && python3 -c "
import json, sys
(r,) = json.load(open(sys.argv[1]))
print(r[\"vid\"], r[\"pid\"], r[\"level\"], r[\"slots\"], r[\"driver\"], r[\"listed\"], r[\"offered\"], r[\"firmware\"], r[\"rules\"])
" "$S/list.json"' <<'TXT'
04e6 5116 tpdu [{'slot': 0, 'card': 'present'}] {'kind': 'none', 'name': None} True True 05.23 []
TXT

# A reader that nobody knows: the file of a reader, with another name and id.
mkdir "$stage/readers"
sed -n '/^\[04e6:5116\]/,/^$/p' "$top_srcdir/readers/04e6-scm-microsystems.reader" |
	sed 's/04e6:5116/04e6:0001/; s/^name .*/name = nobody knows it/' >"$stage/readers/04e6-a.reader"
READERS=$stage/readers
row 'not in the list' 0 'openccid list' --reader 04e6:0001 <<'TXT'
04e6:0001 SCM Microsystems Inc. SCR3310 USB Smart Card Reader
list       not in the list: "openccid adopt"
TXT
unset READERS

need_pcscd
row 'pcscd has it' 0 'openccid list' --pcscd --drivers "$stage/drivers" <<'TXT'
card       a card that answers: 3B 65 00 00 4F 43 49 44 31
driven by  pcscd
TXT
row 'pcscd has it, and the card is mute' 0 '
	"$CCID_SIM" ctl remove; "$CCID_SIM" ctl supply 1.8; "$CCID_SIM" ctl insert
	n=0
	until openccid list | grep "does not answer"; do n=$((n + 1)); [ $n -lt 100 ] || exit 9; sleep 0.1; done' \
	--pcscd --drivers "$stage/drivers" <<'TXT'
card       a card that does not answer
TXT
end
