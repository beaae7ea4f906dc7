/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every verb writes with: text that cannot steer a terminal, colours, and JSON that every parser takes. */
#include "check.h"
#include "tool/json.h"
#include "tool/options.h"
#include "tool/out.h"

/* Everything that was written to a stream of memory. */
struct sheet {
	char *text;
	size_t len;
	FILE *stream;
};

static void sheet_open(struct sheet *s)
{
	s->stream = open_memstream(&s->text, &s->len);
	assert_non_null(s->stream);
}

static void sheet_check(struct sheet *s, const char *row, const char *want)
{
	fclose(s->stream);
	if (strcmp(s->text, want) != 0 && check_failed(__FILE__, __LINE__, row))
		print_error("\"%s\", not \"%s\"\n", s->text, want);
	free(s->text);
}

static void colours_are_for_terminals(void **state)
{
	static const struct {
		const char *row;
		bool terminal;
		const char *no_color, *term;
		bool want;
	} rows[] = {
		{ "a terminal", true, NULL, "xterm", true },
		{ "a file", false, NULL, "xterm", false },
		{ "NO_COLOR", true, "1", "xterm", false },
		{ "NO_COLOR is empty", true, "", "xterm", true },
		{ "a dumb terminal", true, NULL, "dumb", false },
		{ "no TERM", true, NULL, NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(rows[i].row, out_wants_colour(rows[i].terminal, rows[i].no_color, rows[i].term),
			  rows[i].want);
	check_done();
}

static void styles_end(void **state)
{
	(void)state;
	for (int colour = 0; colour < 2; colour++) {
		struct sheet s;
		struct out out = { .colour = colour };

		sheet_open(&s);
		out.stream = s.stream;
		out_styled(&out, OUT_BAD, "%d", 7);
		out_styled(&out, OUT_PLAIN, "x");
		sheet_check(&s, colour ? "with colours" : "without", colour ? "\033[1;31m7\033[0mx" : "7x");
	}
	check_done();
}

static const struct {
	const char *row, *text, *shown, *json;
} foreign[] = {
	{ "plain", "SCR 3310", "SCR 3310", "[\"SCR 3310\"]\n" },
	{ "an escape sequence", "a\033[2Jb", "a?[2Jb", "[\"a\\u001b[2Jb\"]\n" },
	{ "quotes and a backslash", "\"\\", "\"\\", "[\"\\\"\\\\\"]\n" },
	{ "controls with names", "\b\f\n\r\t", "?????", "[\"\\b\\f\\n\\r\\t\"]\n" },
	{ "DEL", "\x7F", "?", "[\"\\u007f\"]\n" },
	{ "two, three and four bytes", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91",
	  "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91", "[\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91\"]\n" },
	{ "a C1 control", "\xC2\x9B", "?", "[\"\xC2\x9B\"]\n" },
	{ "a stray byte", "\x80z", "?z", "[\"\\ufffdz\"]\n" },
	{ "an overlong slash", "\xC0\xAF", "??", "[\"\\ufffd\\ufffd\"]\n" },
	{ "a surrogate", "\xED\xA0\x80", "???", "[\"\\ufffd\\ufffd\\ufffd\"]\n" },
	{ "beyond the end", "\xF4\x90\x80\x80", "????", "[\"\\ufffd\\ufffd\\ufffd\\ufffd\"]\n" },
	{ "cut short", "\xE2\x82", "??", "[\"\\ufffd\\ufffd\"]\n" },
};

static void foreign_text_steers_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct sheet s;
		struct out out = { .colour = false };
		struct json j;

		sheet_open(&s);
		out.stream = s.stream;
		out_foreign(&out, foreign[i].text, strlen(foreign[i].text));
		sheet_check(&s, foreign[i].row, foreign[i].shown);
		sheet_open(&s);
		j = json_of(s.stream);
		json_open_line(&j, NULL, '[');
		json_text(&j, NULL, foreign[i].text);
		json_close(&j);
		sheet_check(&s, foreign[i].row, foreign[i].json);
	}
	check_done();
}

/* Words of nine letters and a blank: how many fit on the first line. */
static void lines_fit_the_terminal(void **state)
{
	static const struct {
		const char *row, *columns;
		unsigned driver, words;
	} rows[] = {
		{ "no terminal", NULL, 0, 9 },     { "a wide one", NULL, 200, 9 },
		{ "a narrow one", NULL, 73, 7 },   { "too narrow for sentences", NULL, 20, 5 },
		{ "COLUMNS wins", "73", 200, 7 },  { "COLUMNS makes no sense", "73x", 83, 8 },
		{ "COLUMNS is empty", "", 73, 7 }, { "COLUMNS is out of range", "99999999", 73, 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sheet s;
		struct out out = { .columns = out_columns(rows[i].columns, rows[i].driver) };
		char wanted[200] = "";

		sheet_open(&s);
		out.stream = s.stream;
		out_wrapped(&out, 2, 0,
			    "123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
			    "123456789 123456789 123456789");
		for (unsigned n = 0; n < 10; n++)
			snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s123456789",
				 n == 0               ? "  "
				 : n == rows[i].words ? "\n  "
						      : " ");
		strcat(wanted, "\n");
		sheet_check(&s, rows[i].row, wanted);
	}
	check_done();
}

static void bytes_are_cut(void **state)
{
	struct sheet s;
	struct out out = { .colour = false };

	(void)state;
	sheet_open(&s);
	out.stream = s.stream;
	out_hex(&out, (const unsigned char[]){ 0x6F, 0, 0xA }, 3, 3);
	out_print(&out, ";");
	out_hex(&out, (const unsigned char[]){ 0x6F, 0, 0xA }, 3, 2);
	out_print(&out, ";");
	out_hex(&out, NULL, 0, 2);
	sheet_check(&s, "hex", "6F 00 0A;6F 00 ... (3 bytes);");
	check_done();
}

static void json_is_laid_out(void **state)
{
	struct sheet s;
	struct json j;

	(void)state;
	sheet_open(&s);
	j = json_of(s.stream);
	json_open(&j, NULL, '{');
	json_text(&j, "name", "x");
	json_text(&j, "none", NULL);
	json_open(&j, "empty", '[');
	json_close(&j);
	json_open(&j, "rows", '[');
	json_open_line(&j, NULL, '{');
	json_number(&j, "n", -1);
	json_open(&j, "inner", '[');
	json_bool(&j, NULL, true);
	json_null(&j, NULL);
	json_close(&j);
	json_close(&j);
	json_hex(&j, NULL, (const uint8_t[]){ 0x6F, 0x0A }, 2);
	json_close(&j);
	json_close(&j);
	sheet_check(&s, "a document",
		    "{\n  \"name\": \"x\",\n  \"none\": null,\n  \"empty\": [],\n  \"rows\": [\n"
		    "    {\"n\": -1, \"inner\": [true, null]},\n    \"6F0A\"\n  ]\n}\n");
	check_done();
}

static enum tool_exit nothing(struct tool *tool, int argc, char **argv)
{
	(void)tool;
	(void)argc;
	(void)argv;
	return TOOL_FINE;
}

static const struct verb stub = { "stub", "FILE", "Do nothing", nothing };

static const struct {
	const char *row;
	const char *words[6];
	enum options_end end;
	const char *says; /* all of the output, or of the complaint up to ';' */
	bool json;
	const char *device, *operand;
} lines[] = {
	{ "an operand", { "f" }, OPTIONS_GO_ON, "", false, NULL, "f" },
	{ "options on both sides", { "--json", "f", "--device", "9" }, OPTIONS_GO_ON, "", true, "9", "f" },
	{ "short", { "-j", "-d", "9", "f" }, OPTIONS_GO_ON, "", true, "9", "f" },
	{ "with an equals sign", { "--device=9=x", "f" }, OPTIONS_GO_ON, "", false, "9=x", "f" },
	{ "the last one counts", { "--device=1", "--device=2", "f" }, OPTIONS_GO_ON, "", false, "2", "f" },
	{ "an operand with a dash", { "--", "--json" }, OPTIONS_GO_ON, "", false, NULL, "--json" },
	{ "standard input", { "-" }, OPTIONS_GO_ON, "", false, NULL, "-" },
	{ "none", { NULL }, OPTIONS_WRONG, "openccid stub: FILE is missing", false, NULL, NULL },
	{ "too many",
	  { "f", "g" },
	  OPTIONS_WRONG,
	  "openccid stub: g: this is one word too many",
	  false,
	  NULL,
	  NULL },
	{ "unknown",
	  { "--jsonx", "f" },
	  OPTIONS_WRONG,
	  "openccid stub: --jsonx: there is no such option",
	  false,
	  NULL,
	  NULL },
	{ "no argument",
	  { "f", "--device" },
	  OPTIONS_WRONG,
	  "openccid stub: --device: the argument of this option is missing",
	  false,
	  NULL,
	  NULL },
	{ "an argument too many",
	  { "--json=1", "f" },
	  OPTIONS_WRONG,
	  "openccid stub: --json=1: this option takes no argument",
	  true,
	  NULL,
	  NULL },
	{ "help",
	  { "f", "-h", "--wrong" },
	  OPTIONS_HELP,
	  "usage: openccid stub [OPTION]... FILE\n\nDo nothing.\n\n  -j --json              for programs\n"
	  "  -d --device N          which one\n  -h --help              show this\n",
	  false,
	  NULL,
	  NULL },
};

static void options_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct sheet s;
		struct tool tool = { .verb = &stub };
		bool json = false;
		const char *device = NULL;
		const struct option_row rows[] = {
			{ .name = "json", .letter = 'j', .help = "for programs", .flag = &json },
			{ .name = "device",
			  .letter = 'd',
			  .help = "which one",
			  .word = "N",
			  .argument = &device },
			{ .name = NULL },
		};
		char words[6][32];
		char *argv[6];
		int argc = 0;

		sheet_open(&s);
		tool.out.stream = tool.err.stream = s.stream;
		for (; argc < 6 && lines[i].words[argc]; argc++) {
			snprintf(words[argc], sizeof words[argc], "%s", lines[i].words[argc]);
			argv[argc] = words[argc];
		}
		CHECK_INT(lines[i].row, options_parse(&tool, rows, (struct operands){ 1, 1 }, &argc, argv),
			  lines[i].end);
		fflush(s.stream);
		CHECK(lines[i].row, strncmp(s.text, lines[i].says, strlen(lines[i].says)) == 0);
		if (lines[i].end == OPTIONS_GO_ON) {
			CHECK_INT(lines[i].row, json, lines[i].json);
			if (lines[i].device)
				CHECK_STRING(lines[i].row, device, lines[i].device);
			else
				CHECK(lines[i].row, !device);
			CHECK(lines[i].row, argc == 1 && strcmp(argv[0], lines[i].operand) == 0);
			CHECK(lines[i].row, s.len == 0);
		}
		fclose(s.stream);
		free(s.text);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colours_are_for_terminals),
		cmocka_unit_test(styles_end),
		cmocka_unit_test(foreign_text_steers_nothing),
		cmocka_unit_test(lines_fit_the_terminal),
		cmocka_unit_test(bytes_are_cut),
		cmocka_unit_test(json_is_laid_out),
		cmocka_unit_test(options_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
