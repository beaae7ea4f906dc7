# SPDX-License-Identifier: LGPL-2.1-or-later
# What scripts that try the command begin with: $tool is the command, $stage a folder that goes when the script ends. A script that
# calls fail() ends with $status. Sourced.
tool=$top_builddir/src/tool/openccid
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM
status=0

fail() {
	echo "FAIL: $*" >&2
	status=1
}
