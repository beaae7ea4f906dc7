/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identities from the .reader files: every unit that somebody described can be plugged in. */
#include "identity.h"

#include "quirk/reader_file.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct wanted {
	unsigned vid, pid;
	int bcd, interface; /* -1 = any */
};

/* VID:PID[@bcd][/interface]; interface is decimal, the rest hexadecimal. */
static bool parse_spec(const char *spec, struct wanted *w)
{
	int used = 0;
	unsigned value;

	*w = (struct wanted){ .bcd = -1, .interface = -1 };
	if (sscanf(spec, "%4x:%4x%n", &w->vid, &w->pid, &used) != 2)
		return false;
	spec += used;
	if (*spec == '@') {
		if (sscanf(spec, "@%4x%n", &value, &used) != 1)
			return false;
		w->bcd = (int)value;
		spec += used;
	}
	if (*spec == '/') {
		if (sscanf(spec, "/%3u%n", &value, &used) != 1)
			return false;
		w->interface = (int)value;
		spec += used;
	}
	return *spec == '\0';
}

static void copy_list(const struct reader_list *list, uint32_t *out, size_t *count)
{
	*count = list->count < SIM_RATES_MAX ? list->count : SIM_RATES_MAX;
	memcpy(out, list->value, *count * sizeof *out);
}

static void to_identity(const struct reader_section *s, const struct reader_interface *i,
			struct sim_identity *out)
{
	const struct reader_unit *unit = &s->unit[i->unit];

	*out = (struct sim_identity){ .vid = s->vid, .pid = s->pid, .bcd = unit->bcd_device };
	snprintf(out->manufacturer, sizeof out->manufacturer, "%s", unit->manufacturer);
	snprintf(out->product, sizeof out->product, "%s", unit->product);
	snprintf(out->interface_name, sizeof out->interface_name, "%s", i->name);
	out->interface_number = i->number;
	memcpy(out->class, i->triple, sizeof out->class);
	out->endpoints = i->endpoints;
	memcpy(out->descriptor, i->descriptor, sizeof out->descriptor);
	copy_list(&i->clocks, out->clocks, &out->clocks_count);
	copy_list(&i->data_rates, out->rates, &out->rates_count);
}

struct search {
	struct wanted wanted;
	struct sim_identity *out; /* room for cap of them */
	unsigned cap, found;
	FILE *list_to;
	bool errors;
	int lines;
};

static const char *level_of(const uint8_t *descriptor)
{
	const unsigned level = descriptor[42] & 7;

	return level & 4 ? "extended-apdu" : level & 2 ? "short-apdu" : level & 1 ? "tpdu" : "character";
}

static void list_one(struct search *search, const struct reader_section *s, const struct reader_interface *i)
{
	fprintf(search->list_to, "%04x:%04x@%04x/%u\t%02x%02x%02x\t%u endpoints\t%s\t%s\n", s->vid, s->pid,
		s->unit[i->unit].bcd_device, i->number, i->triple[0], i->triple[1], i->triple[2],
		i->endpoints, level_of(i->descriptor), s->name);
	search->lines++;
}

static bool wants(const struct wanted *w, const struct reader_section *s, const struct reader_interface *i)
{
	return w->vid == s->vid && w->pid == s->pid &&
	       (w->bcd < 0 || w->bcd == s->unit[i->unit].bcd_device) &&
	       (w->interface < 0 || w->interface == i->number);
}

/* All interfaces of the unit to which the first fitting one belongs, until there is no more room. */
static void take_unit(struct search *search, const struct reader_section *s, unsigned first)
{
	for (unsigned i = first; i < s->interfaces && search->found < search->cap; i++)
		if (s->interface[i].unit == s->interface[first].unit)
			to_identity(s, &s->interface[i], &search->out[search->found++]);
}

static void on_section(void *arg, const struct reader_section *s)
{
	struct search *search = arg;

	for (unsigned i = 0; i < s->interfaces; i++) {
		if (search->list_to)
			list_one(search, s, &s->interface[i]);
		else if (!search->found && wants(&search->wanted, s, &s->interface[i]))
			take_unit(search, s, i);
	}
}

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct search *search = arg;

	search->errors = true;
	fprintf(stderr, "%s:%u: %s\n", file, line, sentence);
}

static int is_reader_file(const struct dirent *entry)
{
	const size_t len = strlen(entry->d_name);

	return len > 7 && strcmp(entry->d_name + len - 7, ".reader") == 0;
}

static int visit(const char *dir, struct search *search)
{
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = search };
	struct dirent **names;
	const int count = scandir(dir, &names, is_reader_file, alphasort);
	char path[4096];

	for (int i = 0; i < count; i++) {
		if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name) < sizeof path)
			reader_file_load(path, READER_DATABASE, &sink);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return count;
}

int sim_identity_find_all(const char *dir, const char *spec, struct sim_identity *out, unsigned cap,
			  char *why, size_t why_len)
{
	struct search search = { .out = out, .cap = cap };

	if (!parse_spec(spec, &search.wanted)) {
		snprintf(why, why_len,
			 "\"%s\" is not a reader: write VID:PID[@bcd][/interface], such as 04e6:5116@0523/0",
			 spec);
		return -1;
	}
	if (visit(dir, &search) < 0) {
		snprintf(why, why_len,
			 "cannot read the folder of .reader files \"%s\": name it with --readers", dir);
		return -1;
	}
	if (search.found)
		return (int)search.found;
	snprintf(why, why_len, "no unit \"%s\" in %s: --list shows what there is", spec, dir);
	return -1;
}

int sim_identity_find(const char *dir, const char *spec, struct sim_identity *out, char *why, size_t why_len)
{
	return sim_identity_find_all(dir, spec, out, 1, why, why_len) == 1 ? 0 : -1;
}

int sim_identity_list(const char *dir, FILE *to)
{
	struct search search = { .list_to = to };

	return visit(dir, &search) < 0 ? -1 : search.lines;
}
