/* SPDX-License-Identifier: BSD-2-Clause */
/* run.c - see run.h. */
#include "run.h"
#include "reach.h"

#include "cli/self.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libsockeye-preload.so"

enum { FAILED = 1, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* Where the library may lie, seen from the directory of this program: in a build
 * tree, or installed somewhere else than it was made for. */
static const char *const places[] = { "/../preload", "/../lib/sockeye",
	("/../" RUN_LIBDIR) };

static bool
is_there(const char *path)
{
	return access(path, R_OK) == 0;
}

/* The full name of the library; false after one line. */
static bool
find_library(char *buf, size_t size)
{
	char dir[PATH_MAX], path[PATH_MAX + 64];

	snprintf(buf, size, "%s/%s", RUN_INSTALLED, LIBRARY);
	for (size_t i = 0; self_dir(dir, sizeof(dir)) && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s%s/%s", dir, places[i], LIBRARY);
		if (is_there(path) && realpath(path, dir)) {
			snprintf(buf, size, "%s", dir);
			break;
		}
	}
	if (!is_there(buf)) {
		fprintf(stderr, "icmpctl: '%s': %s\n", buf, strerror(errno));
		return false;
	}
	if (!buf[strcspn(buf, " :")])
		return true;
	fprintf(stderr, "icmpctl: '%s': cannot be preloaded from a path with a colon or a space\n",
	    buf);
	return false;
}

/* Before what the caller preloads himself. */
static int
set_preload(const char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char all[2 * PATH_MAX];
	int n;

	n = snprintf(all, sizeof(all), "%s%s%s", library, others && *others ? ":" : "",
	    others ? others : "");
	if (n >= (int)sizeof(all)) {
		errno = E2BIG;
		return -1;
	}
	return setenv("LD_PRELOAD", all, 1);
}

/* A program may change its directory: file names are made absolute. */
static int
set_path(const char *name, const char *path)
{
	char full[2 * PATH_MAX], dir[PATH_MAX];

	if (!path)
		return unsetenv(name);
	if (path[0] == '/')
		return setenv(name, path, 1);
	if (!getcwd(dir, sizeof(dir)))
		return -1;
	snprintf(full, sizeof(full), "%s/%s", dir, path);
	return setenv(name, full, 1);
}

/* A file that cannot be written is said now, not with the first error. */
static bool
may_write(const char *path)
{
	FILE *f = path ? fopen(path, "ae") : NULL;

	if (path && !f) {
		fprintf(stderr, "icmpctl: cannot write to '%s': %s\n", path, strerror(errno));
		return false;
	}
	if (f)
		fclose(f);
	return true;
}

static bool
set_all(const struct run_config *c, bool load)
{
	char library[2 * PATH_MAX];

	if (!may_write(c->log) || !find_library(library, sizeof(library)))
		return false;
	if (setenv("SOCKEYE_DELIVER", c->log_only ? "log" : "errno", 1) == 0 &&
	    set_path("SOCKEYE_DELIVER_LOG", c->log) == 0 &&
	    set_path("SOCKEYE_ICMPD", c->socket) == 0 && (!load || set_preload(library) == 0))
		return true;
	fprintf(stderr, "icmpctl: cannot set the environment: %s\n", strerror(errno));
	return false;
}

int
run_command(const struct run_config *c)
{
	char why[300];
	enum reach reach = reach_ask(c->command[0], why, sizeof(why));
	int err;

	if (!set_all(c, reach != REACH_HARMS))
		return FAILED;
	if (reach != REACH)
		fprintf(stderr, "icmpctl: '%s' %s: it runs without\n", c->command[0], why);
	execvp(c->command[0], c->command);
	err = errno;
	fprintf(stderr, "icmpctl: '%s': %s\n", c->command[0], strerror(err));
	return err == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}
