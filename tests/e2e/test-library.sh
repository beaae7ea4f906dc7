#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The library that pcscd loads: exports the IFDH names and nothing else, needs libusb and libc and nothing else, and is
# hardened.
set -eu
library=$top_builddir/src/.libs/libopenccid.so
status=0
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT INT TERM

fail() {
	echo "FAIL: $*" >&2
	status=1
}

expected='IFDHCloseChannel
IFDHControl
IFDHCreateChannel
IFDHCreateChannelByName
IFDHGetCapabilities
IFDHICCPresence
IFDHPowerICC
IFDHSetCapabilities
IFDHSetProtocolParameters
IFDHTransmitToICC'
exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort)
[ "$exported" = "$expected" ] || fail "exported names are not the ten IFDH functions: $exported"

if [ -n "$SANITIZED" ]; then
	echo "the sanitizers bring libraries and flags of their own: dependencies and hardening are not checked"
	exit $status
fi

# Older C libraries keep threads and dlopen in libraries of their own.
needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
	grep -vE '^(libpthread|libdl|ld-linux.*)\.so' | LC_ALL=C sort | tr '\n' ' ')
case $needed in
"libc.so.6 libusb-1.0.so.0 " | "libc.so libusb-1.0.so.0 " | "libc.musl"*" libusb-1.0.so.0 ") ;;
*) fail "linked to more than libusb-1.0 and libc: $needed" ;;
esac

headers=$(readelf -lW "$library")
dynamic=$(readelf -dW "$library")
echo "$headers" | grep -q GNU_RELRO || fail "no read-only relocations"
echo "$dynamic" | grep -qE 'BIND_NOW|FLAGS.*NOW' || fail "symbols are bound lazily"
echo "$headers" | grep GNU_STACK | grep -q 'RW ' || fail "executable stack"
echo "$dynamic" | grep -q TEXTREL && fail "relocations in the code"

# Branch protection (CET of x86, BTI and PAC of AArch64): every object has what the compiler gives one without anything in it, and the
# library what an empty one has, since the C library's start files have to know of it, too.
printf 'int empty(void);\nint empty(void)\n{\n\treturn 0;\n}\n' >"$stage/empty.c"
# shellcheck disable=SC2086 # a list of words
$CC $HARDEN_CFLAGS $CFLAGS -fPIC -c -o "$stage/empty.o" "$stage/empty.c"
$CC -shared -o "$stage/empty.so" "$stage/empty.o"
features() {
	readelf -nW "$1" 2>/dev/null | sed -n 's/.*feature: */feature: /p' | LC_ALL=C sort | uniq -c
}
object=$(features "$stage/empty.o" | sed 's/^ *1 //')
for archive in "$top_builddir"/src/.libs/lib*.a; do
	case $(ar t "$archive" | wc -l | tr -d ' ')" $object" in
	"$(features "$archive" | sed 's/^ *//')") ;;
	*" ") ;;
	*) fail "$archive: not every object has $object" ;;
	esac
done
[ "$(features "$library")" = "$(features "$stage/empty.so")" ] ||
	fail "branch protection: $(features "$library"); that of an empty library: $(features "$stage/empty.so")"
# Code that has to be found by the daemon's own names only: nothing undefined but libc, libusb and pcscd's log. A C library whose names have
# versions shows it here; of others -z defs has seen to it.
undefined=$(nm -D --undefined-only "$library" | awk '$1 == "U" { print $2 }')
case $undefined in
*@*)
	unknown=$(echo "$undefined" | grep -vE '@|^libusb_' || true)
	[ -z "$unknown" ] || fail "undefined names: $unknown"
	;;
esac
exit $status
