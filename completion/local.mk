# SPDX-License-Identifier: LGPL-2.1-or-later
# bash finds it by the name of the command.
bashcompletiondir = $(datadir)/bash-completion/completions
EXTRA_DIST += completion/openccid.bash

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/completion/openccid.bash '$(DESTDIR)$(bashcompletiondir)/openccid'

uninstall-local:
	rm -f '$(DESTDIR)$(bashcompletiondir)/openccid'
