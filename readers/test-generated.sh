#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is generated from the readers: good input, the same bytes in any order and locale, readable to pcscd, no leaks.
set -u
export LC_ALL=C

src=${srcdir:-.}/readers
tool=${READERDB:-./readers/readerdb}
if [ ! -x "$tool" ]; then
	echo "$tool is not built: run make first"
	exit 77
fi
"$tool" >/dev/null 2>&1
if [ $? -ne 2 ]; then
	echo "$tool does not run on this machine (cross-compiled?)"
	exit 77
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

forward() {
	"$tool" "$@" "$src"/*.reader
}

# The same files in reverse order, under a locale with other collation and case rules where there is one.
backward() {
	command=$*
	set --
	for file in "$src"/*.reader; do
		set -- "$file" "$@"
	done
	# shellcheck disable=SC2086 # the command is one or two words
	LC_ALL=${other:-C} "$tool" $command "$@"
}

other=$(locale -a 2>/dev/null | grep -i -E '^(tr_TR|de_DE|et_EE|en_US|C\.utf)' | head -n 1)

forward check || fail "readerdb check"
for out in table plist udev metainfo; do
	version=
	[ $out = plist ] && version=1.2.3
	# shellcheck disable=SC2086 # no version is no argument
	forward $out $version >"$work/$out" || fail "readerdb $out"
	# shellcheck disable=SC2086
	backward $out $version >"$work/$out.again" || fail "readerdb $out in reverse order"
	cmp "$work/$out" "$work/$out.again" || fail "$out depends on the order of the files or on the locale"
done

# Read the plist as pcscd does: by lines, one element each.
array() {
	awk -v key="$1" '
		$0 == "\t<key>" key "</key>" { on = 1; next }
		on && /<\/array>/ { exit }
		on && /^\t\t<string>.*<\/string>$/ { sub(/^\t\t<string>/, ""); sub(/<\/string>$/, ""); print }
	' "$work/plist"
}

array ifdVendorID >"$work/vid"
array ifdProductID >"$work/pid"
array ifdFriendlyName >"$work/name"
n=$(wc -l <"$work/vid")
[ "$n" -gt 500 ] || fail "ifdVendorID has only $n entries"
[ "$n" -eq "$(wc -l <"$work/pid")" ] || fail "ifdVendorID and ifdProductID differ in length"
[ "$n" -eq "$(wc -l <"$work/name")" ] || fail "ifdVendorID and ifdFriendlyName differ in length"
grep -v -E '^0x[0-9A-F]{4}$' "$work/vid" "$work/pid" && fail "an id is not written as 0x%04X"
grep '[<>"]' "$work/name" && fail "a name has a character that pcscd cannot read"
sed 's/&amp;//g' "$work/name" | grep '&' && fail "a name has an entity other than &amp;"
awk 'length($0) > 100' "$work/name" | grep . && fail "a name leaves no room for what pcscd appends"

# Every line is of a form the scanner knows; a comment or a second element on a line would be misread.
sed 's/^\(	\)*//' "$work/plist" |
	grep -v -E '^(<[?!/]?(xml|DOCTYPE|plist|dict)[^<>]*>|</?array>|<key>[A-Za-z0-9 ]+</key>|<string>[^<>]*</string>)$' && fail "the plist has a line that pcscd's scanner does not know"
grep CFBundleName "$work/plist" && fail "CFBundleName is set: pcscd would take us for a fallback"
[ "$(grep '<key>' "$work/plist" | head -n 2 | tr -d '\t\n')" = "<key>ifdLogLevel</key><key>ifdDriverOptions</key>" ] ||
	fail "ifdLogLevel and ifdDriverOptions are not the first keys"
grep -q '<string>1.2.3</string>' "$work/plist" || fail "the version is not in the plist"

# The offered ids, by another program than the generator: exactly the sections with a status that offers them.
awk '
	/^\[/ { id = tolower(substr($0, 2, 9)) }
	/^status *= *(supported|should-work) *$/ { print id }
' "$src"/*.reader | sort >"$work/want"
paste -d : "$work/vid" "$work/pid" | sed 's/0x//g' | tr A-F a-f | sort >"$work/have"
diff "$work/want" "$work/have" || fail "the plist does not offer exactly the readers that are supported or should work"

# The udev rules grant nothing to what is not offered, and have the frame that keeps them from other devices.
awk '
	/^\[/ { id = tolower(substr($0, 2, 9)) }
	/^status *= *(unsupported|disabled) *$/ { print id }
' "$src"/*.reader | sort >"$work/withheld"
sed -n 's/^ATTR{idVendor}=="\(....\)", ATTR{idProduct}=="\(....\)", ENV{ID_SMARTCARD_READER}="1", GROUP="pcscd", MODE="0660".*$/\1:\2/p' "$work/udev" |
	sort >"$work/granted"
[ -s "$work/granted" ] || fail "udev grants nothing by id"
comm -12 "$work/withheld" "$work/granted" | grep . && fail "udev grants a reader that is not offered"
for line in 'ACTION=="remove", GOTO="openccid_end"' 'ENV{DEVTYPE}!="usb_device", GOTO="openccid_end"' \
	'LABEL="openccid_end"'; do
	grep -q -x -F "$line" "$work/udev" || fail "the udev rules have no line $line"
done

# What must be refused, and with which words. Each case: name of the file, text to look for, content.
refused() {
	printf '%s\n' "$3" >"$work/$1"
	if "$tool" check "$work/$1" >/dev/null 2>"$work/err"; then
		fail "accepted: $2"
	elif ! grep -q -F -e "$2" "$work/err"; then
		fail "not refused for '$2' but for:"
		cat "$work/err"
	fi
}

unit='unit 01.00:
  interface 0:
    class = 0b 00 00
    endpoints = 3
    descriptor = 36 21 10 01 00 07 03 00 00 00 a0 0f 00 00 a0 0f 00 00 00 80 25 00 00 00 c2 01 00 00 fe 00 00 00 00 00 00 00 00 00 00 00 ba 04 01 00 0f 01 00 00 ff ff 00 00 00 01'
section() {
	printf '[%s]\nname = %s\nstatus = supported\n%s\n' "$1" "${2-A reader}" "$unit"
}

good=$work/ffff-vendor.reader
section ffff:0001 >"$good"
"$tool" check "$good" || fail "the plain section of this test is refused"
refused ffff-vendor.reader 'the vendor id is not the one of the file name' "$(section fffe:0001)"
refused ffff-vendor.reader 'sort the sections' "$(section ffff:0002; section ffff:0001)"
refused ffff-vendor.reader 'is already described at' "$(section ffff:0001; section ffff:0001)"
refused ffff-vendor.reader 'angle bracket' "$(section ffff:0001 'A <reader>')"
refused ffff-vendor.reader 'name is missing' '[ffff:0001]'
refused ffff-vendor.reader 'no [vid:pid] section' '# nothing'
refused FFFF-vendor.reader 'the file name must be' "$(section ffff:0001)"
refused ffff.reader 'the file name must be' "$(section ffff:0001)"
refused ffff-vendor.reader '[vid:*]' "$(section ffff:0001; printf '[ffff:*]\nwhy = x\nno-pps = yes\n')"
refused ffff-vendor.reader 'ffff:* is already described at' "$(printf '[ffff:*]\nwhy = x\nno-pps = yes\n%.0s' 1 2)"
refused ffff-vendor.reader 'the vendor id is not the one of the file name' "$(printf '[fffe:*]\nwhy = x\nno-pps = yes\n')"
refused ffff-vendor.reader 'this section changes nothing' "$(printf '[ffff:*]\nwhy = x\n')"
refused ffff-vendor.reader 'is for the files of an administrator' "$(printf '[*]\nlog = all\n')"

# What holds for a vendor is in its own table, and offers nothing to anybody.
{ printf '[ffff:*]\nwhy = because\nno-pps = yes\n'; section ffff:0000; } >"$good"
"$tool" table "$good" >"$work/out" || fail "a section for a vendor is refused"
grep -q '0xffff, 0, 1 },' "$work/out" || fail "the rule of a vendor is not in quirk_vendors"
grep -q 'quirk_vendors_len = 1;' "$work/out" || fail "quirk_vendors_len does not count it"
"$tool" plist 1 "$good" | grep -c '0xFFFF' | grep -q -x 1 || fail "a section for a vendor is in the plist"
"$tool" udev "$good" | grep -q 'idVendor' && fail "a section for a vendor is in the udev rules"

section ffff:0001 >"$good"
section ffff:0001 >"$work/ffff-other.reader"
"$tool" table "$good" "$work/ffff-other.reader" >"$work/out" 2>"$work/err" && fail "accepted: one reader in two files"
grep -q 'is already described at' "$work/err" || fail "one reader in two files is not named"
[ -s "$work/out" ] && fail "output was written in spite of an error"
"$tool" check "$work/absent-0000.reader" 2>/dev/null && fail "accepted: a file that is not there"

exit $failed
