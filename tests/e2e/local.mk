# SPDX-License-Identifier: LGPL-2.1-or-later
# What is built and installed, and the whole driver under the real pcscd.

check_SCRIPTS += \
	tests/e2e/test-library.sh \
	tests/e2e/test-install.sh \
	tests/e2e/test-sources.sh \
	tests/e2e/test-readers.sh \
	tests/e2e/test-busy.sh \
	tests/e2e/test-f6.sh \
	tests/e2e/test-clients.sh

EXTRA_DIST += $(check_SCRIPTS) \
	tests/e2e/demo \
	tests/e2e/demo-scene \
	tests/e2e/lib.sh \
	tests/e2e/pcsc.py \
	tests/e2e/story_busy.py \
	tests/e2e/story_clients.py \
	tests/e2e/story_f6.py \
	tests/e2e/story_reader.py

# Scripts learn from the environment where things are.
AM_TESTS_ENVIRONMENT = \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	SANITIZED='$(SAN_CFLAGS)'; export SANITIZED; \
	CC='$(CC)'; export CC; MAKE='$(MAKE)'; export MAKE;
