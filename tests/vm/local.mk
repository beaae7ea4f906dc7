# SPDX-License-Identifier: LGPL-2.1-or-later
# The installed driver under a real kernel. Minutes, so it is not part of make check.

check-vm: all
	@SAN_CFLAGS='$(SAN_CFLAGS)' simulator='$(simulatordir)/ccid-sim' readers='$(readersdir)' \
		$(SHELL) $(top_srcdir)/tests/vm/check-vm $(abs_top_builddir)
.PHONY: check-vm

EXTRA_DIST += \
	tests/vm/check-vm \
	tests/vm/init \
	tests/vm/machine.py \
	tests/vm/mkroot.py \
	tests/vm/story.py
