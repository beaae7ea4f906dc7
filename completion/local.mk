# SPDX-License-Identifier: LGPL-2.1-or-later
# Each shell finds it by its name, where configure says; "no" leaves it out.
EXTRA_DIST += completion/openccid.bash completion/openccid.zsh completion/openccid.fish

if WITH_TOOL
install-data-local: install-completion-bash install-completion-zsh install-completion-fish

install-completion-bash:
	test '$(bashcompletiondir)' = no || { $(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)' && \
		$(INSTALL_DATA) $(srcdir)/completion/openccid.bash '$(DESTDIR)$(bashcompletiondir)/openccid'; }

install-completion-zsh:
	test '$(zshcompletiondir)' = no || { $(MKDIR_P) '$(DESTDIR)$(zshcompletiondir)' && \
		$(INSTALL_DATA) $(srcdir)/completion/openccid.zsh '$(DESTDIR)$(zshcompletiondir)/_openccid'; }

install-completion-fish:
	test '$(fishcompletiondir)' = no || { $(MKDIR_P) '$(DESTDIR)$(fishcompletiondir)' && \
		$(INSTALL_DATA) $(srcdir)/completion/openccid.fish '$(DESTDIR)$(fishcompletiondir)/openccid.fish'; }

uninstall-local: uninstall-completion

uninstall-completion:
	rm -f '$(DESTDIR)$(bashcompletiondir)/openccid' '$(DESTDIR)$(zshcompletiondir)/_openccid' \
		'$(DESTDIR)$(fishcompletiondir)/openccid.fish'

.PHONY: install-completion-bash install-completion-zsh install-completion-fish uninstall-completion
endif
