# SPDX-License-Identifier: LGPL-2.1-or-later
# For scripts that try the command openccid with a simulated reader. Sourced.
. "$top_srcdir/tests/tool/begin.sh"

SKIP=77
CCID_SIM=$top_builddir/tests/sim/ccid-sim
OPENCCID_SIMULATOR=$CCID_SIM
OPENCCID_READERS=$top_srcdir/readers
PATH=$top_builddir/src/tool:$PATH:/usr/sbin:/sbin
export CCID_SIM OPENCCID_SIMULATOR OPENCCID_READERS PATH
unset NO_COLOR || true
rows=0
failures=0

[ -x "$top_builddir/src/tool/openccid" ] || {
	echo "SKIP: the command was not built (--disable-tool)"
	exit $SKIP
}

need_simulator() {
	[ -x "$CCID_SIM" ] || {
		echo "SKIP: the simulator was not built (is umockdev installed?)"
		exit $SKIP
	}
	case ${SANITIZED-} in
	*thread*)
		echo "SKIP: umockdev does not run under ThreadSanitizer"
		exit $SKIP
		;;
	esac
	# What shows the simulated system is for the command alone: with a sanitizer in front, other programs may hang in it.
	mkdir -p "$stage/bin"
	cat >"$stage/bin/openccid" <<-SH
	#!/bin/sh
	[ -z "\${SIM_PRELOAD-}" ] || export LD_PRELOAD="\$SIM_PRELOAD"
	exec "$top_builddir/src/tool/openccid" "\$@"
	SH
	chmod +x "$stage/bin/openccid"
	PATH=$stage/bin:$PATH
}

# For those that need a pcscd: a folder with our bundle alone, as under_pcscd of tests/e2e has it.
need_pcscd() {
	[ "${OPENCCID_E2E-yes}" != no ] && command -v pcscd >/dev/null 2>&1 || {
		echo "SKIP: no pcscd here"
		exit $SKIP
	}
	case ${SANITIZED-} in
	*address*)
		CCID_SIM_PCSCD_PRELOAD=$($CC -print-file-name=libasan.so)
		ASAN_OPTIONS=detect_leaks=0
		export CCID_SIM_PCSCD_PRELOAD ASAN_OPTIONS
		;;
	esac
	"$top_srcdir/tests/sim/make-bundle" "$top_builddir" "$stage/drivers"
}

# row NAME EXIT SCRIPT [SIMULATOR OPTIONS...]: runs SCRIPT beside the reader; standard input has what must be said: a line is a part of
# one, "! part" must not be there.
row() {
	name=$1 want=$2 script=$3
	shift 3
	rows=$((rows + 1))
	got=0
	"$CCID_SIM" --readers "${READERS-$top_srcdir/readers}" "$@" -- \
		sh -c "export SIM_PRELOAD=\"\$LD_PRELOAD\"; unset LD_PRELOAD; $script" >"$stage/said" 2>&1 </dev/null || got=$?
	[ "$got" = "$want" ] || {
		echo "FAIL: $name: exit code $got, not $want" >&2
		failures=$((failures + 1))
		cat "$stage/said" >&2
	}
	expect
}

# What must be said: see row
expect() {
	while IFS= read -r line; do
		case $line in
		'! '*) ! grep -qF -- "${line#! }" "$stage/said" || wrong "says \"${line#! }\"" ;;
		*) grep -qF -- "$line" "$stage/said" || wrong "does not say \"$line\"" ;;
		esac
	done
}

wrong() {
	echo "FAIL: $name: $1:" >&2
	cat "$stage/said" >&2
	failures=$((failures + 1))
}

end() {
	echo "$rows rows, $failures failures"
	[ "$failures" = 0 ]
	exit
}
