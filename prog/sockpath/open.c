/* SPDX-License-Identifier: BSD-2-Clause */
/* open.c - see open.h. */
#include "open.h"

#include "cli/host.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LEAST4 = 60, LEAST6 = 80, ADDRESSES = 16 };

static int
say_fault(const char *before, const struct host_fault *why)
{
	run_say("%s'%s': %s%s%s%s", before, why->text, why->what, why->expected ? " (expected " : "",
	    why->expected ? why->expected : "", why->expected ? ")" : "");
	return STATUS_INPUT;
}

/* A name that has addresses of the other family only is told so. */
static int
find(const char *before, const char *text, int family, struct sky_addr *a)
{
	struct host_fault why, other;
	struct sky_addr ignored;

	if (host_find(text, family, a, &why) == 0)
		return 0;
	if (family && sky_addr_parse(&ignored, text) != 0 &&
	    host_find(text, family == AF_INET ? AF_INET6 : AF_INET, &ignored, &other) == 0) {
		run_say("%s'%s': has %s addresses only (expected a name with an %s address)",
		    before, text, family == AF_INET ? "IPv6" : "IPv4",
		    family == AF_INET ? "IPv4" : "IPv6");
		return STATUS_INPUT;
	}
	return say_fault(before, &why);
}

/* Which family is asked for: -4, -6, or what the source and the routers are. */
static int
family_of(const struct opts *o)
{
	struct sky_addr a;

	if (o->only4 || o->routers)
		return AF_INET;
	if (o->only6)
		return AF_INET6;
	if (o->source && sky_addr_parse(&a, o->source) == 0)
		return sky_addr_family(&a);
	return AF_UNSPEC;
}

/* traceroute takes the IPv4 address of a host that has both. */
static int
find_host(const struct opts *o, struct sky_addr *a)
{
	int family = family_of(o);
	struct host_fault why;

	if (!family && (o->style == STYLE_TRACEROUTE || o->style == STYLE_BOOK) &&
	    host_find(o->host, AF_INET, a, &why) == 0)
		return 0;
	return find("", o->host, family, a);
}

/* All zeros is this host, as the kernel has it. */
static void
name_loopback(struct sky_addr *a)
{
	if (sky_addr_is_any(a))
		sky_addr_parse(a, sky_addr_family(a) == AF_INET ? "127.0.0.1" : "::1");
}

int
open_destination(struct run *r)
{
	const struct opts *o = r->o;
	struct sky_pathsock_conf *c = &r->conf;
	int rc = find_host(o, &r->dst);
	int family = sky_addr_family(&r->dst);

	for (unsigned i = 0; rc == 0 && i < o->routers; i++)
		rc = find("-g ", o->router[i], AF_INET, &c->router[i]);
	if (rc == 0 && o->source)
		rc = find("-s ", o->source, family, &c->src);
	if (rc)
		return rc;
	name_loopback(&r->dst);
	if (o->label && family == AF_INET) {
		run_say("-l: '%s' is an IPv4 address, which has no flow label", o->host);
		return STATUS_INPUT;
	}
	sky_addr_set_port(&r->dst, opts_port(o));
	if (o->sport && !o->source)
		c->src.u.sa.sa_family = (sa_family_t)family;
	if (o->sport)
		sky_addr_set_port(&c->src, o->sport);
	c->dst = r->dst;
	c->device = o->device;
	c->method = (uint8_t)opts_method(o);
	c->raw = o->raw;
	c->fragment = o->style == STYLE_TRACEROUTE && !o->whole && !o->mtu;
	c->broadcast = o->broadcast;
	c->direct = o->direct;
	c->have_tos = o->have_tos;
	c->tos = (uint8_t)o->tos;
	c->label = (uint32_t)o->label;
	c->routers = o->routers;
	return 0;
}

/* What it is about, and what to do. */
static void
explain(const struct run *r, int err, char *text, size_t size)
{
	char host[SKY_ADDRSTRLEN];
	const struct opts *o = r->o;

	sky_addr_format_host(&r->dst, host, sizeof(host));
	if (err == ENODEV)
		snprintf(text, size, "-i '%s': no such interface", o->device);
	else if (err == EADDRNOTAVAIL && o->source)
		snprintf(text, size, "-s '%s': not an address of this host", o->source);
	else if (err == EADDRINUSE)
		snprintf(text, size, "--sport %u: another program has it", o->sport);
	else if (err == EDESTADDRREQ)
		snprintf(text, size, "'%s' (%s): a group or broadcast address, where many would "
		    "answer (expected one host, or --broadcast)", o->host, host);
	else if (err == EAFNOSUPPORT)
		snprintf(text, size, "'%s' (%s): this host does not speak IPv%d", o->host, host,
		    sky_addr_family(&r->dst) == AF_INET ? 4 : 6);
	else if (err == EPERM && o->routers)
		snprintf(text, size, "-g: source routes are allowed to root only, and most routers "
		    "refuse them (RFC 7126)");
	else if (err == EACCES && o->sport)
		snprintf(text, size, "--sport %u: needs privilege", o->sport);
	else if ((err == EACCES || err == EPERM) && o->icmp)
		snprintf(text, size, "-I: neither a ping socket (net.ipv4.ping_group_range) nor a "
		    "raw one is allowed to you; UDP is, or see sockeye doctor ping raw");
	else if ((err == EACCES || err == EPERM) && o->raw)
		snprintf(text, size, "--raw: a raw socket is not allowed to you; see sockeye doctor raw");
	else
		snprintf(text, size, "'%s' (%s): %s", o->host, host, strerror(err));
}

int
run_refused(const struct run *r, int err)
{
	static const int input[] = { ENODEV, EADDRNOTAVAIL, EDESTADDRREQ };
	char text[320];

	explain(r, err, text, sizeof(text));
	run_say("%s", text);
	for (size_t i = 0; i < sizeof(input) / sizeof(input[0]); i++)
		if (input[i] == err)
			return STATUS_INPUT;
	return STATUS_SYSTEM;
}

int
open_sockets(struct run *r)
{
	uint32_t usual = sky_addr_family(&r->dst) == AF_INET ? LEAST4 : LEAST6;
	int rc = sky_pathsock_open(&r->sock, &r->conf);
	uint32_t least;

	if (rc < 0)
		return run_refused(r, -rc);
	least = sky_pathsock_least(&r->sock);
	if (r->o->len && r->o->len < least) {
		run_say("'%u': not a packet length (expected %u or more: headers, and 8 bytes to "
		    "tell answers apart)", r->o->len, least);
		return STATUS_INPUT;
	}
	if (r->o->len > r->sock.device_mtu) {
		run_say("'%u': not a packet length (expected %u or less, the MTU of the interface)",
		    r->o->len, r->sock.device_mtu);
		return STATUS_INPUT;
	}
	r->len = r->o->len ? r->o->len : usual > least ? usual : least;
	return 0;
}

/* The user is the one who called, saved identities and all: they are a way back. Of
 * the capabilities those of the mask stay, if they were there. */
static int
become_caller(uint32_t mask)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (syscall(SYS_capget, &head, caps) < 0 || prctl(PR_SET_KEEPCAPS, mask != 0, 0, 0, 0) < 0)
		return -errno;
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	caps[0].permitted &= mask;
	caps[0].effective = caps[0].permitted;
	caps[0].inheritable = 0;
	memset(&caps[1], 0, sizeof(caps[1]));
	return syscall(SYS_capset, &head, caps) < 0 ? -errno : 0;
}

static int
status_of(int rc)
{
	if (rc == 0)
		return 0;
	run_say("cannot give privileges up: %s", strerror(-rc));
	return STATUS_SYSTEM;
}

int
open_begin(void)
{
	const uint32_t net = 1u << CAP_NET_BIND_SERVICE | 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;

	if (geteuid() == getuid() && getegid() == getgid())
		return 0;
	return status_of(become_caller(net));
}

int
open_drop(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return status_of(become_caller(0));
}
