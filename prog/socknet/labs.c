/* SPDX-License-Identifier: BSD-2-Clause */
/* labs.c - where lab files and programs are: see labs.h. */
#include "labs.h"

#include "cli/self.h"

#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Networks without steps, for other labs and for a shell, lie below. */
#define TOPOLOGY "/topology"

/* In a build tree this is BUILD/prog/socknet/socknet. */
static bool
in_build(const char *dir)
{
	size_t n = strlen(dir);

	return n > 13 && !strcmp(dir + n - 13, "/prog/socknet");
}

char *
labs_programs(char *buf, size_t size)
{
	char dir[3000];
	struct dirent **e;
	int n;
	size_t used = 0;

	buf[0] = 0;
	if (!self_dir(dir, sizeof(dir)))
		return buf;
	if (!in_build(dir)) {
		snprintf(buf, size, "%s:%s/../libexec/sockeye", dir, dir);
		return buf;
	}
	*strrchr(dir, '/') = 0;
	n = scandir(dir, &e, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (e[i]->d_name[0] != '.' && e[i]->d_type == DT_DIR && used < size - 1)
			used += (size_t)snprintf(buf + used, size - used, "%s%s/%s",
			    used ? ":" : "", dir, e[i]->d_name);
		free(e[i]);
	}
	if (n >= 0)
		free(e);
	return buf;
}

bool
labs_dir(char *buf, size_t size)
{
	char dir[3000];
	struct stat st;

	if (!self_dir(dir, sizeof(dir)))
		return false;
	snprintf(buf, size, in_build(dir) ? "%s/../../lab" : "%s/../share/sockeye/lab", dir);
	return !stat(buf, &st) && S_ISDIR(st.st_mode);
}

static int
is_lab(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && !strcmp(e->d_name + n - 4, ".lab");
}

/* "010-echo.lab" is meant by itself, "010-echo" and "echo". */
static bool
is_meant(const char *file, const char *name)
{
	size_t n = strlen(file) - 4, len = strlen(name);
	size_t digits = strspn(file, "0123456789");

	if (!strcmp(file, name) || (len == n && !memcmp(file, name, n)))
		return true;
	return file[digits] == '-' && len == n - digits - 1 &&
	    !memcmp(file + digits + 1, name, len);
}

/* malloc()ed, or NULL. */
static char *
find_in(const char *dir, const char *name, char *buf, size_t size)
{
	struct dirent **e;
	char *found = NULL;
	int n = scandir(dir, &e, is_lab, alphasort);

	for (int i = 0; i < n; i++) {
		if (!found && is_meant(e[i]->d_name, name)) {
			snprintf(buf, size, "%s/%s", dir, e[i]->d_name);
			found = realpath(buf, NULL);
		}
		free(e[i]);
	}
	if (n >= 0)
		free(e);
	return found;
}

static char *
add_topology(char *dir)
{
	size_t n = strlen(dir);

	memcpy(dir + n, TOPOLOGY, sizeof(TOPOLOGY));
	return dir;
}

char *
labs_find(const char *name, char *buf, size_t size)
{
	char dir[3200];
	char *found;

	if (strchr(name, '/') || access(name, F_OK) == 0) {
		snprintf(buf, size, "%s", name);
		return buf;
	}
	if (!labs_dir(dir, sizeof(dir) - sizeof(TOPOLOGY)))
		return NULL;
	found = find_in(dir, name, buf, size);
	if (!found)
		found = find_in(add_topology(dir), name, buf, size);
	if (!found)
		return NULL;
	snprintf(buf, size, "%s", found);
	free(found);
	return buf;
}

static void
print_title(const char *dir, const char *file)
{
	char path[3600], line[400], title[300] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	while (f && !*title && fgets(line, sizeof(line), f))
		sscanf(line, "lab \"%299[^\"]\"", title);
	if (f)
		fclose(f);
	printf("%-28.*s %s\n", (int)strlen(file) - 4, file, title);
}

static void
print_dir(const char *dir)
{
	struct dirent **e;
	int n = scandir(dir, &e, is_lab, alphasort);

	for (int i = 0; i < n; i++) {
		print_title(dir, e[i]->d_name);
		free(e[i]);
	}
	if (n >= 0)
		free(e);
}

int
labs_list(void)
{
	char dir[3200];

	if (!labs_dir(dir, sizeof(dir) - sizeof(TOPOLOGY))) {
		fprintf(stderr, "socknet: no labs came with this program\n");
		return 1;
	}
	print_dir(dir);
	print_dir(add_topology(dir));
	return 0;
}
