/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an administrator writes: files and entries, good and bad, and in which order they win. */
#include "check.h"

#include "quirk/override.h"

#include <sys/stat.h>

enum { VID = 0x04e6, PID = 0xe003 };

/* What was told of mistakes. */
static struct {
	unsigned count;
	char first[600], last[600];
} told;

static void on_mistake(void *arg, const char *sentence)
{
	assert_ptr_equal(arg, &told);
	if (!told.count++)
		snprintf(told.first, sizeof told.first, "%s", sentence);
	snprintf(told.last, sizeof told.last, "%s", sentence);
}

static struct quirk_override *fresh(void)
{
	struct quirk_override *o;

	memset(&told, 0, sizeof told);
	o = quirk_override_new(VID, PID, on_mistake, &told);
	assert_non_null(o);
	return o;
}

static void add_text(struct quirk_override *o, const char *file, const char *text)
{
	char *copy = (char *)exact_copy(text, strlen(text));

	quirk_override_text(o, file, copy, strlen(text));
	free(copy);
}

/* An unlisted product of a vendor without rules, unless a test says otherwise. */
static const struct quirk_facts facts = {
	.bcd_device = 0x0700, .message = 271, .level = CCID_TPDU, .interface = 0, .product = "SPRx32"
};
static const struct ccid_caps plain = { .level = CCID_TPDU, .max_ifsd = 254, .slots = 1, .busy_slots = 1 };

static struct ccid_caps apply(const struct quirk_override *o, char from[64])
{
	struct ccid_caps caps = plain;

	quirk_override_apply(o, VID, PID, &facts, &caps, from, 64);
	return caps;
}

/* ---- entries ---------------------------------------------------------------------------------------------- */

#define WRITE_IT "write vid:pid:key=value, such as"

static const struct entries_row {
	const char *entries;
	uint8_t ifsd;
	enum pinpad pinpad;
	uint8_t escape_len; /* of the command before an entry; the built-in one has 3 bytes */
	unsigned mistakes;
	const char *sentence; /* a part of the first */
} entries_rows[] = {
	{ "", 254, PINPAD_BROKEN, 3, 0, NULL },
	{ "04e6:e003:max-ifsd=48", 48, PINPAD_BROKEN, 3, 0, NULL },
	{ "04E6:E003:max-ifsd=48", 48, PINPAD_BROKEN, 3, 0, NULL },
	{ " 04e6:e003:max-ifsd = 48 ,", 48, PINPAD_BROKEN, 3, 0, NULL },
	{ "04e6:e003:pinpad=force", 254, PINPAD_FORCE, 3, 0, NULL },
	{ "04e6:e003:pinpad=force,04e6:e003:max-ifsd=48", 48, PINPAD_FORCE, 3, 0, NULL },
	{ "04e6:e003:pin-escape=80 02", 254, PINPAD_BROKEN, 2, 0, NULL },
	{ "04e6:*:max-ifsd=48", 48, PINPAD_BROKEN, 3, 0, NULL },
	{ "04e6:e003:max-ifsd=48,04e6:*:max-ifsd=49", 49, PINPAD_BROKEN, 3, 0, NULL },
	{ "04e6:e003:no-pps", 254, PINPAD_BROKEN, 3, 0, NULL },
	/* for others: checked, not applied */
	{ "04e6:e001:max-ifsd=48", 254, PINPAD_BROKEN, 3, 0, NULL },
	{ "08e6:*:max-ifsd=48", 254, PINPAD_BROKEN, 3, 0, NULL },
	{ "04e6:e001:max-ifsd=0", 254, PINPAD_BROKEN, 3, 1, "OPENCCID_QUIRKS, entry 1: max-ifsd = 0: write" },
	/* the faulty entry is left out, the rest is used */
	{ "04e6:e003:max-ifsd=48,04e6:e003:pinpad=yes", 48, PINPAD_BROKEN, 3, 1,
	  "OPENCCID_QUIRKS, entry 2: pinpad = yes: write one of none, broken, force" },
	{ "04e6:e003:max-ifs=48,04e6:e003:pinpad=none", 254, PINPAD_NONE, 3, 1,
	  "entry 1: unknown key 'max-ifs'" },
	{ "04e6:e003:max-ifsd", 254, PINPAD_BROKEN, 3, 1, "max-ifsd = yes: write a decimal number" },
	{ "04e6:e003:max-ifsd=", 254, PINPAD_BROKEN, 3, 1, "max-ifsd has no value" },
	{ "04e6:e003:pin-escape=80 2", 254, PINPAD_BROKEN, 3, 1, "write up to 8 bytes" },
	{ "04e6:e003:status=supported", 254, PINPAD_BROKEN, 3, 1, "this key changes nothing" },
	{ "04e6:e003:log=all", 254, PINPAD_BROKEN, 3, 1, "unknown key 'log'" },
	{ "max-ifsd=48", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:max-ifsd=48", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "4e6:e003:max-ifsd=48", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "*:*:max-ifsd=48", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "*:max-ifsd=48", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:e003", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:e003:", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ ":::", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "nonsense", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ ",,04e6:e003:max-ifsd=0", 254, PINPAD_BROKEN, 3, 1, "entry 3: max-ifsd" },
	{ "04e6:e003:max-ifsd=48\n[*]", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:e003:[*]", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:e003:[*]=1", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:e003:=1", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:e003:unit 01.00:", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
	{ "04e6:e003:always:", 254, PINPAD_BROKEN, 3, 1, WRITE_IT },
};

static void entries_are_rules(void **state)
{
	char from[64];

	(void)state;
	for (size_t i = 0; i < COUNT(entries_rows); i++) {
		const struct entries_row *r = &entries_rows[i];
		struct quirk_override *o = fresh();
		struct ccid_caps caps;

		quirk_override_entries(o, r->entries);
		caps = apply(o, from);
		CHECK_INT(r->entries, caps.max_ifsd, r->ifsd);
		CHECK_INT(r->entries, caps.pinpad, r->pinpad);
		CHECK_INT(r->entries, caps.pin.escape.len, r->escape_len);
		CHECK_INT(r->entries, told.count, r->mistakes);
		if (r->sentence && !strstr(told.first, r->sentence))
			CHECK_STRING(r->entries, told.first, r->sentence);
		quirk_override_free(o);
	}
	check_done();
}

static void a_key_alone_means_yes(void **state)
{
	struct quirk_override *o = fresh();
	char from[64];

	(void)state;
	quirk_override_entries(o, "04e6:e003:no-pps");
	assert_true(apply(o, from).no_pps);
	assert_string_equal(from, QUIRK_ENTRIES);
	quirk_override_free(o);
}

/* What an earlier rule has said can be taken back. */
static void no_takes_back(void **state)
{
	struct quirk_override *o = fresh();
	char from[64];

	(void)state;
	quirk_override_entries(o, "04e6:e003:no-pps,04e6:e003:no-pps=no");
	assert_int_equal(told.count, 0);
	assert_false(apply(o, from).no_pps);
	quirk_override_free(o);
}

static void long_entries_are_refused(void **state)
{
	struct quirk_override *o = fresh();
	char entry[400] = "04e6:e003:pin-escape=80 02 00";

	(void)state;
	memset(entry + strlen(entry), ' ', 300);
	strcpy(entry + 300, "01");
	quirk_override_entries(o, entry);
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.first, WRITE_IT));
	quirk_override_free(o);
}

/* ---- files ------------------------------------------------------------------------------------------------ */

static const struct text_row {
	const char *what, *text;
	uint8_t ifsd;
	bool no_pps;
	unsigned mistakes;
	const char *sentence; /* a part of the first */
} text_rows[] = {
	{ "nothing", "", 254, false, 0, NULL },
	{ "a product", "[04e6:e003]\nmax-ifsd = 48\n", 48, false, 0, NULL },
	{ "another product", "[04e6:e001]\nmax-ifsd = 48\n", 254, false, 0, NULL },
	{ "a vendor", "[04e6:*]\nmax-ifsd = 48\n", 48, false, 0, NULL },
	{ "another vendor", "[08e6:*]\nmax-ifsd = 48\n", 254, false, 0, NULL },
	{ "every reader", "[*]\nmax-ifsd = 48\n", 48, false, 0, NULL },
	{ "a condition that holds", "[*]\nfirmware = 07.00:\n  max-ifsd = 48\n", 48, false, 0, NULL },
	{ "one that does not", "[*]\nfirmware = 07.01:\n  max-ifsd = 48\n", 254, false, 0, NULL },
	{ "a bad value", "# mine\n[04e6:e003]\nmax-ifsd = 0\nno-pps = yes\n", 254, false, 1,
	  "my.reader:3: max-ifsd = 0: write a decimal number from 1 to 254" },
	{ "a bad section beside a good one", "[04e6:e003]\nmax-ifs = 48\n[04e6:*]\nno-pps = yes\n", 254, true,
	  1, "my.reader:2: unknown key 'max-ifs'" },
	{ "a bad section of another product", "[04e6:e001]\nmax-ifsd = 0\n[04e6:*]\nno-pps = yes\n", 254,
	  true, 1, "my.reader:2: " },
	{ "two mistakes", "[04e6:e003]\nmax-ifsd = 0\nno-pps = maybe\n", 254, false, 2, "my.reader:2: " },
	{ "neither yes nor no", "[04e6:e003]\nno-pps = maybe\n", 254, false, 1,
	  "my.reader:2: no-pps = maybe: write yes, or no to take back what is built in" },

	{ "no section", "max-ifsd = 48\n", 254, false, 1, "my.reader:1: nothing can stand before" },
	{ "a setting in the wrong place", "[04e6:e003]\nlog = all\n", 254, false, 1,
	  "my.reader:2: unknown key 'log'" },
};

static void files_are_rules(void **state)
{
	char from[64];

	(void)state;
	for (size_t i = 0; i < COUNT(text_rows); i++) {
		const struct text_row *r = &text_rows[i];
		struct quirk_override *o = fresh();
		struct ccid_caps caps;

		add_text(o, "my.reader", r->text);
		caps = apply(o, from);
		CHECK_INT(r->what, caps.max_ifsd, r->ifsd);
		CHECK_INT(r->what, caps.no_pps, r->no_pps);
		CHECK_INT(r->what, told.count, r->mistakes);
		if (r->sentence && strncmp(told.first, r->sentence, strlen(r->sentence)) != 0)
			CHECK_STRING(r->what, told.first, r->sentence);
		CHECK_STRING(r->what, from, r->ifsd == 48 || r->no_pps ? "my.reader" : "");
		quirk_override_free(o);
	}
	check_done();
}

/* A file that is no file of settings at all does not fill the log. */
static void mistakes_are_told_up_to_a_bound(void **state)
{
	struct quirk_override *o = fresh();

	(void)state;
	for (int i = 0; i < 50; i++)
		add_text(o, "my.reader", "x\n");
	assert_int_equal(told.count, QUIRK_MISTAKES_MAX + 1);
	assert_non_null(strstr(told.last, "more mistakes"));
	quirk_override_free(o);
}

/* [*], the table, [vid:*], [vid:pid], the entries: each layer beats the ones before it, whatever the order of reading. */
static void the_more_special_wins(void **state)
{
	static const struct {
		const char *what;
		const char *text[3];
		const char *entries;
		enum pinpad pinpad; /* the table says broken for this firmware */
		const char *from;
	} rows[] = {
		{ "the table", { NULL }, NULL, PINPAD_BROKEN, "" },
		{ "[*] is a default only", { "[*]\npinpad = force\n" }, NULL, PINPAD_BROKEN, "0.reader" },
		{ "[vid:*]", { "[04e6:*]\npinpad = none\n" }, NULL, PINPAD_NONE, "0.reader" },
		{ "[vid:pid]",
		  { "[04e6:e003]\npinpad = force\n", "[04e6:*]\npinpad = none\n" },
		  NULL,
		  PINPAD_FORCE,
		  "1.reader, 0.reader" },
		{ "later file",
		  { "[04e6:e003]\npinpad = none\n", "[04e6:e003]\npinpad = force\n" },
		  NULL,
		  PINPAD_FORCE,
		  "0.reader, 1.reader" },
		{ "later section",
		  { "[04e6:e003]\npinpad = none\n[04e6:e003]\npinpad = force\n" },
		  NULL,
		  PINPAD_FORCE,
		  "0.reader" },
		{ "entries",
		  { "[04e6:e003]\npinpad = none\n" },
		  "04e6:*:pinpad=force",
		  PINPAD_FORCE,
		  "0.reader, OPENCCID_QUIRKS" },
	};
	char from[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct quirk_override *o = fresh();
		char name[16];

		quirk_override_entries(o, rows[i].entries);
		for (int n = 0; n < 3 && rows[i].text[n]; n++) {
			snprintf(name, sizeof name, "/etc/%d.reader", n);
			add_text(o, name, rows[i].text[n]);
		}
		CHECK_INT(rows[i].what, apply(o, from).pinpad, rows[i].pinpad);
		CHECK_STRING(rows[i].what, from, rows[i].from);
		CHECK_INT(rows[i].what, told.count, 0);
		quirk_override_free(o);
	}
	check_done();
}

/* Left to another driver: the narrower section wins, and the entries over all of them. */
static void left_to_another_driver(void **state)
{
	static const struct {
		const char *what, *text, *entries;
		bool left;
		const char *sentence; /* the only mistake */
	} rows[] = {
		{ "nobody says so", "[04e6:e003]\nno-pps = yes\n", NULL, false, NULL },
		{ "this product", "[04e6:e003]\nleave = yes\n", NULL, true, NULL },
		{ "another one", "[04e6:e001]\nleave = yes\n", NULL, false, NULL },
		{ "its vendor", "[04e6:*]\nleave = yes\n", NULL, true, NULL },
		{ "another vendor", "[08e6:*]\nleave = yes\n", NULL, false, NULL },
		{ "every reader", "[*]\nleave = yes\n", NULL, true, NULL },
		{ "all but this one", "[04e6:e003]\nleave = no\n[*]\nleave = yes\n", NULL, false, NULL },
		{ "all but those of a vendor", "[*]\nleave = yes\n[04e6:*]\nleave = no\n", NULL, false,
		  NULL },
		{ "the later line", "[04e6:e003]\nleave = yes\n[04e6:e003]\nleave = no\n", NULL, false,
		  NULL },
		{ "an entry", "", "04e6:e003:leave", true, NULL },
		{ "an entry, for all of a vendor", "", "04e6:*:leave=yes", true, NULL },
		{ "an entry takes it back", "[04e6:e003]\nleave = yes\n", "04e6:e003:leave=no", false, NULL },
		{ "another word", "[04e6:e003]\nleave = maybe\n", NULL, false,
		  "my.reader:2: leave = maybe: write one of no, yes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct quirk_override *o = fresh();

		add_text(o, "my.reader", rows[i].text);
		quirk_override_entries(o, rows[i].entries);
		CHECK_INT(rows[i].what, quirk_override_leaves(o), rows[i].left);
		CHECK_INT(rows[i].what, told.count, rows[i].sentence ? 1 : 0);
		if (rows[i].sentence)
			CHECK_STRING(rows[i].what, told.first, rows[i].sentence);
		quirk_override_free(o);
	}
	CHECK("no memory", !quirk_override_leaves(NULL));
	check_done();
}

/* The list of names is cut, never overrun; without memory the table alone counts. */
static void edges(void **state)
{
	struct quirk_override *o = fresh();
	struct ccid_caps caps = plain;
	char *from = malloc(5);

	(void)state;
	assert_non_null(from);
	add_text(o, "my.reader", "[*]\nno-pps = yes\n");
	assert_int_equal(quirk_override_apply(o, VID, PID, &facts, &caps, from, 5), 1);
	assert_string_equal(from, "my.r");
	quirk_override_free(o);
	caps = plain;
	quirk_override_text(NULL, "x", "x", 1);
	quirk_override_folder(NULL, ".");
	quirk_override_entries(NULL, "04e6:e003:no-pps");
	assert_int_equal(quirk_override_apply(NULL, VID, PID, &facts, &caps, from, 5), 0);
	assert_int_equal(caps.pinpad, PINPAD_BROKEN);
	assert_int_equal(quirk_override_settings(NULL)->log_1, 0);
	quirk_override_free(NULL);
	free(from);
}

/* The reason of a rule is read long after the file was. */
static void the_reason_stays(void **state)
{
	struct quirk_override *o = fresh();
	struct ccid_caps caps;
	char from[64];

	(void)state;
	add_text(o, "my.reader", "[04e6:e003]\nalways:\n  fixed-in = 08.00\n  why = mine\n");
	for (int i = 0; i < 40;
	     i++) /* the rules move while they grow; the reason is taken when they are applied */
		add_text(o, "my.reader", "[04e6:e003]\nno-pps = yes\n");
	caps = apply(o, from);
	assert_int_equal(caps.fixed_in, 0x0800);
	assert_string_equal(caps.fault, "mine");
	quirk_override_free(o);
}

static void settings_of_later_files_win(void **state)
{
	struct quirk_override *o = fresh();
	const struct reader_settings *s = quirk_override_settings(o);

	(void)state;
	add_text(o, "1", "[*]\nlog = all\nvoltage = 3\n");
	add_text(o, "2", "[*]\nlog = none\nmax-wait = 20\n[04e6:e003]\nmax-ifsd = 20\n");
	assert_int_equal(s->log_1, 1);
	assert_int_equal(s->voltage_1, 2);
	assert_int_equal(s->max_wait_s, 20);
	assert_int_equal(told.count, 0);
	quirk_override_free(o);
}

/* ---- a folder --------------------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/openccid-override-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static const char *path_of(const char *name)
{
	static char path[160];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *const names[] = { "10-a.reader", "9-b.reader",  ".hidden.reader", "c.reader~",
				     "reader",      "pipe.reader", ".reader" };

static int remove_folder(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

/* Files by their names, byte by byte; nothing that is not one, and no pipe that would never end. */
static void a_folder_is_read_in_order(void **state)
{
	struct quirk_override *o = fresh();
	char from[64];

	(void)state;
	put_file("9-b.reader", "[04e6:e003]\nmax-ifsd = 9\n");
	put_file("10-a.reader", "[04e6:e003]\nmax-ifsd = 10\nmax-rate = 9600\n");
	put_file(".hidden.reader", "[04e6:e003]\nmax-ifsd = 11\n");
	put_file("c.reader~", "[04e6:e003]\nmax-ifsd = 12\n");
	put_file("reader", "[04e6:e003]\nmax-ifsd = 13\n");
	put_file(".reader", "[04e6:e003]\nmax-ifsd = 14\n");
	assert_int_equal(mkfifo(path_of("pipe.reader"), 0600), 0);
	quirk_override_folder(o, folder);
	assert_int_equal(apply(o, from).max_ifsd, 9);
	assert_int_equal(apply(o, from).max_rate, 9600);
	assert_string_equal(from, "10-a.reader, 9-b.reader");
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.first, "/pipe.reader: is no file"));
	quirk_override_free(o);
}

static void mistakes_name_the_whole_path(void **state)
{
	struct quirk_override *o = fresh();
	char want[200];

	(void)state;
	put_file("9-b.reader", "\n[04e6:e003]\nmax-ifsd = 0\n");
	quirk_override_folder(o, folder);
	assert_int_equal(told.count, 1);
	snprintf(want, sizeof want, "%s:3: max-ifsd = 0", path_of("9-b.reader"));
	assert_memory_equal(told.first, want, strlen(want));
	quirk_override_free(o);
}

static void no_folder_is_an_empty_one(void **state)
{
	struct quirk_override *o = fresh();

	(void)state;
	quirk_override_folder(o, path_of("absent"));
	assert_int_equal(told.count, 0);
	put_file("reader", "");
	quirk_override_folder(o, path_of("reader"));
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.first, "reader: cannot be read: "));
	quirk_override_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_rules),
		cmocka_unit_test(a_key_alone_means_yes),
		cmocka_unit_test(no_takes_back),
		cmocka_unit_test(long_entries_are_refused),
		cmocka_unit_test(files_are_rules),
		cmocka_unit_test(mistakes_are_told_up_to_a_bound),
		cmocka_unit_test(the_more_special_wins),
		cmocka_unit_test(left_to_another_driver),
		cmocka_unit_test(edges),
		cmocka_unit_test(the_reason_stays),
		cmocka_unit_test(settings_of_later_files_win),
		cmocka_unit_test_setup_teardown(a_folder_is_read_in_order, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(mistakes_name_the_whole_path, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(no_folder_is_an_empty_one, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
