#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The version stands in configure.ac; whatever else has to say it, says the same. And the packages name what exists.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
cd "$top_srcdir"
version=$(sed -n 's/^AC_INIT(\[openccid\], \[\(.*\)\])$/\1/p' configure.ac)
failed=0

says() { # WHAT TEXT
	[ "$2" = "$version" ] && return
	echo "FAIL: $1 says \"$2\", configure.ac \"$version\""
	failed=1
}

says packaging/debian/changelog "$(sed -n '1s/^openccid (\(.*\)-[0-9]*) .*/\1/p' packaging/debian/changelog)"
says packaging/rpm/openccid.spec "$(sed -n 's/^Version: *//p' packaging/rpm/openccid.spec)"
says "the changelog of packaging/rpm/openccid.spec" "$(sed -n '/^%changelog/{n;s/.* - \(.*\)-[0-9]*$/\1/p}' packaging/rpm/openccid.spec)"
says NEWS.md "$(sed -n 's/^## \([^ ]*\).*/\1/p' NEWS.md | head -1)"
plist=$top_builddir/readers/Info.plist
[ -e "$plist" ] || plist=readers/Info.plist
says Info.plist "$(grep -A 1 CFBundleShortVersionString "$plist" | sed -n 's/.*<string>\(.*\)<.*/\1/p')"
says 'openccid --version' "$("$top_builddir/src/tool/openccid" --version | sed -n '1s/^openccid //p')"

# What a maintainer's script does has to be shell, at least.
for script in packaging/debian/libopenccid.postinst packaging/debian/libopenccid.postrm packaging/debian/tests/demo packaging/debian/tests/reader; do
	sh -n $script || failed=1
done

find_pcscd
make_stage
under_pcscd 04e6:5116 true
says "the driver's first line in the log" "$(sed -n '/openccid: /{s/.*openccid: version \([^:]*\): .*/\1/p;q}' "$stage/pcscd.log")"
exit $failed
