/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/player.h"

#include "quirk/quirk.h"
#include "quirk/reader_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A unit that fits what the capture says of the reader. */
struct search {
	const struct capture *capture;
	struct verdict *verdict;
	bool found;
	uint16_t bcd_device;
	uint8_t interface, endpoints;
	uint8_t descriptor[CCID_DESCRIPTOR_LEN];
};

static void on_section(void *arg, const struct reader_section *s)
{
	struct search *search = arg;
	const struct capture *c = search->capture;

	if (s->vid != c->vid || s->pid != c->pid)
		return;
	for (unsigned i = 0; i < s->interfaces && !search->found; i++) {
		const struct reader_interface *interface = &s->interface[i];
		const uint16_t bcd = s->unit[interface->unit].bcd_device;

		if ((c->has_firmware && c->firmware != bcd) ||
		    (c->has_interface && c->interface != interface->number))
			continue;
		search->found = true;
		search->bcd_device = bcd;
		search->interface = interface->number;
		search->endpoints = interface->endpoints;
		memcpy(search->descriptor, interface->descriptor, sizeof search->descriptor);
	}
}

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct search *search = arg;

	fault(search->verdict, file, line, "%s", sentence);
}

/* The product's section stands in the file whose name begins with the vendor id. */
static void look_up(struct search *search, const char *readers)
{
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = search };
	char prefix[8];
	char path[2048];
	struct dirent *entry;
	DIR *dir = opendir(readers);

	if (!dir) {
		fault(search->verdict, readers, 0, "the folder of the readers cannot be opened: %s",
		      strerror(errno));
		return;
	}
	snprintf(prefix, sizeof prefix, "%04x-", search->capture->vid);
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || !dot ||
		    strcmp(dot, ".reader") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", readers, entry->d_name);
		reader_file_load(path, READER_DATABASE, &sink);
	}
	closedir(dir);
}

/* A stated descriptor needs no look-up. */
static void use_stated(struct search *search)
{
	const struct capture *c = search->capture;

	search->found = true;
	search->bcd_device = c->firmware;
	search->interface = c->interface;
	search->endpoints = c->endpoints;
	memcpy(search->descriptor, c->descriptor, sizeof search->descriptor);
}

bool identify(const struct capture *capture, const char *readers, struct identity *out,
	      struct verdict *verdict)
{
	struct search search = { .capture = capture, .verdict = verdict };
	struct ccid_descriptor desc = { 0 };

	*verdict = (struct verdict){ .good = true };
	if (capture->has_descriptor)
		use_stated(&search);
	else
		look_up(&search, readers);
	if (!search.found)
		fault(verdict, capture->file, 0,
		      "no unit of %04x:%04x with this firmware and interface is in the .reader files; add "
		      "it, or "
		      "state its descriptor",
		      capture->vid, capture->pid);
	else if (ccid_descriptor_decode(search.descriptor, sizeof search.descriptor, &desc) != OC_OK ||
		 ccid_caps_derive(&desc, &out->caps) != OC_OK)
		fault(verdict, capture->file, 0, "the class descriptor is not usable");
	if (!verdict->good)
		return false;
	if (capture->has_id) {
		const struct quirk_facts facts = {
			.bcd_device = search.bcd_device,
			.message = desc.dwMaxCCIDMessageLength,
			.level = out->caps.level,
			.interface = search.interface,
			.product = "",
		};

		quirk_apply(capture->vid, capture->pid, &facts, &out->caps);
		quirk_settle(&out->caps);
	}
	if (capture->has_level)
		out->caps.level = capture->level;
	out->interface = search.interface;
	out->interrupt = search.endpoints > 2;
	return true;
}
