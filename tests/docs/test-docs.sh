#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The pages tell the truth: links lead somewhere, and every command in them is run, beside a simulated reader under the real
# pcscd, or is run by the test that tests/docs/elsewhere names.
set -u
. "$top_srcdir/tests/tool/lib.sh"
# Beside the reader this script goes on in the folder that it began in.
if [ "${1-}" = inside ]; then
	rmdir "$stage"
	stage=$2
	trap - EXIT
fi
here=$top_srcdir/tests/docs
pages=$(cd "$top_srcdir" && ls ./*.md doc/*.md readers/*.md packaging/*.md tests/*/*.md | sed 's,^\./,,')
need_simulator
need_pcscd

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# What a page says is for a command has to be in a block that this test can see.
hidden_commands() {
	awk '/^```/ { inside = !inside; next } !inside && /^    (sudo |\.\/|make |openccid |opensc-tool |pcsc_scan|autoreconf |srcdir|build\/)/ { print FILENAME ": " $0 }' "$@"
}

# Where a command is run by another test, that one exists, and each line of the list is needed.
check_elsewhere() {
	grep -v '^#' "$here/elsewhere" >"$stage/elsewhere"
	while IFS="$(printf '\t')" read -r command place; do
		[ -e "$top_srcdir/$place" ] || fail "tests/docs/elsewhere: there is no $place"
		for page in $pages; do sh "$here/commands" "$top_srcdir/$page"; done | grep -qxF -- "$command" ||
			fail "tests/docs/elsewhere: no page says \"$command\""
	done <"$stage/elsewhere"
}

# What people do between two commands, as the pages tell them.
meanwhile() {
	case $1 in
	*'openccid capture /run/pcscd/reader.pcap')
		"$CCID_SIM" ctl unplug && "$CCID_SIM" ctl plug
		for _ in $(seq 100); do [ -s "$stage/run/reader.pcap" ] && opensc-tool --atr >/dev/null 2>&1 && break; sleep 0.1; done
		;;
	esac
}

# A command that reports something may end with 1: it found something. Everything else ends well.
ended_well() {
	case $2 in
	'openccid doctor'* | 'openccid d'* | 'openccid replay'* | 'sudo openccid doctor'*) [ "$1" -le 1 ] ;;
	*) [ "$1" = 0 ] ;;
	esac
}

# A page is one session, from its first command to its last one.
run_page() {
	sh "$here/commands" "$top_srcdir/$1" | grep -vxFf "$stage/their_commands" >"$stage/commands"
	while IFS= read -r command; do
		rows=$((rows + 1))
		there=$(echo "$command" | sed "s,/run/pcscd/,$stage/run/,g; s,/tmp/drivers,$stage/more,g")
		code=0
		timeout 120 sh -c "$there" >"$stage/said" 2>&1 </dev/null || code=$?
		ended_well $code "$command" || {
			fail "$1: $command: ended with $code"
			cat "$stage/said" >&2
		}
		meanwhile "$command"
	done <"$stage/commands"
}

# The rights of root are not needed here, and the unit of pcscd is not touched.
stand_ins() {
	printf '#!/bin/sh\nexec env "$@"\n' >"$stage/bin/sudo"
	chmod +x "$stage/bin/sudo"
}

# The folder that the commands run in: what they write stays out of the sources.
make_place() {
	mkdir -p "$stage/place" "$stage/run" "$stage/settings"
	for folder in readers tests doc; do ln -s "$(cd "$top_srcdir" && pwd)/$folder" "$stage/place/$folder"; done
	ln -s "$top_builddir" "$stage/place/build"
	cd "$stage/place" || exit 99
}

if [ "${1-}" = inside ]; then
	SIM_PRELOAD=$LD_PRELOAD
	unset LD_PRELOAD
	export SIM_PRELOAD
	make_place
	stand_ins
	cut -f 1 "$stage/elsewhere" >"$stage/their_commands"
	for page in $pages; do run_page "$page"; done
	end
fi

top_srcdir=$(cd "$top_srcdir" && pwd)
top_builddir=$(cd "$top_builddir" && pwd)
OPENCCID_CONFIG=$stage/settings
OPENCCID_DRIVERS=$stage/drivers
export stage top_srcdir top_builddir OPENCCID_CONFIG OPENCCID_DRIVERS
command -v opensc-tool >/dev/null || {
	echo "SKIP: opensc-tool is not installed"
	exit $SKIP
}
check_elsewhere
hidden=$(cd "$top_srcdir" && hidden_commands $pages)
[ -z "$hidden" ] || fail "commands that no test can see, since their block does not begin with \`\`\`sh:
$hidden"
(cd "$top_srcdir" && /usr/bin/python3 tests/docs/check_links.py $pages) || fail 'links'
"$CCID_SIM" --reader 04e6:5116 --pcscd --log "$stage/pcscd.log" --drivers "$stage/drivers" -- sh "$0" inside "$stage" || failures=$((failures + 1))
[ "$failures" = 0 ]
