#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# openccid doctor: each cause is brought about, and found, and nothing else with it.
set -u
. "$top_srcdir/tests/tool/lib.sh"
need_simulator
need_pcscd
cp -r "$stage/drivers" "$stage/known"
OPENCCID_DRIVERS=$stage/known
# The simulated nodes are root's, and some systems have a user for pcscd.
OPENCCID_PCSCD_USER=root
export OPENCCID_DRIVERS OPENCCID_PCSCD_USER stage
pcscd="--pcscd --drivers $stage/drivers"
fine='Nothing is wrong: it should work.'

# sick NAME SCRIPT OPTIONS...: what row wants, with exit code 1, and exactly one cause
sick() {
	name=$1 script=$2
	shift 2
	row "$name" 1 "$script" "$@"
	[ "$(grep -c '^  wrong  ' "$stage/said")" = "${causes-1}" ] || wrong "does not name ${causes-1} cause"
	[ "$(grep -c '^  do     ' "$stage/said")" = "${causes-1}" ] || wrong "does not name ${causes-1} cure"
	! grep -q "$fine" "$stage/said" || wrong 'says that nothing is wrong'
}

# shellcheck disable=SC2086 # options
row 'all is well' 0 'openccid doctor' $pcscd <<TXT
04e6:5116 SCM Microsystems Inc. SCR 3310
$fine
! wrong  
! ok  
TXT
row 'all is well, and everything is told' 0 'openccid doctor -v 3310' $pcscd <<TXT
ok     pcscd has the reader: programs see it as "SCM Microsystems Inc. SCR 3310 00 00"
ok     the card is well: a card is in, and answers
ok     reader and card speak the same protocol
ok     pcscd is new enough: pcscd
$fine
TXT
row 'without a card' 0 'openccid doctor -v' $pcscd --card none <<TXT
the card is well: there is no card in it
$fine
TXT
sick 'not plugged in' '"$CCID_SIM" ctl unplug; openccid doctor' <<'TXT'
wrong  No smart-card reader is plugged in
do     Plug it in
TXT
sick 'another reader than the one that is plugged in' 'openccid doctor 1234:5678' $pcscd <<'TXT'
wrong  No smart-card reader that "1234:5678" could mean is plugged in.
TXT
sick 'known not to work' 'openccid doctor' --reader 03eb:6016 <<'TXT'
wrong  This model is known not to work
TXT

# ---- the description of itself
mkdir "$stage/readers"
section() { # NEW-ID NAME [SED]
	sed -n '/^\[04e6:5116\]/,/^$/p' "$top_srcdir/readers/04e6-scm-microsystems.reader" |
		sed "s/04e6:5116/$1/; s/^name .*/name = $2/; ${3-}"
}
section 04e6:0001 'nobody knows it' >"$stage/readers/04e6-a.reader"
section 04e6:0002 'nonsense' 's/ 0f 01 00 00 ff/ 0a 00 00 00 ff/' >>"$stage/readers/04e6-a.reader"
READERS=$stage/readers
sick 'a message length that is none' 'openccid doctor' --reader 04e6:0002 <<'TXT'
wrong  What the reader says of itself makes no sense
do     Look whether its maker has a newer firmware. "openccid describe 04e6:0002"
TXT

# ---- bundles
sick 'a model that pcscd does not know' 'openccid doctor' --reader 04e6:0001 $pcscd <<'TXT'
wrong  pcscd does not know this model, 04e6:0001
do     As root: openccid adopt 04e6:0001.
TXT
mkdir -p "$stage/known/other.bundle/Contents"
cat >"$stage/known/other.bundle/Contents/Info.plist" <<'TXT'
	<key>CFBundleExecutable</key>
	<string>libother.so</string>
	<key>ifdVendorID</key>
	<array>
		<string>0x04E6</string>
		<string>0x04E6</string>
	</array>
	<key>ifdProductID</key>
	<array>
		<string>0x5116</string>
		<string>0x0001</string>
	</array>
TXT
sick 'another driver has it' 'openccid doctor' --reader 04e6:0001 $pcscd <<'TXT'
wrong  pcscd does not give this reader to the driver openccid, but to another one: other.bundle.
TXT
unset READERS
row 'another driver claims it, too' 0 'openccid doctor -v' $pcscd <<'TXT'
ok     no other driver comes first: other.bundle claims it, too; pcscd takes openccid first
TXT
row 'it is left to the other one' 0 'OPENCCID_QUIRKS=04e6:5116:leave openccid doctor -v' $pcscd <<'TXT'
ok     no setting leaves it to another driver: 'leave = yes' in
leaves it to other.bundle
! pcscd takes openccid first
TXT
rm -r "$stage/known/other.bundle"
sick 'it is left to a driver that is not there' 'OPENCCID_QUIRKS=04e6:5116:leave openccid doctor' $pcscd <<'TXT'
wrong  'leave = yes' in
leaves this reader to another driver, and pcscd has no other one for it.
do     Take that line out and plug the reader in again, or install the other driver
TXT
mkdir "$stage/empty"
sick 'the driver is somewhere else' 'OPENCCID_DRIVERS=$stage/empty openccid doctor' --pcscd --drivers "$stage/empty" <<'TXT'
wrong  The driver is not where pcscd looks for drivers
TXT

# ---- pcscd
sick 'pcscd does not run' 'openccid doctor' <<'TXT'
wrong  pcscd, the program that all others use to reach smart cards, does not run.
do     As root: systemctl enable --now pcscd.socket.
TXT
printf '#!/bin/sh\necho "pcsc-lite version 1.8.5."\n' >"$stage/old"
chmod +x "$stage/old"
sick 'pcscd is too old' 'OPENCCID_PCSCD=$stage/old openccid doctor' $pcscd <<'TXT'
wrong  pcscd is older than this driver needs: it is 1.8.5, and has to be 1.8.9.
TXT
printf '#!/bin/sh\nexit 1\n' >"$stage/strange"
chmod +x "$stage/strange"
row 'pcscd does not tell its version' 0 'OPENCCID_PCSCD=$stage/strange openccid doctor -v' $pcscd <<'TXT'
-      not looked at: pcscd is new enough
TXT
causes=2
sick 'pcscd is not installed' 'OPENCCID_PCSCD=/nonexistent openccid doctor' <<'TXT'
wrong  pcscd, the program that all others use to reach smart cards, is not installed.
wrong  pcscd, the program that all others use to reach smart cards, does not run.
TXT
sick 'the reader does not answer' '"$CCID_SIM" ctl silent any 10000; openccid doctor' <<'TXT'
wrong  pcscd, the program that all others use to reach smart cards, does not run.
wrong  The reader does not answer
do     Unplug it and plug it in again
TXT
unset causes
sick 'pcscd has not taken the reader' '
	"$CCID_SIM" ctl unplug
	# it sees the reader while nobody may open it, and does not try again
	pid=$(pgrep -P $PPID -x pcscd) && kill -STOP "$pid" && "$CCID_SIM" ctl plug && "$CCID_SIM" ctl access deny && kill -CONT "$pid"
	n=0
	until grep -q "no permission" "$CCID_SIM_LOG"; do n=$((n + 1)); [ $n -lt 100 ] || exit 9; sleep 0.1; done
	sleep 1; "$CCID_SIM" ctl access allow; openccid doctor' $pcscd <<'TXT'
wrong  pcscd runs and knows this model, but has not taken the reader.
TXT

# ---- who may have it, and who has it
causes=2
sick 'a program has it' '"$CCID_SIM" ctl hold process; openccid doctor' <<'TXT'
wrong  Another program has the reader: a program that only root can see.
do     End that program, or tell it to leave the reader alone
wrong  pcscd, the program that all others use to reach smart cards, does not run.
TXT
sick 'it may not be opened' '"$CCID_SIM" ctl access deny; openccid doctor' <<'TXT'
wrong  The reader may not be opened although its node /dev/bus/usb/001/002 allows it: a sandbox
TXT
sick 'there is no node' 'rm "$UMOCKDEV_DIR/dev/bus/usb/001/002"; openccid doctor' <<'TXT'
wrong  The computer sees the reader, but there is no device node /dev/bus/usb/001/002 for it.
TXT

# A socket like that of a pcscd of another user: whose it is decides.
mkdir "$stage/rules" "$stage/no-rules"
: >"$stage/rules/60-openccid.rules"
node='$UMOCKDEV_DIR/dev/bus/usb/001/002'
if [ "$(id -u)" = 0 ]; then
	daemon='mkdir -p "${PCSCLITE_CSOCK_NAME%/*}"; : >"$PCSCLITE_CSOCK_NAME"; chown 65534 "$PCSCLITE_CSOCK_NAME"; '
	sick 'the node is not for pcscd, and there are no rules' "$daemon
		chmod 660 $node; OPENCCID_RULES=\$stage/no-rules openccid doctor" <<'TXT'
wrong  pcscd, which runs as the user nobody, may not use the reader: its node /dev/bus/usb/001/002 belongs to the group root, with mode 660.
do     Install the driver again: its rules for udev (60-openccid.rules) are missing.
TXT
	sick 'the node is not for pcscd, since the rules came later' "$daemon
		chmod 660 $node; OPENCCID_RULES=\$stage/rules openccid doctor" <<'TXT'
do     As root: udevadm control --reload, then plug the reader in again: the rules came after it.
TXT
	sick 'the rules are missing, though it works today' "$daemon
		chmod 666 $node; OPENCCID_RULES=\$stage/no-rules openccid doctor" <<'TXT'
wrong  The rules that let pcscd use smart-card readers (60-openccid.rules) are not installed.
! may not use the reader
TXT
	causes=1
	sick 'the node is for its group' "$daemon
		chgrp 65534 $node; chmod 660 $node; OPENCCID_RULES=\$stage/rules openccid doctor" <<'TXT'
wrong  pcscd, the program that all others use to reach smart cards, does not run.
TXT
	causes=2
	sick 'a driver of the kernel has it' "$daemon
		chmod 666 $node; \"\$CCID_SIM\" ctl hold kernel-driver; OPENCCID_RULES=\$stage/rules openccid doctor" <<'TXT'
wrong  A driver of the kernel, ccid_kernel, has the reader.
do     As root: modprobe -r ccid_kernel
TXT
else
	echo 'not tried: what takes root'
fi
unset causes

# ---- a pcscd that lets nobody in; that of Debian 12 knows no polkit, so a library says what another pcscd would
mkdir "$stage/lib"
cat >"$stage/lib/stub.c" <<'TXT'
#include <stdlib.h>
long SCardEstablishContext(void) { return (long)strtoul(getenv("ANSWER"), NULL, 16); }
long SCardReleaseContext(void) { return 0; }
long SCardListReaders(void) { return 0x8010002E; }
long SCardGetStatusChange(void) { return 0; }
long SCardConnect(void) { return 0; }
long SCardDisconnect(void) { return 0; }
long SCardGetAttrib(void) { return 0; }
TXT
mkdir "$stage/broken"
: >"$stage/broken/libpcsclite.so.1"
sick 'the library is missing' 'LD_LIBRARY_PATH=$stage/broken openccid doctor' $pcscd <<'TXT'
wrong  libpcsclite, by which programs reach pcscd, is not installed.
TXT
if ${CC:-cc} -shared -fPIC -o "$stage/lib/libpcsclite.so.1" "$stage/lib/stub.c" 2>/dev/null; then
	stub='LD_LIBRARY_PATH=$stage/lib openccid doctor'
	sick 'pcscd lets nobody in' "ANSWER=8010006A $stub" <<'TXT'
wrong  pcscd runs, but does not let you in: polkit
do     Log in at the computer itself rather than by ssh
TXT
	sick 'pcscd answers strangely' "ANSWER=80100001 $stub" <<'TXT'
wrong  pcscd does not answer as it should (code 80100001).
TXT
	sick 'pcscd runs, and that is all' "ANSWER=0 $stub" <<'TXT'
wrong  pcscd runs and knows this model, but has not taken the reader.
TXT
else
	echo 'not tried: what takes a compiler'
fi

# ---- a unit that locks pcscd up: what systemctl says of it is as systemd writes it
there='mkdir -p "${PCSCLITE_CSOCK_NAME%/*}"; : >"$PCSCLITE_CSOCK_NAME"; '
unit() { # PrivateDevices DevicePolicy DeviceAllow RestrictAddressFamilies
	printf '#!/bin/sh\nprintf "%%s\\n" ActiveState=active PrivateDevices=%s DevicePolicy=%s "DeviceAllow=%s" "RestrictAddressFamilies=%s"\n' \
		"$@" >"$stage/bin/systemctl"
	chmod +x "$stage/bin/systemctl"
}
if [ -e "$stage/lib/libpcsclite.so.1" ]; then
	unit yes closed 'char-usb_device rw' ''
	sick 'a unit without devices' "$there ANSWER=0 $stub" <<'TXT'
wrong  pcscd is locked up: its unit of systemd says PrivateDevices=yes
do     As root: systemctl edit pcscd.service, write a line [Service] and below it PrivateDevices=no
TXT
	unit no closed '/dev/null rw' ''
	sick 'a unit with other devices' "$there ANSWER=0 $stub" <<'TXT'
says DevicePolicy, without a DeviceAllow for USB
below it DeviceAllow=char-usb_device rw
TXT
	unit no auto '' 'AF_UNIX AF_INET'
	sick 'a unit that does not hear udev' "$there ANSWER=0 $stub" <<'TXT'
says RestrictAddressFamilies, without AF_NETLINK
TXT
	unit no auto '' '~AF_NETLINK AF_PACKET'
	sick 'a unit that does not hear udev, said the other way' "$there ANSWER=0 $stub" <<'TXT'
says RestrictAddressFamilies, without AF_NETLINK
TXT
	unit no closed 'char-usb_device rw' 'AF_NETLINK AF_UNIX'
	sick 'a unit as pcsc-lite has it' "$there ANSWER=0 $stub" <<'TXT'
wrong  pcscd runs and knows this model, but has not taken the reader.
! locked up
TXT
	rm "$stage/bin/systemctl"
fi

# ---- the reader and its card
sick 'a firmware with a fault' 'openccid doctor' $pcscd --reader 04e6:e003 --firmware 07.00 <<'TXT'
wrong  The firmware of the reader, 7.00, has a known fault: every secure PIN entry
do     Get firmware 7.01 or later from the maker of the reader.
TXT
power='mkdir -p $UMOCKDEV_DIR/sys/devices/usb1/1-1/power; cd $UMOCKDEV_DIR/sys/devices/usb1/1-1/power; '
sick 'it does not wake up, and may be put to sleep' "$power echo auto >control; echo active >runtime_status; openccid doctor 058f:9520" --reader 058f:9520 $pcscd <<'TXT'
wrong  The computer may put the reader to sleep to save power, and this one does not wake up again.
do     As root: echo on > /sys/bus/usb/devices/1-1/power/control
USB_DENYLIST="058f:9520"
TXT
row 'another one may sleep while nobody uses it' 0 "$power echo auto >control; echo active >runtime_status; openccid doctor -v" $pcscd <<'TXT'
ok     the reader comes back from sleep
TXT
sick 'it did not wake up' "$power echo on >control; echo error >runtime_status; openccid doctor" $pcscd <<'TXT'
wrong  The computer put the reader to sleep to save power, and it did not wake up again.
TXT
row 'it is not put to sleep' 0 "$power echo on >control; echo active >runtime_status; openccid doctor -v" $pcscd <<'TXT'
ok     the reader comes back from sleep
TXT
mute='"$CCID_SIM" ctl remove; "$CCID_SIM" ctl supply 1.8; "$CCID_SIM" ctl insert; '
sick 'a mute card' "$mute"'
	n=0
	until openccid list | grep "does not answer"; do n=$((n + 1)); [ $n -lt 100 ] || exit 9; sleep 0.1; done
	openccid doctor' $pcscd <<'TXT'
wrong  There is a card in the reader, but it does not answer.
do     Turn the card around
TXT
sick 'a card of a protocol that no reader has' 'openccid doctor' $pcscd --atr '3B 80 02 82' <<'TXT'
wrong  The card speaks only the protocol T=2, which this reader cannot.
TXT
section 04e6:5116 'T=0 only' 's/ 03 00 00 00 a0 0f/ 01 00 00 00 a0 0f/' >"$stage/readers/04e6-a.reader"
READERS=$stage/readers
sick 'a T=1 card, and a reader that cannot' 'openccid doctor' $pcscd --reader 04e6:5116 --card t1 <<'TXT'
wrong  The card speaks only the protocol T=1, which this reader cannot.
TXT
unset READERS
causes=2
sick 'the same without pcscd: a mute card' "$mute openccid doctor --card" <<'TXT'
wrong  pcscd, the program that all others use to reach smart cards, does not run.
wrong  There is a card in the reader, but it does not answer.
TXT
causes=1
row 'a card that is well, without pcscd' 1 'openccid doctor --card -v' <<'TXT'
ok     the reader answers
ok     the card is well: a card is in, and answers
ok     reader and card speak the same protocol
TXT
sick 'the card was not asked for' "$mute openccid doctor -v" <<'TXT'
-      not looked at: the card is well
TXT
row 'for programs' 0 'openccid doctor --json >"$stage/json" && python3 -c "
import json, sys
(r,) = json.load(open(sys.argv[1]))
print(r[\"ids\"], len(r[\"checks\"]), {c[\"result\"] for c in r[\"checks\"]} <= {\"fine\", \"unknown\"})
" "$stage/json"' $pcscd <<'TXT'
04e6:5116 20 True
TXT
row 'nothing is plugged in, for programs' 1 '"$CCID_SIM" ctl unplug; openccid doctor --json' <<'TXT'
"check": "plugged",
"result": "wrong",
TXT
end
