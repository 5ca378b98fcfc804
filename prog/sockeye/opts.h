/* SPDX-License-Identifier: BSD-2-Clause */
/* opts.h - what was asked of sockeye(1). */
#ifndef SOCKEYE_OPTS_H
#define SOCKEYE_OPTS_H

#include <stdbool.h>

struct sockeye_config {
	const char *json_to;	/* NULL: standard output */
	bool json;
	bool doctor;
	char **checks;		/* names of probes; NULL-terminated, none: all */
};

/* Ends the program on wrong input. */
void sockeye_opts(struct sockeye_config *c, int argc, char **argv);

#endif
