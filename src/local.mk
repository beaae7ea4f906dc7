# SPDX-License-Identifier: LGPL-2.1-or-later
# Everything but the IFDH entry points is a convenience library, which the tests link.

noinst_LTLIBRARIES += src/libcore.la
src_libcore_la_SOURCES = \
	src/base/bytes.h \
	src/base/err.c src/base/err.h \
	src/base/log.c src/base/log.h \
	src/ccid/caps.h \
	src/ccid/descriptor.c src/ccid/descriptor.h \
	src/ccid/exchange.c src/ccid/exchange.h \
	src/ccid/iccd.c src/ccid/iccd.h \
	src/ccid/message.c src/ccid/message.h \
	src/ccid/pin.c src/ccid/pin.h \
	src/ccid/recover.c src/ccid/recover.h \
	src/ccid/redact.c src/ccid/redact.h \
	src/ccid/redact_apdu.c src/ccid/redact_apdu.h \
	src/ccid/status.c src/ccid/status.h \
	src/ccid/transport.h \
	src/ifd/learn.c src/ifd/learn.h \
	src/quirk/features.c src/quirk/features.h \
	src/quirk/override.c src/quirk/override.h \
	src/quirk/prompts.c src/quirk/prompts.h \
	src/quirk/quirk.c src/quirk/quirk.h \
	src/quirk/reader_file.c src/quirk/reader_file.h \
	src/slot/dispatch.c src/slot/dispatch.h \
	src/slot/lanes.c \
	src/slot/link.c \
	src/slot/negotiate.c \
	src/slot/parameters.c \
	src/slot/power.c \
	src/slot/presence.c \
	src/slot/reader.c src/slot/reader.h \
	src/slot/run.c \
	src/slot/secure.c \
	src/slot/slot.c src/slot/slot.h \
	src/slot/speed.c src/slot/speed.h \
	src/slot/transmit.c \
	src/slot/wait.h \
	src/tap/record.c src/tap/record.h \
	src/tap/store.c src/tap/store.h \
	src/tap/tap.c src/tap/tap.h \
	src/tpdu/apdu.c src/tpdu/apdu.h \
	src/tpdu/atr.c src/tpdu/atr.h \
	src/tpdu/chain.c src/tpdu/chain.h \
	src/tpdu/character.c src/tpdu/character.h \
	src/tpdu/engine.h \
	src/tpdu/pps.c src/tpdu/pps.h \
	src/tpdu/t0.c src/tpdu/t0.h \
	src/tpdu/t1.c src/tpdu/t1.h \
	src/tpdu/timing.c src/tpdu/timing.h
nodist_src_libcore_la_SOURCES = src/quirk/table.c

# The transport that is libusb. Tests bring one of their own instead.
noinst_LTLIBRARIES += src/libusbtransport.la
src_libusbtransport_la_SOURCES = \
	src/usb/attached.c src/usb/attached.h \
	src/usb/bulk.c \
	src/usb/claim.c src/usb/claim.h \
	src/usb/control.c \
	src/usb/device.c \
	src/usb/devname.c src/usb/devname.h \
	src/usb/holder.c src/usb/holder.h \
	src/usb/info.c \
	src/usb/inside.h \
	src/usb/interface.c \
	src/usb/interrupt.c \
	src/usb/open.c \
	src/usb/restart.c src/usb/restart.h \
	src/usb/sysfs.c src/usb/sysfs.h \
	src/usb/transfer.c \
	src/usb/usb.c src/usb/usb.h
src_libusbtransport_la_CFLAGS = $(AM_CFLAGS) $(LIBUSB_CFLAGS)
src_libusbtransport_la_LIBADD = $(LIBUSB_LIBS)

# The IFDH entry points.
noinst_LTLIBRARIES += src/libifd.la
src_libifd_la_SOURCES = \
	src/ifd/attributes.c src/ifd/attributes.h \
	src/ifd/attributes_link.c \
	src/ifd/attributes_reader.c \
	src/ifd/bundle.c src/ifd/bundle.h \
	src/ifd/control.c src/ifd/control.h \
	src/ifd/driver.c src/ifd/driver.h \
	src/ifd/features.c src/ifd/features.h \
	src/ifd/ifd.c \
	src/ifd/opening.c src/ifd/opening.h \
	src/ifd/pcscd_log.c src/ifd/pcscd_log.h \
	src/ifd/pinpad.c src/ifd/pinpad.h \
	src/ifd/reader_info.c src/ifd/pcsclite.h src/ifd/reader_info.h \
	src/ifd/recording.c src/ifd/recording.h
src_libifd_la_CPPFLAGS = $(AM_CPPFLAGS) -DOPENCCID_CONFIG_DIR='"$(sysconfdir)/openccid"'
src_libifd_la_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS)
src_libifd_la_LIBADD = $(DL_LIBS)

# What pcscd loads: the IFDH names, and nothing else, are visible.
bundledir = $(usbdropdir)/openccid.bundle/Contents/Linux
bundle_LTLIBRARIES = src/libopenccid.la
src_libopenccid_la_SOURCES =
src_libopenccid_la_LIBADD = src/libifd.la src/libusbtransport.la src/libcore.la
src_libopenccid_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined \
	-export-symbols-regex '^IFDH' $(DEFS_LDFLAGS)

# pcscd needs the library alone; libtool's description of it is of no use in a bundle.
install-data-hook:
	rm -f $(DESTDIR)$(bundledir)/libopenccid.la $(DESTDIR)$(pkglibexecdir)/libccid-sim-preload.la

uninstall-hook:
	rm -f $(DESTDIR)$(bundledir)/libopenccid.so $(DESTDIR)$(pkglibexecdir)/libccid-sim-preload.so
	-rmdir $(DESTDIR)$(bundledir) $(DESTDIR)$(contentsdir) $(DESTDIR)$(usbdropdir)/openccid.bundle
	-rmdir $(DESTDIR)$(examplesdir) $(DESTDIR)$(docexamplesdir) $(DESTDIR)$(docpagesdir) $(DESTDIR)$(docreadersdir) $(DESTDIR)$(docdir) \
		$(DESTDIR)$(readersdir) $(DESTDIR)$(pkgdatadir) $(DESTDIR)$(pkglibexecdir) 2>/dev/null
