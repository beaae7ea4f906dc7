/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The generator: reads .reader files, checks them, and writes what the build and pcscd need from them. */
#include "readerdb.h"

#include <stdlib.h>
#include <string.h>

struct input {
	struct readerdb *db;
	uint32_t file_vid; /* from the file's name */
	uint32_t last;     /* id of the section before; ids start at 0 with none */
	bool any;
};

static void report(struct readerdb *db, const char *file, unsigned line, const char *sentence)
{
	db->errors++;
	if (line)
		fprintf(stderr, "%s:%u: %s\n", file, line, sentence);
	else
		fprintf(stderr, "%s: %s\n", file, sentence);
}

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	const struct input *in = arg;

	report(in->db, file, line, sentence);
}

/* udev sees the class triples of all interfaces; these three are in the general rule. */
static bool smart_card_class(const uint8_t triple[3])
{
	return triple[0] == 0x0b && triple[1] == 0 && triple[2] <= 2;
}

static struct entry *add(struct entries *entries)
{
	if (entries->len == entries->cap) {
		const size_t cap = entries->cap ? 2 * entries->cap : 256;
		struct entry *more = realloc(entries->at, cap * sizeof *more);

		if (!more) {
			fputs("readerdb: there is no memory left\n", stderr);
			exit(1);
		}
		entries->at = more;
		entries->cap = cap;
	}
	return &entries->at[entries->len++];
}

static void keep(struct readerdb *db, const struct reader_section *s)
{
	struct entry *e = add(s->scope == READER_VENDOR ? &db->vendors : &db->products);

	memset(e, 0, sizeof *e);
	e->vid = s->vid;
	e->pid = s->pid;
	e->rules = s->rules;
	e->file = s->file;
	e->line = s->line;
	memcpy(e->name, s->name, sizeof e->name);
	snprintf(e->product, sizeof e->product, s->scope == READER_VENDOR ? "*" : "%04x", s->pid);
	e->offered = s->status == READER_SUPPORTED || s->status == READER_SHOULD_WORK;
	e->stays_awake = s->stays_awake;
	for (unsigned i = 0; i < s->interfaces; i++) {
		e->vendor_class |= s->interface[i].triple[0] == 0xff;
		e->by_id |= !smart_card_class(s->interface[i].triple);
	}
	for (unsigned i = 0; i < s->rules; i++)
		e->rule[i] = s->rule[i];
}

static void on_section(void *arg, const struct reader_section *s)
{
	struct input *in = arg;
	const uint32_t id = (uint32_t)s->vid << 16 | s->pid;

	if (s->vid != in->file_vid)
		report(in->db, s->file, s->line,
		       "the vendor id is not the one of the file name; move the section to that vendor's "
		       "file");
	if (in->any && id < in->last)
		report(in->db, s->file, s->line,
		       "the section is not in order; sort the sections of a file by product id, '[vid:*]' "
		       "first");
	if (strpbrk(s->name, "<>"))
		report(in->db, s->file, s->line,
		       "name has an angle bracket, which pcscd cannot read in Info.plist; leave it out");
	in->any = true;
	in->last = id;
	keep(in->db, s);
}

/* <vid>-<vendor>.reader, lower case */
static bool vid_of_name(const char *path, uint32_t *vid)
{
	static const char suffix[] = ".reader";
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const size_t len = strlen(name);
	const size_t slug = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	char *end = NULL;

	if (strspn(name, "0123456789abcdef") != 4 || name[4] != '-' || slug < 6)
		return false;
	*vid = (uint32_t)strtoul(name, &end, 16);
	return end == name + 4 && len == slug + sizeof suffix - 1 && strcmp(name + slug, suffix) == 0;
}

static void load(struct readerdb *db, const char *path)
{
	struct input in = { .db = db };
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = &in };

	if (!vid_of_name(path, &in.file_vid)) {
		report(db, path, 0,
		       "the file name must be <vid>-<vendor>.reader, such as 04e6-scm.reader, in lower case");
		return;
	}
	if (reader_file_load(path, READER_DATABASE, &sink) == 0 && !in.any)
		report(db, path, 0, "no [vid:pid] section in this file; add one or remove the file");
}

static int by_id(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	const uint32_t ix = (uint32_t)x->vid << 16 | x->pid;
	const uint32_t iy = (uint32_t)y->vid << 16 | y->pid;

	if (ix != iy)
		return ix < iy ? -1 : 1;
	if (strcmp(x->file, y->file) != 0)
		return strcmp(x->file, y->file);
	return x->line < y->line ? -1 : x->line > y->line;
}

static void sort_and_check(struct readerdb *db, struct entries *entries)
{
	char sentence[256];

	if (entries->len)
		qsort(entries->at, entries->len, sizeof *entries->at, by_id);
	for (size_t i = 1; i < entries->len; i++) {
		const struct entry *first = &entries->at[i - 1];
		const struct entry *e = &entries->at[i];

		if (e->vid != first->vid || e->pid != first->pid)
			continue;
		snprintf(sentence, sizeof sentence,
			 "%04x:%s is already described at %.160s:%u; join both into one section", e->vid,
			 e->product, first->file, first->line);
		report(db, e->file, e->line, sentence);
	}
}

/* The table counts rules in 16 bits. */
static void check_size(struct readerdb *db)
{
	size_t rules = 0;

	for (size_t i = 0; i < db->products.len; i++)
		rules += db->products.at[i].rules;
	for (size_t i = 0; i < db->vendors.len; i++)
		rules += db->vendors.at[i].rules;
	if (rules > UINT16_MAX)
		report(db, "readerdb", 0, "more than 65535 rules; widen struct quirk_reader");
}

static void emit_nothing(const struct readerdb *db, const char *version, FILE *out)
{
	(void)db;
	(void)version;
	(void)out;
}

static const struct command {
	const char *word;
	bool version;
	void (*emit)(const struct readerdb *db, const char *version, FILE *out);
} commands[] = {
	{ "check", false, emit_nothing }, { "table", false, emit_table },       { "plist", true, emit_plist },
	{ "udev", false, emit_udev },     { "metainfo", false, emit_metainfo },
};

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; word && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(word, commands[i].word) == 0)
			return &commands[i];
	return NULL;
}

/* Writes only when everything is good, so that a faulty file never leaves a partial output behind. */
static int run(const struct command *command, const char *version, char *const *files)
{
	struct readerdb db = { 0 };
	int status = 1;

	for (; *files; files++)
		load(&db, *files);
	sort_and_check(&db, &db.products);
	sort_and_check(&db, &db.vendors);
	check_size(&db);
	if (db.errors) {
		fprintf(stderr, "readerdb: %u error%s, nothing is written; see readers/README.md\n",
			db.errors, db.errors == 1 ? "" : "s");
	} else {
		command->emit(&db, version, stdout);
		status = fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
		if (status)
			perror("readerdb: cannot write the output");
	}
	free(db.products.at);
	free(db.vendors.at);
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command = find_command(argc > 1 ? argv[1] : NULL);
	const int files = command && command->version ? 3 : 2;

	if (!command || argc <= files) {
		fputs("usage: readerdb check|table|udev FILE...\n"
		      "       readerdb plist VERSION FILE...\n",
		      stderr);
		return 2;
	}
	return run(command, argv[2], argv + files);
}
