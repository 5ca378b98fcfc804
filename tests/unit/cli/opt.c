/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk over argv. What ends the program is run in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/opt.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct conf {
	bool udp, verbose_given;
	unsigned verbose;
	uint64_t count, time, msec;
	int ttl, mode;
	const char *name, *json;
	bool json_given;
};

static const char *
take_json(void *config, const struct opt *o, const char *arg)
{
	struct conf *c = config;

	c->json_given = true;
	c->json = arg;
	return arg && strcmp(arg, "bad") == 0 ? "something good" : NULL;
}

static const char *const words[] = { "red", "green", "blue", NULL };
#define AT(m) .at = offsetof(struct conf, m)
static const struct opt rows[] = {
	{ .letter = 'u', .name = "udp", .kind = OPT_FLAG, AT(udp), .help = "h", .group = "A" },
	{ .letter = 'v', .name = "verbose", .kind = OPT_COUNT, AT(verbose), .help = "h",
	  .group = "A", .set_at = offsetof(struct conf, verbose_given) },
	{ .letter = 'n', .name = "count", .arg = "n", .kind = OPT_U64, AT(count), .min = 1,
	  .max = 5000, .help = "h", .group = "B" },
	{ .letter = 'J', .name = "ttl", .arg = "hops", .kind = OPT_INT, AT(ttl), .min = 1,
	  .max = 255, .help = "h", .group = "B" },
	{ .letter = 'p', .name = "pause", .arg = "time", .kind = OPT_TIME, AT(time),
	  .max = 60000000000, .help = "h", .group = "B" },
	{ .letter = 'x', .name = "timeout", .arg = "ms", .kind = OPT_MSEC, AT(msec),
	  .max = 60000000000, .help = "h", .group = "B" },
	{ .name = "name", .arg = "text", .kind = OPT_STR, AT(name), .help = "h", .group = "B" },
	{ .name = "mode", .arg = "word", .kind = OPT_ENUM, AT(mode), .words = words, .help = "h",
	  .group = "B" },
	{ .name = "json", .arg = "[file]", .kind = OPT_CALL, .call = take_json, .help = "h",
	  .group = "B" },
	{ .letter = 'L', .name = "linger", .arg = "s", .kind = OPT_LATER, .help = "it comes later",
	  .group = "C" },
	{ .name = NULL }
};
static const char *const synopsis[] = { "[options] host", NULL };
static const struct opt_program prog = {
	.name = "prog", .synopsis = synopsis, .about = "About", .opts = rows };
static const struct opt_program stopper = {
	.name = "prog", .synopsis = synopsis, .about = "About", .opts = rows,
	.stop_at_operand = true };

#define MAX_ARGS 16

/* Splits at blanks into argv. */
static int
split(char *line, char **argv)
{
	int n = 0;
	char *word;

	for (word = line; *word && n < MAX_ARGS; word += strspn(word, " ")) {
		argv[n++] = word;
		word += strcspn(word, " ");
		if (*word)
			*word++ = '\0';
	}
	return n;
}

static char line[256];
static char *args[MAX_ARGS + 1];

static int
parse(const struct opt_program *p, struct conf *c, const char *text)
{
	int n;

	memset(c, 0, sizeof(*c));
	memset(args, 0, sizeof(args));
	snprintf(line, sizeof(line), "%s", text);
	n = split(line, args);
	return n - opt_parse(p, c, n, args);
}

static void
letters(void **state)
{
	struct conf c;

	assert_int_equal(parse(&prog, &c, "prog -u -v -n4 -J 7 -p.5 -x 20"), 0);
	assert_true(c.udp && c.verbose == 1 && c.verbose_given);
	assert_true(c.count == 4 && c.ttl == 7);
	assert_true(c.time == 500000000 && c.msec == 20000000);
	parse(&prog, &c, "prog -uvvn4k");
	assert_true(c.udp && c.verbose == 2 && c.count == 4000);
	parse(&prog, &c, "prog -vun 12");
	assert_true(c.udp && c.count == 12);
}

static void
long_names(void **state)
{
	struct conf c;

	parse(&prog, &c, "prog --udp --count=9 --name x=y --mode blue --verb");
	assert_true(c.udp && c.count == 9 && c.mode == 2 && c.verbose == 1);
	assert_string_equal(c.name, "x=y");
	parse(&prog, &c, "prog --json");
	assert_true(c.json_given && !c.json);
	parse(&prog, &c, "prog --json=out --c 3");
	assert_string_equal(c.json, "out");
	assert_true(c.count == 3);
}

static void
operands(void **state)
{
	struct conf c;

	assert_int_equal(parse(&prog, &c, "prog a -u 7 -n1 b 8 --name z c 9"), 6);
	assert_string_equal(args[11 - 6], "a");
	assert_true(c.udp && c.count == 1);
	assert_int_equal(parse(&prog, &c, "prog -u -- -v -"), 2);
	assert_true(c.udp && !c.verbose);
	assert_int_equal(parse(&prog, &c, "prog - -u"), 1);
	assert_int_equal(parse(&stopper, &c, "prog -u run -v file"), 3);
	assert_true(c.udp && !c.verbose);
	assert_int_equal(parse(&prog, &c, "prog"), 0);
}

/* Runs a parse in a child; out gets what it printed. Returns its status. */
static int
ends(const char *text, char *out, size_t size)
{
	struct conf c;
	int fds[2], status;
	ssize_t n, len = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		parse(&prog, &c, text);
		_exit(99);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, size - 1 - (size_t)len)) > 0)
		len += n;
	out[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void
refusals(void **state)
{
	static const struct { const char *line, *says; } cases[] = {
		{ "prog -q", "prog: '-q': no such option; see --help\n" },
		{ "prog --nope", "prog: '--nope': no such option; see --help\n" },
		{ "prog --t 3", "prog: '--t': could mean more than one option; see --help\n" },
		{ "prog -n", "prog: '-n': a value is missing (expected n)\n" },
		{ "prog -n0", "prog: '-n 0': out of range (expected 1 to 5000)\n" },
		{ "prog --count=5001", "prog: '--count=5001': out of range (expected 1 to 5000)\n" },
		{ "prog -nl", "prog: '-n l': not a number (expected 1 to 5000)\n" },
		{ "prog -J 256", "prog: '-J 256': out of range (expected 1 to 255)\n" },
		{ "prog --mode=pink", "prog: '--mode=pink': unknown word (expected red, green or blue)\n" },
		{ "prog --udp=1", "prog: '--udp': takes no value\n" },
		{ "prog --json=bad", "prog: '--json=bad': not understood (expected something good)\n" },
		{ "prog -L5", "prog: '-L': not in this build: it comes later\n" },
		{ "prog --linger", "prog: '--linger': not in this build: it comes later\n" },
	};
	char out[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ends(cases[i].line, out, sizeof(out)), 2);
		assert_string_equal(out, cases[i].says);
	}
}

static void
questions(void **state)
{
	char out[4096];

	assert_int_equal(ends("prog --help", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "usage: prog [options] host\n"));
	assert_non_null(strstr(out, "  -n, --count n"));
	assert_null(strstr(out, "--linger"));
	assert_int_equal(ends("prog --version", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "prog (sockeye) "));
	assert_int_equal(ends("prog --options", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "n\tcount\tn\tB\th\t\n"));
	assert_non_null(strstr(out, "\tmode\tword\tB\th\tred green blue\n"));
	assert_non_null(strstr(out, "L\tlinger\ts\tlater\tit comes later\t\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters),
		cmocka_unit_test(long_names),
		cmocka_unit_test(operands),
		cmocka_unit_test(refusals),
		cmocka_unit_test(questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
