#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The software reader by itself: libusb talks to it in every way it offers, and nothing is left behind.
set -u

here=${builddir:-.}/tests/sim
sim=$here/ccid-sim
check=$here/usb-check
node=/dev/bus/usb/001/002
failed=0

if [ ! -x "$sim" ] || ! "$sim" --card none -- true 2>/dev/null; then
	echo "SKIP: ccid-sim does not run here"
	exit 77
fi

expect() { # CODE WHAT COMMAND...
	want=$1
	what=$2
	shift 2
	"$@"
	got=$?
	if [ $got -ne "$want" ]; then
		echo "FAILED: $what: exit code $got, not $want"
		failed=1
	fi
}

# A folder of its own, as other tests may run simulators at the same time.
TMPDIR=$(mktemp -d /tmp/sim-test.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

expect 0 "libusb after enumeration" "$sim" -- "$check" open
expect 0 "libusb around a descriptor" "$sim" -- "$check" wrap $node
expect 0 "usbfs by hand" "$sim" -- "$check" raw $node
expect 0 "an unplug under a pending URB" "$sim" -- sh -c "$check unplug $node & sleep 0.3; $sim ctl unplug; wait \$!"
expect 0 "a kernel driver" "$sim" -- sh -c "$sim ctl hold kernel-driver; $check driver $node"
expect 0 "a stalled pipe" "$sim" -- sh -c "$sim ctl stall; $check stall $node"
expect 0 "a correct host has no violations" "$sim" -- sh -c "$check wrap $node && $sim ctl violations"
if [ -x "$here/pace-check" ]; then
	expect 0 "messages in packets with pauses" "$sim" -- sh -c "$here/pace-check && $sim ctl violations"
fi
expect 1 "an unclaimed interface is noticed" "$sim" -- sh -c "$check raw $node; $sim ctl hold process; $check wrap $node 2>/dev/null"
expect 1 "access is denied" "$sim" -- sh -c "$sim ctl access deny; $check wrap $node 2>/dev/null"
expect 1 "no device after an unplug" "$sim" -- sh -c "$sim ctl unplug; $check wrap $node 2>/dev/null"
expect 0 "the next number after a new plug" "$sim" -- sh -c "$sim ctl unplug; $sim ctl plug; $check wrap /dev/bus/usb/001/003"
expect 7 "the command's exit code" "$sim" -- sh -c "exit 7"
expect 143 "the command's signal" "$sim" -- sh -c 'kill -TERM $$'
expect 2 "an unknown option" "$sim" --nonsense 2>/dev/null
expect 143 "a signal to the simulator" sh -c "$sim -- sleep 60 & sleep 0.5; kill -TERM \$!; wait \$!"
expect 1 "an unknown verb" "$sim" -- sh -c "$sim ctl nonsense 2>/dev/null"
expect 0 "the list of readers" sh -c "$sim --list | grep -q '^04e6:5116@'"
expect 2 "a reader that nobody described" "$sim" --reader ffff:ffff -- true 2>/dev/null

if [ -n "$(ls "$TMPDIR")" ]; then
	echo "FAILED: left behind: $(ls "$TMPDIR")"
	failed=1
fi
exit $failed
