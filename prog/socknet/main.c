/* SPDX-License-Identifier: BSD-2-Clause */
/* socknet(8): a network in a box. */
#include "box.h"
#include "labfile.h"
#include "labs.h"
#include "opts.h"
#include "run.h"
#include "serve.h"

#include "cli/stdfd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole file in memory, or NULL after one line. */
static char *
read_file(const char *name, size_t *len)
{
	char *text = malloc(LABFILE_MAX + 1);
	FILE *f = text ? fopen(name, "re") : NULL;

	if (f)
		*len = fread(text, 1, LABFILE_MAX + 1, f);
	if (!f || ferror(f)) {
		fprintf(stderr, "socknet: '%s': %s\n", name, strerror(errno));
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

/* Beside the file that wants it, or among the labs that came with the programs;
 * .lab may be left out. */
static char *
read_included(const char *by, const char *name, char *path, size_t size, size_t *len)
{
	int dir = strrchr(by, '/') && *name != '/' ? (int)(strrchr(by, '/') - by) + 1 : 0;
	char labs[3200];
	struct stat st;

	snprintf(path, size, "%.*s%s", dir, by, name);
	if (access(path, R_OK))
		snprintf(path, size, "%.*s%s.lab", dir, by, name);
	if (access(path, R_OK) && labs_dir(labs, sizeof(labs)))
		snprintf(path, size, "%.3000s/topology/%.900s.lab", labs, name);
	return access(path, R_OK) || (!stat(path, &st) && S_ISDIR(st.st_mode)) ? NULL :
	    read_file(path, len);
}

/* Returns 0, or 2 after one line that says where and what. */
static int
load(struct lab *lab, const char *name, char *path, size_t size)
{
	char error[LEX_ERROR];
	char *text;
	size_t len = 0;
	int r;

	if (!labs_find(name, path, size)) {
		fprintf(stderr, "socknet: '%s': no such file or lab "
		    "(expected a file, or a name that socknet list prints)\n", name);
		return 2;
	}
	text = read_file(path, &len);
	if (!text)
		return 2;
	r = labfile_parse_with(lab, path, text, len, read_included, error);
	free(text);
	if (r) {
		fprintf(stderr, "%s:%s\n", lab->fault, error);
		labfile_release(lab);
	}
	return r ? 2 : 0;
}

static void
skip_for_root(struct report *r, const struct lab *lab)
{
	char why[300];

	snprintf(why, sizeof(why), "needs root: %.250s", lab->needs_root);
	report_skip(r, why);
}

/* A router's interfaces have no addresses in the kernel: nothing would run. */
static int
choose_host(const struct lab *lab, const char *name, const char *path, unsigned *host)
{
	*host = name ? labfile_host(lab, name) : 0;
	while (!name && *host < lab->hosts && (lab->host[*host].router || lab->host[*host].lan))
		++*host;
	if (*host >= lab->hosts) {
		fprintf(stderr, "socknet: '%s': no such host (expected one of %s)\n",
		    name ? name : "", path);
		return 2;
	}
	return 0;
}

static int
play(const char *name, const struct opts *o, enum report_style style, const char *host)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	char path[4096], programs[4096];
	struct run run = {
		.lab = lab, .report = { .style = style, .verbose = o->verbose, .lab = lab,
			.speed = (unsigned)o->speed },
		.ledger = o->ledger,
		.enter_host = LAB_NONE, .command = o->command, .program_path = labs_programs(programs, sizeof(programs)),
	};
	struct box box = { .name = path, .inside = run_inside, .arg = &run };
	int r = lab ? load(lab, name, path, sizeof(path)) : 1;

	if (r == 0 && (host || o->command)) {
		r = choose_host(lab, host, path, &run.enter_host);
		box.terminal = host && !o->command ? true : isatty(STDIN_FILENO);
	}
	if (r == 0) {
		box.root = lab->needs_root != NULL;
		if (box.root && geteuid() != 0)
			skip_for_root(&run.report, lab);
		else
			r = box_run(&box);
		labfile_release(lab);
	}
	free(lab);
	return r;
}

static int
truncate_file(const char *name)
{
	FILE *f = fopen(name, "we");

	if (f)
		return fclose(f);
	fprintf(stderr, "socknet: '%s': %s\n", name, strerror(errno));
	return -1;
}

/* The worst status of all is told. */
static int
run_labs(const struct opts *o)
{
	int worst = 0, r;

	if (o->ledger && truncate_file(o->ledger))
		return 1;
	if (o->command)
		return play(o->files[0], o, REPORT_QUIET, o->host);
	for (const char *const *f = o->files; *f; f++) {
		r = play(*f, o, o->tap ? REPORT_TAP : REPORT_TEXT, NULL);
		worst = r > worst ? r : worst;
	}
	return worst;
}

static int
run_shell(const struct opts *o)
{
	return play(o->files[0], o, REPORT_TEXT, o->files[1]);
}

static int
run_check(const struct opts *o)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	char path[4096];
	int worst = 0;

	for (const char *const *f = o->files; lab && *f; f++) {
		if (load(lab, *f, path, sizeof(path)))
			worst = 2;
		else
			labfile_release(lab);
	}
	free(lab);
	return lab ? worst : 1;
}

static int
run_list(const struct opts *o)
{
	return labs_list();
}

/* What to type next, as this shell can find it: in a build tree the programs lie
 * side by side in folders of their own. */
static void
say_next(const char *program)
{
	static const struct {
		const char *side, *name, *words, *what;
	} rows[] = {
		{ "/sock/sock", "sock", " -u -i -n1 127.0.0.1 9",
		  "what a closed port of this machine says" },
		{ "/socknet/socknet", "socknet", " shell demo client",
		  "a shell inside this network: sock, ip, ping" },
		{ "/socknet/socknet", "socknet", " run three-servers",
		  "which of three servers is dead; list shows more" },
	};
	size_t n = strlen(program), m = strlen(rows[1].side);
	bool build = n > m && !strcmp(program + n - m, rows[1].side);
	char command[300];

	printf("\nTry next:\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(command, sizeof(command), "%.*s%s%s", build ? (int)(n - m) : 0,
		    program, build ? rows[i].side : rows[i].name, rows[i].words);
		printf("  %-47s %s\n", command, rows[i].what);
	}
}

static int
run_demo(const struct opts *o)
{
	int r = play(o->files[0] ? o->files[0] : "demo", o, REPORT_DEMO, NULL);

	if (r == 0)
		say_next(o->program);
	return r;
}

static int
run_serve(const struct opts *o)
{
	return serve(o->files);
}

const struct command commands[] = {
	{ "run", run_labs, 1, 0, " LAB ..." },
	{ "shell", run_shell, 2, 3, " LAB HOST" },
	{ "check", run_check, 1, 0, " LAB ..." },
	{ "list", run_list, 0, 1, "" },
	{ "demo", run_demo, 0, 2, " [LAB]" },
	{ "serve", run_serve, 2, 0, " SERVICE PORT ..." },
	{ NULL, NULL, 0, 0, NULL },
};

int
main(int argc, char **argv)
{
	struct opts o = { .speed = 1 };
	const struct command *c;

	stdfd_hold();
	c = opts_parse(&o, argc, argv);
	return report_written(c->run(&o));
}
