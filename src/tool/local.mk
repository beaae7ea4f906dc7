# SPDX-License-Identifier: LGPL-2.1-or-later
# The command `openccid`: a verb is one file here, one row in verbs.c and one declaration in tool.h.

# Everything but main(), so that tests can link it.
EXTRA_LTLIBRARIES += src/libcommand.la
src_libcommand_la_SOURCES = \
	src/tool/ask.c src/tool/ask.h \
	src/tool/bundles.c src/tool/bundles.h \
	src/tool/capture_file.c src/tool/capture_file.h \
	src/tool/causes.c src/tool/causes.h \
	src/tool/decode.h \
	src/tool/decode_html.c \
	src/tool/decode_json.c \
	src/tool/decode_text.c \
	src/tool/describe.h \
	src/tool/descriptor_check.c \
	src/tool/descriptor_fields.c \
	src/tool/descriptor_plan.c \
	src/tool/doctor.h \
	src/tool/doctor_access.c \
	src/tool/doctor_card.c \
	src/tool/doctor_pcscd.c \
	src/tool/doctor_reader.c \
	src/tool/doctor_unit.c \
	src/tool/json.c src/tool/json.h \
	src/tool/local_bundle.c src/tool/local_bundle.h \
	src/tool/options.c src/tool/options.h \
	src/tool/out.c src/tool/out.h \
	src/tool/page_style.h \
	src/tool/pcsc.c src/tool/pcsc.h \
	src/tool/plan.c src/tool/plan.h \
	src/tool/plan_card.c \
	src/tool/process.c src/tool/process.h \
	src/tool/reader_section.c \
	src/tool/redact_text.c src/tool/redact_text.h \
	src/tool/redaction.c src/tool/redaction.h \
	src/tool/replay_guess.c \
	src/tool/replay_json.c \
	src/tool/replay_save.c \
	src/tool/replay_tell.c \
	src/tool/replaying.h \
	src/tool/source.c src/tool/source.h \
	src/tool/source_capture.c \
	src/tool/story.c src/tool/story.h \
	src/tool/story_card.c \
	src/tool/tool.c src/tool/tool.h \
	src/tool/verb_adopt.c \
	src/tool/verb_capture.c \
	src/tool/verb_decode.c \
	src/tool/verb_describe.c \
	src/tool/verb_doctor.c \
	src/tool/verb_help.c \
	src/tool/verb_list.c \
	src/tool/verb_redact.c \
	src/tool/verb_replay.c \
	src/tool/verb_simulate.c \
	src/tool/verbs.c \
	src/tool/view.c src/tool/view.h \
	src/tool/whatif.c src/tool/whatif.h \
	src/tool/words.c src/tool/words.h
src_libcommand_la_CPPFLAGS = $(AM_CPPFLAGS) -DOPENCCID_VERSION='"$(PACKAGE_VERSION)"' -DOPENCCID_CONFIG_DIR='"$(sysconfdir)/openccid"' \
	-DOPENCCID_DATA_DIR='"$(pkgdatadir)"' -DOPENCCID_DROP_DIR='"$(usbdropdir)"' -DOPENCCID_LIBEXEC_DIR='"$(pkglibexecdir)"' \
	-DOPENCCID_RULES_DIR='"$(udevrulesdir)"'
src_libcommand_la_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS)
src_libcommand_la_LIBADD = $(DL_LIBS)

# What plays a capture against the driver; tests/replay uses it, too.
EXTRA_LTLIBRARIES += src/libplayer.la
src_libplayer_la_SOURCES = \
	src/tool/identity.c \
	src/tool/perform.c src/tool/perform.h \
	src/tool/player.c src/tool/player.h

if WITH_TOOL
bin_PROGRAMS = src/tool/openccid
endif
src_tool_openccid_SOURCES = src/tool/main.c
src_tool_openccid_CPPFLAGS = $(AM_CPPFLAGS) -DOPENCCID_VERSION='"$(PACKAGE_VERSION)"' \
	-DOPENCCID_CONFIG_DIR='"$(sysconfdir)/openccid"' -DOPENCCID_LIBEXEC_DIR='"$(pkglibexecdir)"'
src_tool_openccid_LDADD = src/libcommand.la src/libtraffic.la src/libplayer.la src/libreplay.la src/libusbtransport.la src/libcore.la $(PCAP_LIBS)
