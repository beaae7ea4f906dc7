/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver's keys in Info.plist, and the levels that OPENCCID_LOG asks for. */
#include "check.h"
#include "ifd/bundle.h"
#include "ifd/pcscd_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OLD_LEVEL = 77, OLD_OPTIONS = 99 };

#define HEAD                                           \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<plist version=\"1.0\">\n<dict>\n"
#define LEVEL(value)   "\t<key>ifdLogLevel</key>\n\t<string>" value "</string>\n"
#define OPTIONS(value) "\t<key>ifdDriverOptions</key>\n\t<string>" value "</string>\n"
#define TAIL           "</dict>\n</plist>\n"

static const struct plist {
	const char *name, *text;
	unsigned level, options;
} plists[] = {
	{ "both", HEAD LEVEL("7") OPTIONS("1") TAIL, 7, 1 },
	{ "the other order", HEAD OPTIONS("1") LEVEL("7") TAIL, 7, 1 },
	{ "hexadecimal", HEAD LEVEL("0x000F") OPTIONS("0x0031") TAIL, 15, 0x31 },
	{ "capitals", HEAD LEVEL("0XF") OPTIONS("0xFf") TAIL, 15, 0xFF },
	{ "zero", HEAD LEVEL("0") OPTIONS("0x0000") TAIL, 0, 0 },
	{ "the largest number", HEAD LEVEL("0xFFFFFFFF") OPTIONS("4294967295") TAIL, 0xFFFFFFFF, 0xFFFFFFFF },
	{ "without indentation", "<key>ifdLogLevel</key>\n<string>5</string>\n", 5, OLD_OPTIONS },
	{ "line ends of another system", "<key>ifdLogLevel</key>\r\n<string>5</string>\r\n", 5, OLD_OPTIONS },
	{ "no newline at the end", "<key>ifdLogLevel</key>\n<string>5</string>", 5, OLD_OPTIONS },
	{ "behind other keys",
	  HEAD "<key>CFBundleVersion</key>\n<string>1</string>\n<key>ifdVendorID</key>\n<array>\n"
	       "<string>0x04E6</string>\n</array>\n" LEVEL("6") OPTIONS("2") TAIL,
	  6, 2 },
	/* A key that is absent leaves its field alone. */
	{ "empty file", "", OLD_LEVEL, OLD_OPTIONS },
	{ "no keys", HEAD TAIL, OLD_LEVEL, OLD_OPTIONS },
	{ "only the level", HEAD LEVEL("7") TAIL, 7, OLD_OPTIONS },
	{ "only the options", HEAD OPTIONS("7") TAIL, OLD_LEVEL, 7 },
	{ "names that only begin so",
	  HEAD "<key>ifdLogLevels</key>\n<string>1</string>\n<key>xifdDriverOptions</key>\n"
	       "<string>1</string>\n" TAIL,
	  OLD_LEVEL, OLD_OPTIONS },
	{ "other capitals", "<key>IFDLOGLEVEL</key>\n<string>1</string>\n", OLD_LEVEL, OLD_OPTIONS },
	/* So does one whose value is no number. */
	{ "words", HEAD LEVEL("all") OPTIONS("many") TAIL, OLD_LEVEL, OLD_OPTIONS },
	{ "nothing", HEAD LEVEL("") OPTIONS("") TAIL, OLD_LEVEL, OLD_OPTIONS },
	{ "a number and more", HEAD LEVEL("7x") OPTIONS("0x") TAIL, OLD_LEVEL, OLD_OPTIONS },
	{ "too large", HEAD LEVEL("4294967296") OPTIONS("0x1FFFFFFFF") TAIL, OLD_LEVEL, OLD_OPTIONS },
	{ "much too large", HEAD LEVEL("99999999999999999999999") TAIL, OLD_LEVEL, OLD_OPTIONS },
	{ "negative", HEAD LEVEL("-1") TAIL, OLD_LEVEL, OLD_OPTIONS },
	{ "another type", "<key>ifdLogLevel</key>\n<integer>5</integer>\n", OLD_LEVEL, OLD_OPTIONS },
	{ "never closed", "<key>ifdLogLevel</key>\n<string>5\n", OLD_LEVEL, OLD_OPTIONS },
	{ "one bad, one good", HEAD LEVEL("none") OPTIONS("3") TAIL, OLD_LEVEL, 3 },
	{ "it ends behind the key", HEAD LEVEL("7") "\t<key>ifdDriverOptions</key>\n", 7, OLD_OPTIONS },
	{ "it ends inside the value", "<key>ifdLogLevel</key>\n<string>", OLD_LEVEL, OLD_OPTIONS },
	{ "no plist at all",
	  "\x7F"
	  "ELF\x02\x01\x01\n\n\xFF\xFE<<<<key>\n",
	  OLD_LEVEL, OLD_OPTIONS },
};

/* ---- files ------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/openccid-bundle-XXXXXX";

static void path_in(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", folder, name);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	char path[128];
	FILE *file;

	path_in(path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void check_keys(const char *row, const char *file, unsigned level, unsigned options)
{
	struct bundle_keys keys = { OLD_LEVEL, OLD_OPTIONS };
	char path[128];

	path_in(path, file);
	bundle_read(path, &keys);
	CHECK_INT(row, keys.log_level, level);
	CHECK_INT(row, keys.driver_options, options);
}

static void keys_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plists); i++) {
		const struct plist *p = &plists[i];

		write_file("Info.plist", p->text, strlen(p->text));
		check_keys(p->name, "Info.plist", p->level, p->options);
	}
	check_done();
}

/* Every beginning of a good file: a value is taken whole, or not at all. */
static void files_that_are_cut(void **state)
{
	static const char whole[] = HEAD LEVEL("15") OPTIONS("0x31") TAIL;
	/* A value counts from the '<' behind it. */
	const size_t level = (size_t)(strstr(whole, "15<") - whole) + 3;
	const size_t options = (size_t)(strstr(whole, "0x31<") - whole) + 5;

	(void)state;
	for (size_t len = 0; len <= strlen(whole); len++) {
		char row[48];

		snprintf(row, sizeof row, "the first %zu bytes", len);
		write_file("Info.plist", whole, len);
		check_keys(row, "Info.plist", len >= level ? 15 : OLD_LEVEL,
			   len >= options ? 0x31 : OLD_OPTIONS);
	}
	check_done();
}

/* One line of this length, then the keys; and the same inside of a value. */
static void long_lines(void **state)
{
	static const size_t lengths[] = { 253, 254, 255, 256, 257, 511, 10000 };
	static const char keys[] = LEVEL("7") OPTIONS("1");

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		const size_t len = lengths[i];
		char row[32], *text = malloc(len + 1 + sizeof keys);

		assert_non_null(text);
		snprintf(row, sizeof row, "%zu characters", len);
		memset(text, 'x', len);
		text[len] = '\n';
		memcpy(text + len + 1, keys, sizeof keys - 1);
		write_file("Info.plist", text, len + 1 + sizeof keys - 1);
		check_keys(row, "Info.plist", 7, 1);
		free(text);
	}
	check_done();
}

static void a_long_value(void **state)
{
	static const char before[] = "<key>ifdLogLevel</key>\n<string>", after[] = "</string>\n" OPTIONS("1");
	enum { LONG = 10000 };
	char *text = malloc(sizeof before + LONG + sizeof after);

	(void)state;
	assert_non_null(text);
	memcpy(text, before, sizeof before - 1);
	memset(text + sizeof before - 1, '0', LONG);
	memcpy(text + sizeof before - 1 + LONG, after, sizeof after - 1);
	write_file("Info.plist", text, sizeof before - 1 + LONG + sizeof after - 1);
	check_keys("a value of 10000 zeros", "Info.plist", OLD_LEVEL, 1);
	free(text);
	check_done();
}

static void binary_files(void **state)
{
	uint32_t seed = 4711;

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		uint8_t bytes[2000];

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)check_random(&seed);
		write_file("Info.plist", bytes, sizeof bytes);
		check_keys("random bytes", "Info.plist", OLD_LEVEL, OLD_OPTIONS);
	}
	check_done();
}

static void files_that_are_not_there(void **state)
{
	(void)state;
	check_keys("missing file", "missing", OLD_LEVEL, OLD_OPTIONS);
	check_keys("missing folder", "missing/Info.plist", OLD_LEVEL, OLD_OPTIONS);
	check_keys("a folder", ".", OLD_LEVEL, OLD_OPTIONS);
	check_done();
}

/* ---- the bundle around the library ------------------------------------------------------------------------------- */

static void copy_myself(const char *to)
{
	char path[128], part[4096];
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	path_in(path, to);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, part, sizeof part)) > 0)
		assert_int_equal(write(out, part, (size_t)n), n);
	assert_int_equal(n, 0);
	close(in);
	assert_int_equal(close(out), 0);
}

/* Where this machine is emulated, the kernel may not know by whom. */
static int run_copy(const char *name)
{
	char path[128];
	int status = -1;
	pid_t child;

	path_in(path, name);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const char *emulator = getenv("OPENCCID_EMULATOR");

		if (emulator)
			execlp(emulator, emulator, path, "own", (char *)NULL);
		execl(path, path, "own", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The plist is that of the bundle from which the code was loaded: this program, copied to where the library would be. */
static void the_own_bundle_is_found(void **state)
{
	static const char text[] = HEAD LEVEL("5") OPTIONS("2") TAIL;
	char path[128];

	(void)state;
	path_in(path, "x.bundle");
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(path, "x.bundle/Contents");
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(path, "x.bundle/Contents/Linux");
	assert_int_equal(mkdir(path, 0700), 0);
	copy_myself("x.bundle/Contents/Linux/copy");
	CHECK_INT("no plist", run_copy("x.bundle/Contents/Linux/copy"), 0xFF);
	write_file("x.bundle/Contents/Info.plist", text, sizeof text - 1);
	CHECK_INT("with plist", run_copy("x.bundle/Contents/Linux/copy"), 0x52);
	check_done();
}

/* In the copy: what was found, in one number. */
static int tell_own(void)
{
	struct bundle_keys keys = { 15, 15 };

	bundle_read_own(&keys);
	return (int)(keys.log_level << 4 | keys.driver_options) & 0xFF;
}

/* ---- OPENCCID_LOG ------------------------------------------------------------------------------------------------ */

static const struct mask {
	const char *text;
	unsigned want;
} masks[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ "3", 3 },
	{ "15", 15 },
	{ "0x7", 7 },
	{ "0xF", 15 },
	{ "0x000F", 15 },
	{ "255", 15 }, /* bits that mean nothing are dropped */
	{ "16", 0 },
	{ "99999999999999999999999999", 15 },
	{ "critical", OC_LOG_CRITICAL },
	{ "info", OC_LOG_INFO },
	{ "comm", OC_LOG_COMM },
	{ "periodic", OC_LOG_PERIODIC },
	{ "all", 15 },
	{ "none", 0 },
	{ "critical,info", OC_LOG_CRITICAL | OC_LOG_INFO },
	{ "periodic,comm,info", OC_LOG_PERIODIC | OC_LOG_COMM | OC_LOG_INFO },
	{ "info,info", OC_LOG_INFO },
	{ "none,comm", OC_LOG_COMM },
	{ "all,none", 15 },
	{ ",critical,,info,", OC_LOG_CRITICAL | OC_LOG_INFO },
	{ "", 0 },
	{ ",", 0 },
	{ ",,,,", 0 },
	{ "nonsense", 0 },
	{ "nonsense,info", OC_LOG_INFO },
	{ "infos", 0 },
	{ "inf", 0 },
	{ "critical info", 0 },
	{ "7x", 0 },
	{ "0x", 0 },
	{ "1,info", OC_LOG_INFO }, /* a number stands alone */
};

static void levels_by_name_and_number(void **state)
{
	static const unsigned fallbacks[] = { 0, 3, 15 };

	(void)state;
	for (size_t i = 0; i < COUNT(masks); i++)
		for (size_t f = 0; f < COUNT(fallbacks); f++) {
			char *text = (char *)exact_copy(masks[i].text, strlen(masks[i].text) + 1);

			CHECK_INT(masks[i].text, pcscd_log_mask(text, fallbacks[f]), masks[i].want);
			free(text);
		}
	for (size_t f = 0; f < COUNT(fallbacks); f++)
		CHECK_INT("NULL", pcscd_log_mask(NULL, fallbacks[f]), fallbacks[f]);
	check_done();
}

/* Outside of pcscd there is no log_msg(): the lines go to standard error, with our name in front. */
static void lines_go_to_standard_error(void **state)
{
	char path[128], text[200] = "";
	int saved = dup(STDERR_FILENO), fd;
	FILE *file;

	(void)state;
	path_in(path, "stderr");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(saved >= 0 && fd >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	pcscd_log_write(NULL, OC_LOG_CRITICAL, "100%s of %n");
	pcscd_log_write(NULL, OC_LOG_PERIODIC, "again");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	CHECK_STRING("stderr", text, "openccid: 100%s of %n\nopenccid: again\n");
	check_done();
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {
		"x.bundle/Contents/Linux/copy",
		"x.bundle/Contents/Linux",
		"x.bundle/Contents/Info.plist",
		"x.bundle/Contents",
		"x.bundle",
		"Info.plist",
		"stderr",
		"",
	};
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		path_in(path, names[i]);
		remove(path);
	}
	return access(folder, F_OK) == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found),
		cmocka_unit_test(files_that_are_cut),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(a_long_value),
		cmocka_unit_test(binary_files),
		cmocka_unit_test(files_that_are_not_there),
		cmocka_unit_test(the_own_bundle_is_found),
		cmocka_unit_test(levels_by_name_and_number),
		cmocka_unit_test(lines_go_to_standard_error),
	};

	if (argc == 2 && strcmp(argv[1], "own") == 0)
		return tell_own();
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
