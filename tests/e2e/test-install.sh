#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# `make install` puts the bundle, the udev rules, the command, licence and documentation in place, and nothing else; `make uninstall`
# takes all of it away again.
set -eu
# The same in every build.
[ -z "${SANITIZED-}" ] || {
	echo "SKIP: a build without sanitizers of the same sources tries this"
	exit 77
}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT INT TERM

cd "$top_builddir"
"$MAKE" -s install DESTDIR="$stage" usbdropdir=/drop udevrulesdir=/rules docdir=/doc bindir=/bin mandir=/man metainfodir=/metainfo pkglibexecdir=/libexec pkgdatadir=/data bashcompletiondir=/completions zshcompletiondir=/zsh fishcompletiondir=/fish >"$stage.log" 2>&1 || {
	cat "$stage.log" >&2
	exit 1
}
rm -f "$stage.log"
# The command brings its page and the readers it knows.
tool=
[ ! -x src/tool/openccid ] || tool=yes
[ -z "$tool" ] || [ "$(ls "$stage/data/readers")" = "$(cd "$top_srcdir/readers" && ls -- *.reader)" ] || {
	echo "FAIL: the readers that the command needs are not those of the sources" >&2
	exit 1
}
# The simulator is there where umockdev was.
simulator=
[ ! -x tests/sim/ccid-sim ] || simulator='./libexec/ccid-sim
./libexec/demo
./libexec/demo-scene
./libexec/lib.sh
./libexec/libccid-sim-preload.so
'
found=$(cd "$stage" && find . ! -path './data/readers/*' \( -type f -o -type l \) | LC_ALL=C sort)
expected=${tool:+'./bin/openccid
./completions/openccid
'}'./doc/CONTRIBUTING.md
./doc/COPYING
./doc/HACKING.md
./doc/NEWS.md
./doc/README.md
./doc/SECURITY.md
'"$(cd "$top_srcdir" && ls doc/*.md doc/*.svg doc/examples/* | sed 's,^,./doc/,')"'
./doc/examples/61-openccid-adopt.rules
./doc/examples/openccid-adopt.service
./doc/readers/README.md
./drop/openccid.bundle/Contents/Info.plist
./drop/openccid.bundle/Contents/Linux/libopenccid.so
'"${tool:+./fish/openccid.fish
}$simulator${tool:+./man/man1/openccid.1
}"'./man/man5/openccid.reader.5
./man/man7/openccid.7
./metainfo/org.openccid.openccid.metainfo.xml
./rules/60-openccid.rules'"${tool:+
./zsh/_openccid}"
if [ "$found" != "$expected" ]; then
	printf 'FAIL: installed files are not those expected:\n%s\n' "$found" >&2
	exit 1
fi
[ -z "$simulator" ] || ! grep -n '@[a-z]*@' "$stage/libexec/demo" || {
	echo "FAIL: the demo does not know where things are" >&2
	exit 1
}
grep -q '<string>libopenccid.so</string>' "$stage/drop/openccid.bundle/Contents/Info.plist" || {
	echo "FAIL: Info.plist does not name the library" >&2
	exit 1
}
"$MAKE" -s uninstall DESTDIR="$stage" usbdropdir=/drop udevrulesdir=/rules docdir=/doc bindir=/bin mandir=/man metainfodir=/metainfo pkglibexecdir=/libexec pkgdatadir=/data bashcompletiondir=/completions zshcompletiondir=/zsh fishcompletiondir=/fish >/dev/null 2>&1
left=$(cd "$stage" && find . -type f -o -type l && ls -d doc data libexec drop/openccid.bundle 2>/dev/null || true)
[ -z "$left" ] || {
	printf 'FAIL: left after uninstall:\n%s\n' "$left" >&2
	exit 1
}
