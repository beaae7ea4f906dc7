#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What udev makes of the rules for simulated readers: whose the node is, and what is written about power; with "udevadm test", in a
# namespace where no other rules are.
set -u
rules=$top_builddir/udev/60-openccid.rules
[ -e "$rules" ] || rules=$top_srcdir/udev/60-openccid.rules
CCID_SIM=$top_builddir/tests/sim/ccid-sim
skip() {
	echo "SKIP: $*"
	exit 77
}

if [ "${1-}" = inside ]; then
	for folder in /etc/udev/rules.d /lib/udev/rules.d /usr/local/lib/udev/rules.d; do
		[ ! -d "$folder" ] || mount -t tmpfs none "$folder" || exit 99
	done
	cp "$2" /lib/udev/rules.d/ && mount --bind "$3" /etc/group || exit 99
	failures=0
	# What must be said, and what must not; a blank in it is a _.
	while IFS='|' read -r reader wanted unwanted; do
		said=$("$CCID_SIM" --readers "$READERS" --reader "$reader" -- env SYSTEMD_LOG_LEVEL=debug udevadm test --action="${ACTION-add}" /sys/devices/usb1/1-1 2>&1)
		for word in $wanted; do
			word=$(echo "$word" | tr _ ' ')
			echo "$said" | grep -qF -- "$word" && continue
			printf 'FAIL: %s: udevadm does not say "%s":\n%s\n' "$reader" "$word" "$said"
			failures=$((failures + 1))
		done
		for word in $unwanted; do
			word=$(echo "$word" | tr _ ' ')
			echo "$said" | grep -qF -- "$word" || continue
			printf 'FAIL: %s: udevadm says "%s":\n%s\n' "$reader" "$word" "$said"
			failures=$((failures + 1))
		done
	done
	exit $failures
fi

[ -x "$CCID_SIM" ] || skip 'the simulator was not built (is umockdev installed?)'
case ${SANITIZED-} in ?*) skip 'what udev does is the same in each build' ;; esac
command -v udevadm >/dev/null || skip 'udevadm is not installed'
[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || skip 'other rules can be hidden by root only'
if udevadm verify --help >/dev/null 2>&1; then
	udevadm verify "$rules" || exit 1
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
{ cat /etc/group && echo pcscd:x:54321:; } >"$stage/group"
sed -n '/^\[04e6:5116\]/,/^$/p' "$top_srcdir/readers/04e6-scm-microsystems.reader" | sed 's/04e6:5116/04e6:0001/; s/class *=.*/class = 08 06 50/' >"$stage/04e6-a.reader"
try() {
	unshare -m sh "$0" inside "$rules" "$stage/group" || exit 1
}
export CCID_SIM READERS="$top_srcdir/readers"
# The class, one that is known by its ids, two that must not sleep, no reader.
try <<TXT
04e6:5116|GROUP_54321 MODE_0660 power/persist'_writing_'0' power/control'_writing_'auto'|
04e6:e003|GROUP_54321 MODE_0660 power/persist'_writing_'0'|power/control
058f:9520|GROUP_54321 power/persist'_writing_'0' power/control'_writing_'on'|writing_'auto'
0783:0003|GROUP_54321 power/control'_writing_'on'|writing_'auto'
TXT
READERS=$stage
try <<TXT
04e6:0001||GROUP_ power/persist power/control
TXT
READERS=$top_srcdir/readers
export ACTION=change
try <<TXT
04e6:5116|GROUP_54321|power/persist power/control
TXT
ACTION=remove
try <<TXT
04e6:5116||GROUP_ power/persist power/control
TXT
echo "the rules do what they promise"
