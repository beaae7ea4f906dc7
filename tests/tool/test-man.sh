#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every example of a man page is run, and must say what the page says; groff has nothing to complain about.
set -eu
cd "$top_srcdir"
. "$top_srcdir/tests/tool/begin.sh"
unset NO_COLOR || true
# What an example starts is ours, too.
PATH=$top_builddir/src/tool:$PATH
OPENCCID_SIMULATOR=$top_builddir/tests/sim/ccid-sim
OPENCCID_READERS=$top_srcdir/readers
export PATH OPENCCID_SIMULATOR OPENCCID_READERS

# Write the N-th block between .EX and .EE as people see it; fails where there is none.
block() {
	awk -v n="$2" '
		/^\.EX/ { inside = 1; count++; next }
		/^\.EE/ { inside = 0 }
		inside && count == n { found = 1; print }
		END { exit !found }' "$1" |
		sed -e 's/\\&//g' -e 's/\\-/-/g' -e 's/\\(aq/'"'"'/g' -e 's/\\(ha/^/g' -e 's/\\(ti/~/g' -e 's/\\e/\\/g'
}

# The page ends an example with "..." where it goes on.
same() {
	if [ "$(tail -1 "$stage/says")" = ... ]; then
		sed '$d' "$stage/says" >"$stage/wanted"
		head -n "$(wc -l <"$stage/wanted")" "$stage/said" >"$stage/cut"
		mv "$stage/cut" "$stage/said"
	else
		mv "$stage/says" "$stage/wanted"
	fi
	diff -u "$stage/wanted" "$stage/said"
}

checked=0
for page in man/*.[1-9]; do
	n=1
	while block "$page" $n >"$stage/block" && [ -s "$stage/block" ]; do
		n=$((n + 1))
		command=$(sed -n '1s/^\$ openccid//p' "$stage/block")
		[ -n "$command" ] || continue
		case $command${SANITIZED-} in
		*simulate*thread*) continue ;;
		*simulate*) [ -x "$OPENCCID_SIMULATOR" ] || continue ;;
		esac
		sed 1d "$stage/block" >"$stage/says"
		(eval "'$tool' $command") >"$stage/said" 2>&1 || true
		checked=$((checked + 1))
		same || {
			echo "FAIL: $page: openccid$command says something else" >&2
			status=1
		}
	done
	if command -v groff >/dev/null; then
		complaints=$(groff -man -Tutf8 -ww -rF0 "$page" 2>&1 >/dev/null | grep -v 'cannot adjust line\|cannot break line' || true)
		[ -z "$complaints" ] || {
			printf 'FAIL: %s\n' "$complaints" >&2
			status=1
		}
	fi
done
echo "$checked examples checked"
[ "$checked" -gt 0 ] || status=1

# Every verb has its section, and every section its verb.
"$tool" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | sort >"$stage/verbs"
sed -n 's/^\.SS \([a-z]*\).*/\1/p' man/openccid.1 | sort -u >"$stage/sections"
diff -u "$stage/verbs" "$stage/sections" || {
	echo "FAIL: the verbs of the command and of its man page differ" >&2
	status=1
}

# Every key of the driver is explained, and nothing that it does not know.
{
	sed -n 's/^	X([A-Z_0-9]*, "\([a-z0-9-]*\)".*/\1/p' src/quirk/quirk.h
	printf '%s\n' log voltage max-wait capture flight-recorder leave why
} | sort >"$stage/keys"
sed -n '/^\.SH SETTINGS/,/^\.SH ENV/{/^\.TP/{n;s/^\.B //p}}' man/openccid.reader.5 | sed 's/\\-/-/g' | tr -s ', ' '\n' | sort >"$stage/explained"
diff -u "$stage/keys" "$stage/explained" || {
	echo "FAIL: the keys of the driver and of openccid.reader(5) differ" >&2
	status=1
}

exit $status
