# SPDX-License-Identifier: LGPL-2.1-or-later
# The tarball, and packages for distributions.

check_SCRIPTS += packaging/test-version.sh

EXTRA_DIST += \
	packaging/README.md \
	packaging/check-reproducible \
	packaging/debian \
	packaging/openccid.sysusers.conf \
	packaging/rpm/openccid.spec \
	packaging/session-build \
	packaging/session-install \
	packaging/session-lib \
	packaging/test-packages

# The same bytes wherever and whenever it is made: the time is that of the last commit, or what SOURCE_DATE_EPOCH says; sources that came
# in a tarball keep their own.
# By another name, or automake would take these for rules instead of its own.
tarball_target = dist-xz
dist_epoch = $(or $(SOURCE_DATE_EPOCH),$(shell git -C $(srcdir) log -1 --format=%ct 2>/dev/null || date -r $(srcdir)/NEWS.md +%s))
$(tarball_target): export TAR_OPTIONS = --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@$(dist_epoch)
$(tarball_target): export XZ_OPT = -e -T1

# Packages are built, installed, used, upgraded and removed in fresh root file systems; takes root, mmdebstrap and some minutes.
check-deb: dist
	$(srcdir)/packaging/test-packages $(distdir).tar.xz $(abs_builddir)/packages

# The tarball and what is built from it, twice, in places and circumstances that differ.
check-reproducible:
	$(srcdir)/packaging/check-reproducible

.PHONY: check-deb check-reproducible
