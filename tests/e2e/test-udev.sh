#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The udev rules, by udev itself on simulated devices: which readers pcscd's group gets, and how they sleep. Then the description for software
# centres.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
rules=$top_builddir/udev/60-openccid.rules
[ -e "$rules" ] || rules=$top_srcdir/udev/60-openccid.rules
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

# ---- the description -----------------------------------------------------------------------------------------------------
metainfo=$top_builddir/readers/org.openccid.openccid.metainfo.xml
[ -e "$metainfo" ] || metainfo=$top_srcdir/readers/org.openccid.openccid.metainfo.xml
if command -v appstreamcli >/dev/null; then
	appstreamcli validate --pedantic --no-net "$metainfo" || fail "appstreamcli"
else
	echo "not tried: appstreamcli is not installed"
fi

# ---- the rules -----------------------------------------------------------------------------------------------------------
if udevadm verify --help >/dev/null 2>&1; then
	udevadm verify --resolve-names=never "$rules" || fail "udevadm verify"
else
	echo "not tried: this udevadm has no \"verify\", which systemd has since 254"
fi
# After the rules that say what a device is (50-udev-default, 60-fido-id), before those that act on it (70-uaccess, 73-seat-late).
case ${rules##*/} in
60-o*.rules) ;;
*) fail "${rules##*/} would be read at the wrong moment" ;;
esac

[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null && [ -e "${CCID_SIM%/*}/ccid-sim" ] || {
	[ $failed = 0 ] || exit 1
	echo "SKIP: rules can be tried by root only, in a mount namespace, with the simulator"
	exit $SKIP
}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM
mkdir "$stage/rules"
for folder in /lib/udev/rules.d /usr/lib/udev/rules.d; do
	[ ! -d $folder ] || distribution=$folder
done
for file in 50-udev-default 60-autosuspend 60-fido-id 70-uaccess; do
	[ ! -e $distribution/$file.rules ] || cp $distribution/$file.rules "$stage/rules"
done
cp "$rules" "$stage/rules"
cp /etc/group "$stage/group"
getent group pcscd >/dev/null || echo pcscd:x:1: >>"$stage/group"

# Inside: only those rules are there. What udev does to the attributes is read in its log, since some versions do not do it in a test.
cat >"$stage/try" <<'SH'
set -eu
for folder in /etc/udev/rules.d /run/udev/rules.d /usr/local/lib/udev/rules.d; do
	[ ! -d $folder ] || LD_PRELOAD= mount -t tmpfs none $folder
done
LD_PRELOAD= mount --bind "$1/rules" "$2"
LD_PRELOAD= mount --bind "$1/group" /etc/group
power=$UMOCKDEV_DIR/sys/devices/usb1/1-1/power
mkdir -p "$power"
echo on >"$power/control"
echo 1 >"$power/persist"
SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_COLOR=0 udevadm test --action="$3" /sys/devices/usb1/1-1 2>&1
SH

# row READER ACTION WANTED...: the lines that say what was done to the device, in order
row() {
	reader=$1 action=$2
	shift 2
	"$CCID_SIM" --readers "$top_srcdir/readers" $reader -- unshare -m sh "$stage/try" "$stage" "$distribution" $action >"$stage/log" 2>&1 || {
		tail -30 "$stage/log"
		fail "udevadm test with $reader"
		return 0
	}
	found=$(sed -n -e 's/.*60-openccid.rules:[0-9]* \(GROUP\|MODE\) .*/\1/p' \
		-e 's/.*60-openccid.rules:[0-9]* ATTR.*power\/\([a-z]*\).* writing .\([a-z0-9]*\).*/\1=\2/p' \
		-e 's/^ID_SMARTCARD_READER=.*/reader/p' "$stage/log" | tr '\n' ' ')
	# What udev remembers of a device that goes is no matter of these rules.
	[ "$action" != remove ] || found=$(echo "$found" | sed 's/reader //')
	if [ "$found" = "$*${*:+ }" ]; then
		echo "ok: $reader, $action: $found"
	else
		grep -n 'openccid' "$stage/log" || true
		fail "$reader, $action: \"$found\", not \"$*\""
	fi
}

row '--reader 04e6:5116' add GROUP MODE persist=0 control=auto reader
row '--reader 04e6:5116' change GROUP MODE reader
row '--reader 04e6:5116' remove
row '--reader 0973:0003' add GROUP MODE persist=0 reader                                 # ICCD of vendor class
row '--reader 0471:040f' add GROUP MODE persist=0 control=auto reader                    # ICCD, version B
row '--reader 04e6:e003' add GROUP MODE persist=0 reader                                 # of vendor class
row '--reader 058f:9520' add GROUP MODE persist=0 control=on reader                      # does not wake up
row '--reader 0783:0003' add GROUP MODE persist=0 control=on reader
row '--reader 1050:0407' add GROUP MODE persist=0 reader                                 # a keyboard as well
exit $failed
