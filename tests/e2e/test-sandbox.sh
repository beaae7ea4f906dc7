#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The driver in a pcscd that is locked up as its systemd unit asks for: it works, and still says who is in the way.
set -eu
. "$top_srcdir/tests/e2e/lib.sh"
find_pcscd
find_python
make_stage
sandbox="$PYTHON $top_srcdir/tests/e2e/sandbox"

# $bites runs what must be refused; it stands where the sandboxed can read it.
bites=$stage/shown/sandbox_bites.py
mkdir "$stage/shown"
cp "$top_srcdir/tests/e2e/sandbox_bites.py" "$bites"
status=0
$sandbox --keep "$stage/shown" -- "$PYTHON" "$bites" inside || status=$?
[ $status = 0 ] || exit $status
"$PYTHON" "$bites" outside || {
	echo "SKIP: this machine refuses by itself what the sandbox shall refuse"
	exit $SKIP
}

# The build may be in a home, or closed to others: what pcscd loads moves to where it can be read.
cp -rL "$stage/drivers" "$stage/shown"
cp "$top_builddir/tests/sim/.libs/libccid-sim-preload.so" "$stage/shown"
mkdir "$stage/shown/settings"
OPENCCID_CONFIG=$stage/shown/settings
CCID_SIM_PRELOAD=$stage/shown/libccid-sim-preload.so
export OPENCCID_CONFIG CCID_SIM_PRELOAD

# What ccid-sim loads into pcscd is for pcscd, not for what locks it up.
cat >"$stage/pcscd" <<TXT
#!/bin/sh
preload=\$LD_PRELOAD
unset LD_PRELOAD
CCID_SIM_DRIVERS=$stage/shown/drivers
export CCID_SIM_DRIVERS
chmod 755 "\$UMOCKDEV_DIR"
exec $sandbox --preload "\$preload" --keep "$stage/shown" --own "\$UMOCKDEV_DIR" --own "\${CCID_SIM_USBFS%/*}" -- pcscd "\$@"
TXT
chmod +x "$stage/pcscd"
CCID_SIM_PCSCD=$stage/pcscd
export CCID_SIM_PCSCD

story 04e6:5116 story_reader.py 'SCR 3310' tpdu
story 04e6:5116 story_busy.py "$stage/pcscd.log"
