/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/err.h"

#include <stddef.h>

const char *oc_strerr(enum oc_err err)
{
	static const char *const text[] = {
#define X(id, sentence) [id] = (sentence),
		OC_ERRORS(X)
#undef X
	};

	if ((size_t)err >= sizeof text / sizeof text[0])
		return "unknown error";
	return text[err];
}
