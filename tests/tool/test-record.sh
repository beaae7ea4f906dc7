#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# openccid capture: the driver records from the next plugging in on, until it is told to stop.
set -eu
. "$top_srcdir/tests/tool/lib.sh"
need_simulator
need_pcscd
pcscd="--pcscd --drivers $stage/drivers"
OPENCCID_CONFIG=$stage/settings
export OPENCCID_CONFIG stage

row 'neither a file nor --stop' 2 'openccid capture' <<'TXT'
say which file, or --stop
TXT
row 'nothing to stop' 1 'openccid capture --stop' <<'TXT'
nothing was being recorded
TXT
row 'a name that no file of settings can hold' 2 'openccid capture "$stage/a#b"' <<'TXT'
cannot be used
TXT
row 'no such reader' 3 'openccid capture "$stage/x" cherry' <<'TXT'
TXT
again='n=0; "$CCID_SIM" ctl unplug; "$CCID_SIM" ctl plug; until [ -s "$stage/all.pcap" ]; do n=$((n + 1)); [ $n -lt 100 ] || exit 9; sleep 0.1; done'
# shellcheck disable=SC2086 # a list of options
row 'all of it' 0 "openccid capture \"\$stage/all.pcap\" 3310 >/dev/null; $again; sleep 1; openccid capture --stop; openccid decode \"\$stage/all.pcap\"; \"\$CCID_SIM\" ctl unplug; openccid describe \"\$stage/all.pcap\"" $pcscd <<'TXT'
Nothing is recorded of readers that are plugged in from now on.
USB capture of SCM Microsystems Inc. SCR 3310 (04e6:5116, firmware 5.23)
IccPowerOn
04e6:5116 SCM Microsystems Inc. SCR 3310, firmware 5.23, interface 0
It is in the list of readers.
TXT
[ ! -e "$stage/settings/zz-capture.reader" ] || wrong 'the settings are left behind'
# shellcheck disable=SC2086 # a list of options
row 'the last messages' 0 'openccid capture --last "$stage/last.pcap"; cat "$stage/settings/zz-capture.reader"; openccid capture -s' <<TXT
at the first failure
[*]
flight-recorder = $stage/last.pcap
TXT
end
