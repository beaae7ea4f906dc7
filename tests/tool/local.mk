# SPDX-License-Identifier: LGPL-2.1-or-later
# The command `openccid`.

EXTRA_DIST += tests/tool/begin.sh tests/tool/lib.sh

check_SCRIPTS += \
	tests/tool/test-adopt.sh \
	tests/tool/test-completion.sh \
	tests/tool/test-decode.sh \
	tests/tool/test-describe.sh \
	tests/tool/test-doctor.sh \
	tests/tool/test-html.sh \
	tests/tool/test-huge.sh \
	tests/tool/test-list.sh \
	tests/tool/test-man.sh \
	tests/tool/test-record.sh \
	tests/tool/test-redact.sh \
	tests/tool/test-replay.sh \
	tests/tool/test-usage.sh

# What test-huge.sh starts.
noinst_PROGRAMS += tests/tool/huge
tests_tool_huge_SOURCES = tests/tool/huge.c tests/tool/pcap_writer.c tests/tool/pcap_writer.h

# A gigabyte in each form: takes some minutes.
check-huge: tests/tool/huge$(EXEEXT) src/tool/openccid$(EXEEXT)
	HUGE_MEGABYTES=1024 top_srcdir=$(abs_top_srcdir) top_builddir=$(abs_top_builddir) $(srcdir)/tests/tool/test-huge.sh

.PHONY: check-huge

TOOL_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit

if HAVE_CMOCKA
check_PROGRAMS += \
	tests/tool/test_attached \
	tests/tool/test_describe \
	tests/tool/test_effect_text \
	tests/tool/test_out \
	tests/tool/test_story
if HAVE_PCAP
check_PROGRAMS += \
	tests/tool/test_redaction \
	tests/tool/test_traffic
endif
endif

tests_tool_test_attached_SOURCES = tests/tool/test_attached.c tests/unit/check.h
tests_tool_test_attached_CPPFLAGS = $(TOOL_CPPFLAGS)
tests_tool_test_attached_CFLAGS = $(UNIT_CFLAGS)
tests_tool_test_attached_LDADD = src/libusbtransport.la src/libcore.la $(CMOCKA_LIBS)
tests_tool_test_describe_SOURCES = tests/tool/test_describe.c tests/unit/check.h
tests_tool_test_describe_CPPFLAGS = $(TOOL_CPPFLAGS)
tests_tool_test_describe_CFLAGS = $(UNIT_CFLAGS)
tests_tool_test_describe_LDADD = src/libcommand.la src/libtraffic.la src/libreplay.la src/libusbtransport.la src/libcore.la $(PCAP_LIBS) $(CMOCKA_LIBS)
tests_tool_test_effect_text_SOURCES = tests/tool/test_effect_text.c tests/unit/check.h
tests_tool_test_effect_text_CPPFLAGS = $(TOOL_CPPFLAGS)
tests_tool_test_effect_text_CFLAGS = $(UNIT_CFLAGS)
tests_tool_test_effect_text_LDADD = src/libcore.la $(CMOCKA_LIBS)

tests_tool_test_out_SOURCES = tests/tool/test_out.c tests/unit/check.h
tests_tool_test_out_CPPFLAGS = $(TOOL_CPPFLAGS)
tests_tool_test_out_CFLAGS = $(UNIT_CFLAGS)
tests_tool_test_out_LDADD = src/libcommand.la $(CMOCKA_LIBS)
tests_tool_test_traffic_SOURCES = tests/tool/test_traffic.c tests/tool/pcap_writer.c tests/tool/pcap_writer.h tests/unit/check.h
tests_tool_test_traffic_CPPFLAGS = $(TOOL_CPPFLAGS)
tests_tool_test_traffic_CFLAGS = $(UNIT_CFLAGS)
tests_tool_test_traffic_LDADD = src/libtraffic.la src/libreplay.la src/libcore.la $(PCAP_LIBS) $(CMOCKA_LIBS)
tests_tool_test_story_SOURCES = tests/tool/test_story.c tests/unit/check.h
tests_tool_test_story_CPPFLAGS = $(TOOL_CPPFLAGS)
tests_tool_test_story_CFLAGS = $(UNIT_CFLAGS)
tests_tool_test_story_LDADD = src/libcommand.la src/libtraffic.la src/libreplay.la src/libcore.la $(PCAP_LIBS) $(CMOCKA_LIBS)
tests_tool_test_redaction_SOURCES = tests/tool/test_redaction.c tests/tool/pcap_writer.c tests/tool/pcap_writer.h tests/unit/check.h
tests_tool_test_redaction_CPPFLAGS = $(TOOL_CPPFLAGS)
tests_tool_test_redaction_CFLAGS = $(UNIT_CFLAGS)
tests_tool_test_redaction_LDADD = src/libcommand.la src/libtraffic.la src/libreplay.la src/libcore.la $(PCAP_LIBS) $(CMOCKA_LIBS)
