# SPDX-License-Identifier: LGPL-2.1-or-later
dist_man_MANS = man/openccid.7 man/openccid.reader.5
if WITH_TOOL
dist_man_MANS += man/openccid.1
endif
