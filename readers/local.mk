# SPDX-License-Identifier: LGPL-2.1-or-later
# The readers as data, and what is generated from them.

READER_FILES = $(sort $(wildcard $(srcdir)/readers/*.reader))

# It runs on the machine that builds. Where that is not the one it builds for, another compiler makes it.
readerdb_sources = \
	readers/emit.c \
	readers/readerdb.c \
	src/base/log.c \
	src/quirk/reader_file.c src/quirk/reader_key.c
if CROSS_COMPILING
readerdb_tool = readers/readerdb
readers/readerdb: $(readerdb_sources) readers/readerdb.h
	$(AM_V_GEN)$(MKDIR_P) readers && $(CC_FOR_BUILD) -std=c11 $(DEFS) -I$(srcdir)/src $(CFLAGS_FOR_BUILD) -o $@ \
	$$(for f in $(readerdb_sources); do echo $(srcdir)/$$f; done)
CLEANFILES += readers/readerdb
else
readerdb_tool = readers/readerdb$(EXEEXT)
noinst_PROGRAMS += readers/readerdb
endif
readers_readerdb_SOURCES = $(readerdb_sources) readers/readerdb.h
# Flags of its own give it objects of its own, beside those of the library.
readers_readerdb_CFLAGS = $(AM_CFLAGS)

src_libcore_la_SOURCES += \
	src/quirk/reader_key.c src/quirk/reader_parser.h \
	src/base/span.h

# The outputs are in the tarball and newer than what they are made from, so its users never run the generator: it is an
# order-only prerequisite, which must exist but cannot be out of date. That also serves cross-compiling.
readerdb_inputs = \
	$(READER_FILES) \
	$(srcdir)/readers/emit.c $(srcdir)/readers/readerdb.c \
	$(srcdir)/src/quirk/quirk.h $(srcdir)/src/quirk/reader_file.c $(srcdir)/src/quirk/reader_key.c

src/quirk/table.c: $(readerdb_inputs) | $(readerdb_tool)
	$(AM_V_GEN)$(MKDIR_P) src/quirk && $(readerdb_tool) table $(READER_FILES) >$@.tmp && mv -f $@.tmp $@

readers/Info.plist: $(readerdb_inputs) $(srcdir)/configure.ac | $(readerdb_tool)
	$(AM_V_GEN)$(MKDIR_P) readers && \
	$(readerdb_tool) plist $(PACKAGE_VERSION) $(READER_FILES) >$@.tmp && mv -f $@.tmp $@

udev/60-openccid.rules: $(readerdb_inputs) | $(readerdb_tool)
	$(AM_V_GEN)$(MKDIR_P) udev && $(readerdb_tool) udev $(READER_FILES) >$@.tmp && mv -f $@.tmp $@

readers/org.openccid.openccid.metainfo.xml: $(readerdb_inputs) | $(readerdb_tool)
	$(AM_V_GEN)$(MKDIR_P) readers && $(readerdb_tool) metainfo $(READER_FILES) >$@.tmp && mv -f $@.tmp $@

metainfodir = $(datadir)/metainfo
dist_metainfo_DATA = readers/org.openccid.openccid.metainfo.xml

contentsdir = $(usbdropdir)/openccid.bundle/Contents
dist_contents_DATA = readers/Info.plist
dist_udevrules_DATA = udev/60-openccid.rules

# For the command: openccid describe, and openccid simulate.
readersdir = $(pkgdatadir)/readers
if WITH_TOOL
readers_DATA = $(READER_FILES)
endif

check_SCRIPTS += readers/test-generated.sh

EXTRA_DIST += \
	$(READER_FILES) \
	readers/README.md \
	readers/test-generated.sh \
	src/quirk/table.c

CLEANFILES += src/quirk/table.c.tmp readers/Info.plist.tmp udev/60-openccid.rules.tmp readers/org.openccid.openccid.metainfo.xml.tmp
MAINTAINERCLEANFILES += src/quirk/table.c readers/Info.plist udev/60-openccid.rules readers/org.openccid.openccid.metainfo.xml
