/* SPDX-License-Identifier: BSD-2-Clause */
/* net.c - the network of a lab: see net.h. */
#include "net.h"
#include "child.h"
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

/* Text for a tool, and which line of the lab file each of its lines is from. */
struct batch {
	char *text;
	size_t len;
	FILE *f;
	unsigned *from;
	unsigned lines, room;
};

static int __attribute__((format(printf, 4, 5)))
fail(struct net *n, const struct lab *lab, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int used = snprintf(n->error, sizeof(n->error), "%s:%u: ", lab_file(lab, line),
	    LAB_LINE(line));

	va_start(ap, fmt);
	vsnprintf(n->error + used, sizeof(n->error) - (size_t)used, fmt, ap);
	va_end(ap);
	return -1;
}

int
net_enter(const struct net *n, unsigned host)
{
	return setns(host == LAB_NONE ? n->home : n->fd[host], CLONE_NEWNET) ? -errno : 0;
}

/* --- settings --- */

/* Returns 0 or a negative errno. A dot is a slash, as for sysctl(8). */
static int
set_sysctl(const char *key, const char *value)
{
	static const char top[] = "/proc/sys/";
	char path[256];
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "%s%s", top, key) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	for (char *c = path + sizeof(top) - 1; *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* What every host starts with. Not every kernel has every one. IPv4's settings
 * are copied from this machine, where somebody may have changed them. */
static void
set_defaults(bool forward, bool router)
{
	static const char *const always[][2] = {
		{ "net.ipv6.conf.default.accept_dad", "0" },
		{ "net.ipv6.conf.all.accept_dad", "0" },
		{ "net.ipv6.conf.default.router_solicitations", "0" },
		{ "net.ipv6.conf.default.accept_ra", "0" },
		{ "net.ipv4.conf.all.rp_filter", "0" },
		{ "net.ipv4.conf.default.rp_filter", "0" },
		{ "net.ipv4.conf.all.arp_ignore", "0" },
		{ "net.ipv4.conf.default.arp_ignore", "0" },
		{ "net.ipv4.conf.all.arp_filter", "0" },
		{ "net.ipv4.conf.default.arp_filter", "0" },
		{ "net.ipv4.conf.all.log_martians", "0" },
		{ "net.ipv4.ip_unprivileged_port_start", "0" },
		{ "net.ipv4.icmp_ratemask", "0" },
		{ "net.ipv4.icmp_ratelimit", "0" },
		{ "net.ipv6.icmp.ratelimit", "0" },
	};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		set_sysctl(always[i][0], always[i][1]);
	/* a router of ours, a lan: the kernel's addresses have no part in it */
	set_sysctl("net.ipv6.conf.default.disable_ipv6", router ? "1" : "0");
	set_sysctl("net.ipv6.conf.all.disable_ipv6", router ? "1" : "0");
	set_sysctl("net.ipv4.ip_forward", forward ? "1" : "0");
	set_sysctl("net.ipv6.conf.all.forwarding", forward ? "1" : "0");
}

/* A setting of one interface can only be set once it exists; those for all and
 * by default must come before it does. */
static bool
needs_link(const char *key)
{
	const char *at = strstr(key, ".conf.");

	if (!at)
		return strstr(key, ".neigh.") != NULL;
	return strncmp(at, ".conf.all.", 10) && strncmp(at, ".conf.default.", 14);
}

static int
set_host_sysctls(struct net *n, const struct lab *lab, unsigned host, bool late)
{
	for (unsigned i = 0; i < lab->sysctls; i++) {
		const struct lab_rule *s = &lab->sysctl[i];
		int r;

		if ((s->host != LAB_NONE && s->host != host) || needs_link(s->key) != late)
			continue;
		r = set_sysctl(s->key, s->value);
		if (r)
			return fail(n, lab, s->line, "sysctl %s=%s: %s", s->key, s->value,
			    strerror(-r));
	}
	return 0;
}

/* --- interfaces --- */

static int
offload_off(int s, const char *ifname, unsigned cmd)
{
	struct ethtool_value v = { .cmd = cmd, .data = 0 };
	struct ifreq ifr = { .ifr_data = (void *)&v };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	return ioctl(s, SIOCETHTOOL, &ifr) ? -errno : 0;
}

static int
interface_up(int s, const char *ifname)
{
	struct ifreq ifr = { .ifr_flags = 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(s, SIOCGIFFLAGS, &ifr))
		return -errno;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(s, SIOCSIFFLAGS, &ifr) ? -errno : 0;
}

static int
ready_interfaces(struct net *n, const struct lab *lab, unsigned host)
{
	static const unsigned off[] = {
		ETHTOOL_STXCSUM, ETHTOOL_SGSO, ETHTOOL_STSO, ETHTOOL_SGRO, ETHTOOL_SSG,
	};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (s < 0)
		return fail(n, lab, lab->host[host].line, "socket: %s", strerror(errno));
	r = interface_up(s, "lo");
	for (unsigned i = 0; i < lab->links * 2 && !r; i++) {
		const struct lab_end *e = &lab->link[i / 2].end[i % 2];

		if (e->host != host)
			continue;
		for (size_t k = 0; k < sizeof(off) / sizeof(off[0]); k++)
			offload_off(s, e->ifname, off[k]);
		r = interface_up(s, e->ifname);
	}
	close(s);
	return r ? fail(n, lab, lab->host[host].line, "host %s: interface: %s",
	    lab->host[host].name, strerror(-r)) : 0;
}

/* --- what is done by ip(8) and nft(8) --- */

static int
batch_open(struct batch *b)
{
	*b = (struct batch){ .room = 16 };
	b->from = calloc(b->room, sizeof(*b->from));
	b->f = open_memstream(&b->text, &b->len);
	return b->f && b->from ? 0 : -1;
}

/* One line for the tool, from this line of the lab file. */
static void __attribute__((format(printf, 3, 4)))
batch_line(struct batch *b, unsigned from, const char *fmt, ...)
{
	va_list ap;
	unsigned *grown;

	va_start(ap, fmt);
	vfprintf(b->f, fmt, ap);
	va_end(ap);
	fputc('\n', b->f);
	if (b->lines == b->room) {
		grown = realloc(b->from, 2 * b->room * sizeof(*grown));
		if (!grown)
			return;
		b->from = grown;
		b->room *= 2;
	}
	b->from[b->lines++] = from;
}

/* The tool names its line as -:N or /dev/stdin:N. */
static unsigned
blamed_line(const struct batch *b, const char *said)
{
	const char *at = strstr(said, "-:");
	unsigned long line;

	if (!at)
		at = strstr(said, "stdin:");
	at = at ? strchr(at, ':') : NULL;
	line = at ? strtoul(at + 1, NULL, 10) : 1;
	return line >= 1 && line <= b->lines ? b->from[line - 1] : b->from[0];
}

static int
batch_run(struct batch *b, struct net *n, const struct lab *lab,
    const char *const *argv, int netns)
{
	char said[500] = "";
	int r;

	fclose(b->f);
	r = b->lines ? child_tool(argv, netns, b->text, b->len, said, sizeof(said)) : 0;
	if (r < 0)
		r = fail(n, lab, b->from[0], "%s: %s", argv[0], strerror(-r));
	else if (r > 0)
		r = fail(n, lab, blamed_line(b, said), "%s: %.*s", argv[0],
		    (int)strcspn(said, "\n"), said);
	free(b->text);
	free(b->from);
	return r;
}

static const char *const ip_batch[] = { "ip", "-batch", "-", NULL };
static const char *const nft_file[] = { "nft", "-f", "-", NULL };

/* A router's end must not lose what the other end may send: our engine judges
 * that, and writes it down. */
static unsigned
device_mtu(const struct lab *lab, const struct lab_link *l, unsigned e)
{
	unsigned own = l->end[e].mtu, peer = l->end[!e].mtu;

	return lab->host[l->end[e].host].router && peer > own ? peer : own;
}

static int
make_links(struct net *n, const struct lab *lab)
{
	struct batch b;

	if (batch_open(&b))
		return fail(n, lab, 1, "out of memory");
	for (unsigned i = 0; i < lab->links; i++) {
		const struct lab_link *l = &lab->link[i];
		const struct lab_end *a = &l->end[0], *z = &l->end[1];

		batch_line(&b, l->line, "link add name %s netns %s mtu %u type veth "
		    "peer name %s netns %s mtu %u", a->ifname, lab->host[a->host].name,
		    device_mtu(lab, l, 0), z->ifname, lab->host[z->host].name,
		    device_mtu(lab, l, 1));
	}
	return batch_run(&b, n, lab, ip_batch, -1);
}

/* A lan is a bridge, in a namespace of its own. */
static int
make_lan(struct net *n, const struct lab *lab, unsigned host)
{
	struct batch b;

	if (batch_open(&b))
		return fail(n, lab, 1, "out of memory");
	batch_line(&b, lab->host[host].line, "link add br.0 type bridge mcast_snooping 0");
	for (unsigned i = 0; i < lab->links; i++)
		if (lab->link[i].end[1].host == host)
			batch_line(&b, lab->link[i].line, "link set %s master br.0",
			    lab->link[i].end[1].ifname);
	batch_line(&b, lab->host[host].line, "link set br.0 up");
	return batch_run(&b, n, lab, ip_batch, n->fd[host]);
}

static void
end_addresses(struct batch *b, const struct lab_link *l, unsigned e)
{
	for (unsigned i = 0; i < lab_addrs(l, e); i++)
		batch_line(b, l->line, "addr add %s dev %s%s", l->end[e].addr[i].text,
		    l->end[e].ifname, l->end[e].addr[i].family == AF_INET6 ?
		    " nodad" : l->end[e].addr[i].plen < 31 ? " brd +" : "");
}

/* ip(8) would take default for IPv4 where nothing else says the family. */
static const char *
route_word(const struct lab_rule *r, const char *word)
{
	return r->family == AF_INET6 && !strcmp(word, "default") ? "::/0" : word;
}

static int
make_addresses(struct net *n, const struct lab *lab, unsigned host)
{
	struct batch b;

	if (batch_open(&b))
		return fail(n, lab, 1, "out of memory");
	for (unsigned i = 0; i < lab->links * 2; i++)
		if (lab->link[i / 2].end[i % 2].host == host)
			end_addresses(&b, &lab->link[i / 2], i % 2);
	for (unsigned i = 0; i < lab->routes; i++) {
		const struct lab_rule *r = &lab->route[i];

		if (r->host != host)
			continue;
		fputs("route add", b.f);
		for (unsigned k = 0; k < r->args.argc; k++)
			fprintf(b.f, " %s", route_word(r, r->args.argv[k]));
		batch_line(&b, r->line, "%s", "");
	}
	return batch_run(&b, n, lab, ip_batch, n->fd[host]);
}

/* A rule counts what it matches: the counter stands before the verdict. */
static void
write_rule(FILE *f, const struct lab_rule *r)
{
	static const char *const verdicts[] = {
		"drop", "accept", "reject", "return", "queue", "dnat", "snat",
		"masquerade", "redirect", "notrack",
	};
	bool counted = false;

	for (unsigned i = 0; i < r->args.argc; i++)
		counted |= !strcmp(r->args.argv[i], "counter");
	for (unsigned i = 0; i < r->args.argc; i++) {
		for (size_t k = 0; k < sizeof(verdicts) / sizeof(verdicts[0]); k++)
			if (!counted && !strcmp(r->args.argv[i], verdicts[k])) {
				fputs(" counter", f);
				counted = true;
			}
		fprintf(f, " %s", r->args.argv[i]);
	}
	if (!counted)
		fputs(" counter", f);
	if (r->value)
		fprintf(f, " comment \"%s\"", r->value);
}

static int
make_filters(struct net *n, const struct lab *lab, unsigned host)
{
	struct batch b;

	if (batch_open(&b))
		return fail(n, lab, 1, "out of memory");
	for (unsigned i = 0; i < lab->filters; i++) {
		const struct lab_rule *r = &lab->filter[i];

		if (r->host != host)
			continue;
		if (!b.lines)
			batch_line(&b, r->line, "add table inet lab");
		batch_line(&b, r->line, "add chain inet lab %s { type filter hook %s "
		    "priority 0; policy accept; }", r->key, r->key);
		fprintf(b.f, "add rule inet lab %s", r->key);
		write_rule(b.f, r);
		batch_line(&b, r->line, "%s", "");
	}
	return batch_run(&b, n, lab, nft_file, n->fd[host]);
}

/* --- hosts --- */

/* Only a mounted namespace has a name that ip(8) knows. */
static int
make_host(struct net *n, const struct lab *lab, unsigned host)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", lab->host[host].name);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		goto bad;
	close(fd);
	if (unshare(CLONE_NEWNET))
		goto bad;
	if (mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL))
		goto bad;
	n->fd[host] = open(path, O_RDONLY | O_CLOEXEC);
	if (n->fd[host] < 0)
		goto bad;
	set_defaults(lab->host[host].forward, lab->host[host].router || lab->host[host].lan);
	return set_host_sysctls(n, lab, host, false);
bad:
	return fail(n, lab, lab->host[host].line, "host %s: namespace: %s",
	    lab->host[host].name, strerror(errno));
}

static int
finish_host(struct net *n, const struct lab *lab, unsigned host)
{
	if (net_enter(n, host))
		return fail(n, lab, lab->host[host].line, "setns: %s", strerror(errno));
	if (lab->host[host].router)
		return 0;
	if (lab->host[host].lan)
		return make_lan(n, lab, host);
	if (set_host_sysctls(n, lab, host, true))
		return -1;
	return make_addresses(n, lab, host) || make_filters(n, lab, host) ? -1 : 0;
}

int
net_build(struct net *n, const struct lab *lab)
{
	int r = 0;

	*n = (struct net){ .home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
		.hosts = lab->hosts };
	r = names_install(lab);
	if (r)
		return fail(n, lab, 1, "/etc/hosts of the lab: %s", strerror(-r));
	for (unsigned i = 0; i < lab->hosts && !r; i++)
		r = make_host(n, lab, i);
	net_enter(n, LAB_NONE);
	r = r ? r : make_links(n, lab);
	/* Both ends of every link must be up before the addresses come: then
	 * IPv6 works at once. */
	for (unsigned i = 0; i < lab->hosts && !r; i++)
		r = net_enter(n, i) || ready_interfaces(n, lab, i) ? -1 : 0;
	for (unsigned i = 0; i < lab->hosts && !r; i++)
		r = finish_host(n, lab, i);
	net_enter(n, LAB_NONE);
	return r;
}
