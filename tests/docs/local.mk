# SPDX-License-Identifier: LGPL-2.1-or-later
# The pages of the documentation.

check_SCRIPTS += tests/docs/test-docs.sh
EXTRA_DIST += tests/docs/check_links.py tests/docs/commands tests/docs/elsewhere tests/docs/newcomer tests/docs/newcomer-session
