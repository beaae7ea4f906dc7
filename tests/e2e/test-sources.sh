#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Rules of the sources that review forgets: the layers include downwards only, each header stands alone, nobody but
# src/quirk knows a product, every file names its licence, and clang-format has nothing to change.
set -u
# The same in every build.
[ -z "${SANITIZED-}" ] || {
	echo "SKIP: a build without sanitizers of the same sources tries this"
	exit 77
}
cd "$top_srcdir" || exit 1
status=0

fail() {
	echo "FAIL: $*" >&2
	status=1
}

includes() { # pattern, files: who includes it
	pattern=$1
	shift
	grep -lE "#include [<\"]($pattern)" "$@" 2>/dev/null
}

sources() { # folder: its C files
	find "src/$1" -name '*.[ch]'
}

# What each layer must not include. usb stands below ccid, but implements the interface that ccid defines.
forbid() {
	layer=$1
	who=$(includes "$2" $(sources "$layer"))
	[ -z "$who" ] || fail "src/$layer includes what is above it or not its business ($2): $who"
}
forbid base 'ccid/|tpdu/|quirk/|slot/|usb/|ifd/|libusb|ifdhandler|winscard|reader\.h>|debuglog'
forbid tpdu 'ccid/|quirk/|slot/|usb/|ifd/|libusb|ifdhandler|winscard|reader\.h>|debuglog|time\.h|pthread'
forbid quirk 'ccid/(exchange|recover|transport|message|status)|tpdu/|slot/|usb/|ifd/|libusb|ifdhandler|pthread'
forbid ccid 'tpdu/|quirk/|slot/|usb/|ifd/|libusb|ifdhandler|winscard|reader\.h>|debuglog|pthread'
forbid tap 'tpdu/|quirk/|slot/|usb/|ifd/|libusb|ifdhandler|winscard|reader\.h>|debuglog'
forbid usb 'tpdu/|slot/|ifd/|ifdhandler|winscard|reader\.h>|debuglog'
forbid replay 'slot/|ifd/|libusb|ifdhandler|winscard|<reader\.h>|debuglog|pthread'
forbid traffic 'slot/|tpdu/|quirk/|usb/|ifd/|libusb|ifdhandler|winscard|<reader\.h>|debuglog|pthread'
forbid slot 'usb/|quirk/|ifd/|libusb|ifdhandler|winscard|<reader\.h>|debuglog'
forbid ifd 'libusb'
for layer in base tpdu quirk ccid tap usb replay slot ifd; do
	forbid $layer 'tool/|traffic/'
done
forbid traffic 'tool/'

# Vendor and product ids belong into readers/: no number of the sources is the id of a vendor that is listed there ...
vendors=$(find readers -name '*.reader' | sed 's|.*/\(....\)-.*|\1|' | sort -u | paste -s -d '|')
[ -n "$vendors" ] || fail "no vendor is found in readers/"
ids=$(grep -rniE "\b0x0*($vendors)u?\b" src --include='*.[ch]' | grep -v '^src/quirk/table.c:')
[ -z "$ids" ] || fail "ids of vendors in the sources: $ids"

# ... and after open nobody of the driver asks which product it is. features.c tells applications the ids.
ids=$(grep -rnE '(\.|->)(vid|pid|idVendor|idProduct)\b|quirk_(find|apply|name)\b' src --include='*.[ch]' |
	grep -vE '^src/(quirk|usb|replay|traffic|tool)/|^src/ifd/(driver|features|learn)\.c:')
[ -z "$ids" ] || fail "asks for the product: $ids"

for file in $(find src tests readers \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.mk' \)) configure.ac Makefile.am; do
	head -3 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' || fail "$file does not name its licence"
done

for header in $(find src -name '*.h'); do
	printf '#include "%s"\n' "${header#src/}" |
		${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Isrc -fsyntax-only -x c - ||
		fail "$header does not compile alone"
done

open=$(grep -rnwE 'TODO|FIXME|XXX' src tests readers --include='*.[ch]' --include='*.sh' --include='*.py' | grep -v test-sources.sh)
[ -z "$open" ] || fail "left open: $open"

if command -v clang-format >/dev/null; then
	# The generated table is laid out by its generator.
	find src tests readers -name '*.[ch]' ! -name table.c -exec clang-format --dry-run -Werror {} + 2>&1 | head -20 | grep . &&
		fail "clang-format would change these files; run make format"
else
	echo "clang-format is not installed: layout not checked"
fi
exit $status
