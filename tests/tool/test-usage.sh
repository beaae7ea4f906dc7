#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the command says to a command line that makes no sense, and how it ends. Each row: exit code, what must be said, the words.
set -u
tool=$top_builddir/src/tool/openccid
status=0
rows=0

row() {
	want=$1 says=$2
	shift 2
	said=$("$tool" "$@" 2>&1)
	got=$?
	rows=$((rows + 1))
	[ "$got" = "$want" ] || {
		echo "FAIL: openccid $*: exit code $got, not $want" >&2
		status=1
	}
	case $said in
	*"$says"*) ;;
	*)
		printf 'FAIL: openccid %s: does not say "%s" but:\n%s\n' "$*" "$says" "$said" >&2
		status=1
		;;
	esac
}

row 0 'openccid ' --version
row 0 'usage: openccid VERB' --help
row 0 'usage: openccid VERB' -h
row 0 'usage: openccid VERB' help
row 0 'usage: openccid help' help help
row 0 'usage: openccid help' help --help
row 2 'what shall it do?'
row 2 'there is no verb "frobnicate"; "openccid help" shows all' frobnicate
row 2 'there is no verb ""' ''
row 2 'there is no option "--frobnicate"' --frobnicate
row 2 'openccid help: there is no verb "frobnicate"' help frobnicate
row 2 'openccid help: --all: there is no such option; "openccid help --help" shows what there is' help --all
row 2 'openccid help: two: this is one word too many' help one two
row 2 'openccid help: there is no verb "--all"' help -- --all
row 2 'openccid help: -xy: short options stand alone' help -xy
row 2 'there is no verb "a?[31mb"' "$(printf 'a\033[31mb')"
row 2 'openccid list: x: this is one word too many' list x
row 2 'openccid simulate: which reader, as vid:pid?' simulate
row 2 'openccid simulate: --cards: there is no such option' simulate 04e6:5116 --cards t1
OPENCCID_SIMULATOR=/nonexistent
export OPENCCID_SIMULATOR
row 3 'the software reader is not installed (/nonexistent)' simulate 04e6:5116

# A full disk is told.
if [ -w /dev/full ]; then
	"$tool" help >/dev/full 2>/dev/null
	[ $? = 3 ] || {
		echo "FAIL: output to a full device does not end with 3" >&2
		status=1
	}
fi
# No escape sequence where there is no terminal.
if "$tool" help | grep -q "$(printf '\033')"; then
	echo "FAIL: colours without a terminal" >&2
	status=1
fi
echo "$rows rows"
exit $status
