/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers of a capture, as openccid describe looks at them. */
#include "tool/source.h"

#include "traffic/traffic.h"

#include <stdio.h>
#include <string.h>

enum { CLASS_SMART_CARD = 0x0B };

/* What is no capture may be something else that describes readers. */
static void not_told(void *arg, enum traffic_gravity gravity, const char *where, unsigned long place,
		     const char *sentence)
{
	(void)arg;
	(void)gravity;
	(void)where;
	(void)place;
	(void)sentence;
}

static void take_described(const struct traffic_reader *r, struct views *views)
{
	struct view *view = views_add(views);

	if (!view)
		return;
	view->info = (struct usb_info){
		.vid = r->vid,
		.pid = r->pid,
		.bcd_device = r->firmware,
		.interface = r->interface,
		.class = r->class ? r->class : CLASS_SMART_CARD,
		.bulk = r->endpoints >= 2,
		.interrupt = r->endpoints & 1,
		.extra_len = sizeof r->descriptor,
	};
	memcpy(view->info.extra, r->descriptor, sizeof r->descriptor);
	snprintf(view->product, sizeof view->product, "%s", r->name);
}

bool source_capture(struct tool *tool, const char *name, const char *path, struct views *views,
		    enum tool_exit *exit)
{
	struct traffic *t = traffic_open(path, not_told, NULL);
	char ids[12];

	if (!t)
		return false;
	*exit = TOOL_FINE;
	for (unsigned i = 0; i < traffic_readers(t) && *exit == TOOL_FINE; i++) {
		const struct traffic_reader *r = traffic_reader(t, i);

		snprintf(ids, sizeof ids, "%04x:%04x", r->vid, r->pid);
		if (r->has_descriptor)
			take_described(r, views);
		else if (r->has_id)
			*exit = source_list(tool, ids, views);
	}
	if (*exit == TOOL_FINE && !views->count)
		*exit = tool_complain(
			tool, TOOL_CANNOT,
			"%s: this capture says neither the ids of a reader nor its descriptors; "
			"they are in one that began before the reader was plugged in",
			name);
	traffic_close(t);
	return true;
}
