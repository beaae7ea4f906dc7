#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# openccid adopt: a reader that is not in the list works, and can be given up again.
set -u
. "$top_srcdir/tests/tool/lib.sh"
need_simulator
need_pcscd
mkdir "$stage/readers"
{
	sed -n '/^\[04e6:5116\]/,/^$/p' "$top_srcdir/readers/04e6-scm-microsystems.reader" |
		sed 's/04e6:5116/04e6:0001/; s/^name .*/name = unknown/; s/product .*/product = Some \& <more>/'
	sed -n '/^\[04e6:5116\]/,/^$/p' "$top_srcdir/readers/04e6-scm-microsystems.reader" |
		sed 's/04e6:5116/04e6:0002/; s/^name .*/name = nonsense/; s/ 0f 01 00 00 ff/ 0a 00 00 00 ff/'
} >"$stage/readers/04e6-a.reader"
cp -r "$stage/drivers" "$stage/places"
OPENCCID_DRIVERS=$stage/places
export OPENCCID_DRIVERS stage
plist=$stage/places/openccid-local.bundle/Contents/Info.plist
unknown='--reader 04e6:0001'
READERS=$stage/readers

# files WHAT: what the folder holds
files() {
	rows=$((rows + 1))
	(cd "$stage/places" && find . ! -path './openccid.bundle*' | LC_ALL=C sort | tr '\n' ' ') >"$stage/said"
	[ "$(cat "$stage/said")" = "$2 " ] || {
		name=$1
		wrong "the folder is not \"$2\""
	}
}

# ---- what is refused
row 'nobody' 2 'openccid adopt' <<'TXT'
say which reader, or --all, and not both
TXT
row 'both' 2 'openccid adopt --all 04e6:0001' <<'TXT'
say which reader, or --all, and not both
TXT
# shellcheck disable=SC2086 # options
row 'not plugged in' 3 'openccid adopt 1234:5678' $unknown <<'TXT'
no smart-card reader that "1234:5678" could mean is plugged in
TXT
row 'in the list' 0 'openccid adopt 3310' <<'TXT'
04e6:5116: it is in the list of readers: pcscd knows it already.
TXT
row 'what it says of itself makes no sense' 1 'openccid adopt 04e6:0002' --reader 04e6:0002 <<'TXT'
04e6:0002: what it says of itself makes no sense
TXT
READERS=$top_srcdir/readers
row 'known not to work' 1 'openccid adopt 03eb:6016' --reader 03eb:6016 <<'TXT'
03eb:6016: it is known not to work.
TXT
READERS=$stage/readers
row 'no driver' 3 'OPENCCID_DRIVERS=$stage/readers openccid adopt 04e6:0001' $unknown <<'TXT'
the driver is not installed in
TXT
row 'all, where there is none' 0 'openccid adopt --all' <<'TXT'
! Adopted
TXT
row 'what was not adopted' 3 'openccid adopt --undo 04e6:0001' $unknown <<'TXT'
that reader was not adopted
TXT
row 'none was' 3 'openccid adopt --undo --all' $unknown <<'TXT'
no reader was adopted
TXT
files 'nothing was written' '.'
: >"$stage/places/openccid-local.bundle"
row 'something is in the way' 3 'openccid adopt 04e6:0001' $unknown <<'TXT'
openccid-local.bundle/Contents cannot be written: Not a directory
TXT
rm "$stage/places/openccid-local.bundle"

# ---- adopted, and given up
row 'a reader that nobody knows' 0 'openccid adopt --no-restart 04e6:0001' $unknown <<'TXT'
Adopted 04e6:0001 SCM Microsystems Inc. Some & <more>.
pcscd knows it when it is started the next time.
TXT
files 'a bundle was written' '. ./openccid-local.bundle ./openccid-local.bundle/Contents ./openccid-local.bundle/Contents/Info.plist ./openccid-local.bundle/Contents/Linux ./openccid-local.bundle/Contents/Linux/libopenccid.so'
for line in '<string>0x0003</string>' '<string>0x04E6</string>' '<string>0x0001</string>' '<string>SCM Microsystems Inc. Some    more </string>'; do
	grep -qF "$line" "$plist" || {
		name='Info.plist'
		cp "$plist" "$stage/said"
		wrong "does not have $line"
	}
done
[ "$(sed -n '4s/.*<key>\(.*\)<.*/\1/p' "$plist")" = ifdLogLevel ] || {
	name='Info.plist'
	wrong 'settings do not stand first'
}
if command -v xmllint >/dev/null && ! xmllint --noout "$plist" 2>"$stage/said"; then
	name='Info.plist'
	wrong 'is no XML'
fi
row 'once more' 0 'openccid adopt 04e6:0001' $unknown <<'TXT'
04e6:0001 is adopted already.
TXT
row 'pcscd has it' 0 'openccid doctor -v 04e6:0001' $unknown --pcscd --drivers "$stage/places" <<'TXT'
ok     pcscd has the reader: programs see it as "SCM Microsystems Inc. Some    more  00 00"
ok     the card is well: a card is in, and answers
TXT
row 'given up, while it is not plugged in' 0 'openccid adopt --undo --no-restart 04e6:0001' <<'TXT'
Given up: 1 reader.
TXT
files 'the bundle is gone' '.'

# ---- pcscd is told
cat >"$stage/restart" <<'TXT'
#!/bin/sh
# One of our own, beside the software bus; the last line of its log is enough.
[ ! -e "$stage/pid" ] || kill "$(cat "$stage/pid")"
CCID_SIM_RUN=${PCSCLITE_CSOCK_NAME%/*} CCID_SIM_DRIVERS=$OPENCCID_DRIVERS LD_PRELOAD=$PCSCD_PRELOAD$LD_PRELOAD \
	pcscd --foreground $(pcscd --help 2>&1 | grep -o -e --disable-polkit) --config "${PCSCLITE_CSOCK_NAME%/*}" >"$stage/pcscd.log" 2>&1 &
echo $! >"$stage/pid"
TXT
chmod +x "$stage/restart"
PCSCD_PRELOAD=${CCID_SIM_PCSCD_PRELOAD:+$CCID_SIM_PCSCD_PRELOAD:}
export PCSCD_PRELOAD
row 'adopted, and pcscd takes it' 0 '
	OPENCCID_RESTART=$stage/restart openccid adopt --all; code=$?
	kill "$(cat "$stage/pid")"; rm "$stage/pid"; exit $code' $unknown <<'TXT'
Adopted 04e6:0001
It works: programs see it as "SCM Microsystems Inc. Some    more  00 00".
TXT
row 'pcscd cannot be started anew' 0 'OPENCCID_RESTART=false openccid adopt --undo --all' <<'TXT'
Given up: 1 reader.
pcscd knows it when it is started the next time.
TXT
row 'pcscd is started anew, and does not take it' 1 'OPENCCID_RESTART=true openccid adopt 04e6:0001' $unknown <<'TXT'
pcscd has not taken it yet. "openccid doctor 04e6:0001" says why.
TXT
# What an administrator may switch on is such that systemd takes it.
if command -v systemd-analyze >/dev/null && ! systemd-analyze verify --man=no "$top_srcdir/contrib/openccid-adopt.service" >"$stage/said" 2>&1 &&
	grep openccid-adopt "$stage/said"; then
	name=openccid-adopt.service
	wrong 'is faulty'
fi
end
