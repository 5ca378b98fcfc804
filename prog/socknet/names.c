/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - the hosts' names: see names.h. */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* The lower half of an odd host is that host. */
static unsigned
whole(const struct lab *lab, unsigned host)
{
	unsigned of = lab->host[host].half_of;

	return of ? of - 1 : host;
}

static void
write_end(FILE *f, const struct lab *lab, const struct lab_link *l, unsigned e,
    bool first[LAB_HOSTS][2])
{
	unsigned h = whole(lab, l->end[e].host), peer = whole(lab, l->end[!e].host);
	const char *name = lab->host[h].name;

	for (unsigned i = 0; i < lab_addrs(l, e); i++) {
		const struct lab_addr *a = &l->end[e].addr[i];
		bool six = a->family == AF_INET6;

		fprintf(f, "%.*s %s %s.%s", (int)strcspn(a->text, "/"), a->text,
		    name, name, lab->host[peer].name);
		if (!first[h][six])
			fprintf(f, " %s.%s", name, six ? "v6" : "v4");
		first[h][six] = true;
		fputc('\n', f);
	}
}

static int
over(const char *ours, const char *theirs)
{
	if (access(theirs, F_OK))
		return 0;
	return mount(ours, theirs, NULL, MS_BIND, NULL) ? -errno : 0;
}

int
names_install(const struct lab *lab)
{
	bool first[LAB_HOSTS][2] = { { false } };
	FILE *f = fopen("/run/lab/hosts", "we");
	int r;

	if (!f)
		return -errno;
	fputs("127.0.0.1 localhost\n::1 localhost\n", f);
	for (unsigned i = 0; i < lab->links; i++) {
		if (lab->link[i].inner)
			continue;
		write_end(f, lab, &lab->link[i], 0, first);
		write_end(f, lab, &lab->link[i], 1, first);
	}
	if (fclose(f))
		return -EIO;
	f = fopen("/run/lab/nsswitch.conf", "we");
	if (!f)
		return -errno;
	fputs("passwd: files\ngroup: files\nhosts: files\nnetworks: files\n"
	    "services: files\nprotocols: files\n", f);
	if (fclose(f))
		return -EIO;
	r = over("/run/lab/hosts", "/etc/hosts");
	return r ? r : over("/run/lab/nsswitch.conf", "/etc/nsswitch.conf");
}
