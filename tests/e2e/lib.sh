# SPDX-License-Identifier: LGPL-2.1-or-later
# For scripts that run something under the real pcscd with only our bundle and a simulated reader. Sourced.

SKIP=77
CCID_SIM=${INSTALLED_SIM-$top_builddir/tests/sim/ccid-sim}
export CCID_SIM

# Leave with SKIP where something that the tests need is not there.
need() {
	for tool; do
		command -v "$tool" >/dev/null 2>&1 || {
			echo "SKIP: $tool is not installed"
			exit $SKIP
		}
	done
}

find_pcscd() {
	[ "${OPENCCID_E2E-yes}" != no ] || {
		echo "SKIP: OPENCCID_E2E=no; another build of the same sources runs this"
		exit $SKIP
	}
	PATH=$PATH:/usr/sbin:/usr/local/sbin
	need pcscd
	[ -x "$CCID_SIM" ] || {
		echo "SKIP: the simulator was not built (is umockdev installed?)"
		exit $SKIP
	}
}

# A driver built with AddressSanitizer needs its runtime in pcscd first. pcscd's own leaks are not ours to report.
preload_sanitizer() {
	case ${SANITIZED-} in
	*thread*)
		echo "SKIP: umockdev does not run under ThreadSanitizer; tests/inproc does this in one process"
		exit $SKIP
		;;
	*address*)
		runtime=$($CC -print-file-name="libclang_rt.asan-$(uname -m).so")
		[ -e "$runtime" ] || runtime=$($CC -print-file-name=libasan.so)
		[ -e "$runtime" ] || {
			echo "SKIP: the sanitizer's shared runtime is not installed"
			exit $SKIP
		}
		CCID_SIM_PCSCD_PRELOAD=$runtime
		ASAN_OPTIONS=detect_leaks=0
		export CCID_SIM_PCSCD_PRELOAD ASAN_OPTIONS
		;;
	esac
}

# The Python that has pyscard, which need not be the first one in PATH.
find_python() {
	for python in python3 /usr/bin/python3; do
		if command -v "$python" >/dev/null && "$python" -c 'import smartcard' 2>/dev/null; then
			PYTHON=$(command -v "$python")
			return
		fi
	done
	echo "SKIP: python3-pyscard is not installed"
	exit $SKIP
}

# The other driver, as its package installs it: $libccid is its bundle.
find_libccid() {
	for folder in /usr/lib/pcsc/drivers /usr/lib64/pcsc/drivers /usr/lib/*/pcsc/drivers /usr/local/lib/pcsc/drivers; do
		[ -d "$folder/ifd-ccid.bundle" ] || continue
		libccid=$folder/ifd-ccid.bundle
		return
	done
	echo "SKIP: libccid is not installed"
	exit $SKIP
}

# GnuPG keeps it out of PATH.
find_scdaemon() {
	for scdaemon in /usr/lib/gnupg/scdaemon /usr/lib/gnupg2/scdaemon /usr/libexec/scdaemon; do
		[ ! -x "$scdaemon" ] || return 0
	done
	echo "SKIP: scdaemon is not installed"
	exit $SKIP
}

lay_out_bundle() {
	"$top_srcdir/tests/sim/make-bundle" "$top_builddir" "$1"
}

# A folder for this run, removed at the end, with a drop directory that holds our bundle alone.
make_stage() {
	preload_sanitizer
	stage=$(mktemp -d)
	trap 'rm -rf "$stage"' EXIT
	trap 'exit 130' INT TERM
	lay_out_bundle "$stage/drivers"
}

# An empty home for clients, so that nobody's settings and caches take part.
make_home() {
	HOME=$stage/home
	GNUPGHOME=$HOME/.gnupg
	mkdir -p -m 700 "$GNUPGHOME"
	unset OPENSC_CONF XDG_CACHE_HOME || true
	export HOME GNUPGHOME
}

# A sanitizer that the simulator was built with is not for the clients: it finds faults of theirs, or lets them hang.
# under_pcscd READER COMMAND...: pcscd's log is in $stage/pcscd.log afterwards; SIM_OPTIONS may hold more for ccid-sim
under_pcscd() {
	reader=$1
	shift
	"$CCID_SIM" --reader "$reader" --readers "${CCID_SIM_READERS-$top_srcdir/readers}" --pcscd --debug --log "$stage/pcscd.log" \
		${SIM_OPTIONS-} --drivers "$stage/drivers" --no-preload -- env -u LD_PRELOAD "$@"
}

# story READER SCRIPT ARGS...: a Python story; shows pcscd's log if it fails, and last what the story said
story() {
	reader=$1 script=$2
	shift 2
	echo "== $script with $reader"
	under_pcscd "$reader" "$PYTHON" "$top_srcdir/tests/e2e/$script" "$@" >"$stage/story.log" 2>&1 || {
		code=$?
		echo "---- the end of pcscd's log"
		tail -60 "$stage/pcscd.log"
		echo "---- what the story said, before it ended with $code"
		cat "$stage/story.log"
		exit 1
	}
	cat "$stage/story.log"
}
