/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum tool_exit tool_complain(struct tool *tool, enum tool_exit exit, const char *fmt, ...)
{
	char sentence[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	fflush(tool->out.stream);
	out_styled(&tool->err, OUT_STRONG, "openccid%s%s:", tool->verb ? " " : "",
		   tool->verb ? tool->verb->name : "");
	out_print(&tool->err, " ");
	out_foreign(&tool->err, sentence, strlen(sentence));
	out_print(&tool->err, "\n");
	return exit;
}
