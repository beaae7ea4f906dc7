#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The page of "decode --html": well formed, of one piece, safe against what stands in a capture; in a browser, if there is one, it loads
# without an error, and the cause is seen without scrolling, on a desk and on a phone.
set -u
. "$top_srcdir/tests/tool/begin.sh"

page() { # name, file: make it
	"$tool" decode --html "$2" >"$stage/$1.html"
	[ $? -le 1 ] || fail "$1: no page"
}

for file in "$top_srcdir"/tests/traces/*.trace; do
	page "$(basename "$file" .trace)" "$file"
done

# A capture that wants to be more than text.
cat >"$stage/hostile.txt" <<'TXT'
# reader: <script>alert(1)</script>"'&
OUT - 62 00 00 00 00 00 01 00 00 00
IN 5 80 00 00 00 00 00 01 41 FE 00
TXT
page hostile "$stage/hostile.txt"
grep -q '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;' "$stage/hostile.html" || fail "the name of the reader is not escaped"
grep -qi '<script' "$stage"/*.html && fail "there is a script in a page"

# Ten thousand messages, of which one near the end fails.
awk 'BEGIN {
	print "# reader: 04e6:5116 SCR 3310"
	for (i = 0; i < 5000; i++) {
		printf "OUT 20 6F 07 00 00 00 00 %02X 00 00 00 00 A4 00 0C 02 3F 00\n", i % 256
		printf i == 4990 ? "IN 900000 80 00 00 00 00 00 %02X 40 FE 00\n" : "IN 5000 80 02 00 00 00 00 %02X 00 00 00 90 00\n", i % 256
	}
}' >"$stage/long.txt"
page long "$stage/long.txt"
[ "$(grep -o '<details' "$stage/long.html" | wc -l)" = 4999 ] || fail "not every APDU is folded"
[ "$(grep -o 'id="p[0-9]*"' "$stage/long.html" | sort -u | wc -l)" = 10000 ] || fail "not every message has a place of its own"

for page in "$stage"/*.html; do
	name=$(basename "$page" .html)
	grep -qE '(src|href)="?[a-z]+:|@import|url\(' "$page" && fail "$name: refers to something outside"
	grep -q "default-src 'none'" "$page" || fail "$name: the browser is not told to load nothing"
	# Every link of the page leads somewhere.
	for place in $(grep -o 'href="#p[0-9]*"' "$page" | sed 's/.*#//; s/"//'); do
		grep -q "id=\"$place\"" "$page" || fail "$name: $place is linked to and not there"
	done
	if command -v xmllint >/dev/null; then
		# It does not know the elements of HTML 5.
		xmllint --html --noout "$page" 2>&1 | grep 'error' | grep -vE 'Tag (header|main|section|details|summary) invalid' >"$stage/said"
		[ ! -s "$stage/said" ] || fail "$name: $(head -3 "$stage/said")"
	fi
done

browser=
for name in chromium chromium-browser google-chrome; do
	! command -v $name >/dev/null || browser=${browser:-$name}
done
if [ -z "$browser" ]; then
	echo "no browser is installed: the pages were not opened"
	exit $status
fi

# look NAME WIDTH HEIGHT: a copy measures itself and writes the result into its title.
look() {
	sed -e '/Content-Security-Policy/d' -e 's|</body>|<script>addEventListener("load",function(){var c=document.querySelector(".cause"),r=c.getBoundingClientRect();document.title="measured "+(c.offsetHeight>20\&\&r.top>=0\&\&r.bottom<=innerHeight)+" "+(document.documentElement.scrollWidth<=innerWidth)+" "+document.querySelectorAll("li.row[id]").length})</script></body>|' \
		"$stage/$1.html" >"$stage/measured.html"
	timeout 120 $browser --headless --no-sandbox --disable-gpu --user-data-dir="$stage/profile" --enable-logging=stderr --window-size="$2,$3" \
		--dump-dom "file://$stage/measured.html" >"$stage/dom" 2>"$stage/log" || fail "$1: the browser failed: $(tail -3 "$stage/log")"
	grep 'CONSOLE' "$stage/log" >"$stage/console" && fail "$1: $(cat "$stage/console")"
	result=$(grep -o '<title>measured [^<]*' "$stage/dom" | sed 's/<title>measured //')
	case $result in
	'true true '*) ;;
	*) fail "$1 at $2x$3: cause seen, nothing too wide, messages: $result" ;;
	esac
	[ "${result##* }" = "$(grep -o 'id="p[0-9]*"' "$stage/$1.html" | wc -l)" ] || fail "$1: messages are missing: $result"
}
export HOME="$stage"
for name in yubikey-poweron-1 scr3310-t0-get-response-f6-1 spr332-t1-secure-verify-fw700-1 long; do
	look $name 1100 900
	look $name 500 850
done
exit $status
