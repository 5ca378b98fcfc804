/* SPDX-License-Identifier: BSD-2-Clause */
/* Lab files: any text is either a lab whose every reference is within bounds, or
 * one line that says where the fault is. */
#include "fuzz.h"
#include "prog/socknet/labfile.h"

static void
check_args(const struct lab_args *a)
{
	for (unsigned i = 0; i < a->argc; i++)
		must(strlen(a->argv[i]) <= LABFILE_MAX);
	must(!a->argv || !a->argv[a->argc]);
}

static void
check_steps(const struct lab *lab)
{
	unsigned expects = 0;

	for (unsigned i = 0; i < lab->steps; i++) {
		const struct lab_step *s = &lab->step[i];

		must(s->host == LAB_NONE || s->host < lab->hosts);
		must(s->proc == LAB_NONE || s->proc < lab->procs);
		must(s->verb != LAB_RUN || (s->args.argc && s->host != LAB_NONE));
		must(s->expect.fields <= LAB_FIELDS);
		for (unsigned k = 0; k < s->expect.fields; k++)
			must(*s->expect.field[k].key && s->expect.field[k].value);
		expects += s->verb == LAB_EXPECT || s->verb == LAB_WITNESS || s->has_status;
		check_args(&s->args);
	}
	must(expects == lab->expects);
}

static void
check(const struct lab *lab)
{
	must(lab->hosts >= 1 && lab->hosts <= LAB_HOSTS);
	for (unsigned i = 0; i < lab->links * 2; i++) {
		const struct lab_link *l = &lab->link[i / 2];

		must(l->addrs <= LAB_ADDRS && l->end[i % 2].host < lab->hosts);
		must(strlen(l->end[i % 2].ifname) < LAB_NAME);
		must(l->end[i % 2].mtu >= 68 && l->end[i % 2].mtu <= 65535);
	}
	for (unsigned i = 0; i < lab->routes; i++) {
		must(lab->route[i].host < lab->hosts);
		check_args(&lab->route[i].args);
	}
	for (unsigned i = 0; i < lab->filters; i++)
		check_args(&lab->filter[i].args);
	check_steps(lab);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	char error[LEX_ERROR] = "";
	unsigned line, col;
	int r;

	must(lab);
	r = labfile_parse(lab, "x", (const char *)data, len, error);
	if (r == 0)
		check(lab);
	else
		must(sscanf(error, "%u:%u: ", &line, &col) == 2 && line && col);
	must(!strchr(error, '\n') || r);
	labfile_release(lab);
	free(lab);
	return 0;
}
