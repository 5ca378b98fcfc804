/* SPDX-License-Identifier: BSD-2-Clause */
/* addrtext.c - addresses from and to text, without the kernel. */
#include "base/addrtext.h"

#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A piece of the text: nothing is changed or copied until it is understood. */
struct span {
	const char *at;
	size_t len;
};

static int
read_port(struct sky_addr *a, struct span s)
{
	uint64_t port;
	int r = sky_num_parse(s.at, s.len, 65535, &port);

	if (r == 0)
		sky_addr_set_port(a, (uint16_t)port);
	return r;
}

/* inet_pton() wants a string. Returns false if the span is no such address. */
static bool
read_bits(int family, struct span s, void *out)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof text)
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	return inet_pton(family, text, out) == 1;
}

static bool
read_v4(struct sky_addr *a, struct span host)
{
	*a = (struct sky_addr){ 0 };
	if (!read_bits(AF_INET, host, &a->u.in.sin_addr))
		return false;
	a->u.in.sin_family = AF_INET;
	return true;
}

/* The part behind '%': a number, or a name for the caller. */
static int
read_scope(struct sky_addr *a, char ifname[SKY_IFNAME], struct span s)
{
	uint64_t scope;
	int r = sky_num_parse(s.at, s.len, UINT32_MAX, &scope);

	if (r == 0 && scope > 0) {
		a->u.in6.sin6_scope_id = (uint32_t)scope;
		return 0;
	}
	if (s.len == 0 || r == 0)
		return -EINVAL;
	if (r == -ERANGE || s.len >= SKY_IFNAME)
		return -ENODEV;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || strchr("/%[]\x7f", s.at[i]))
			return -EINVAL;
	memcpy(ifname, s.at, s.len);
	ifname[s.len] = '\0';
	return 0;
}

/* "2001:db8::1", "fe80::1%2", "fe80::1%eth0". */
static int
read_v6(struct sky_addr *a, char ifname[SKY_IFNAME], struct span host)
{
	const char *percent = memchr(host.at, '%', host.len);
	struct span bits = { host.at, percent ? (size_t)(percent - host.at) : host.len };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (!read_bits(AF_INET6, bits, &in6.sin6_addr))
		return -EINVAL;
	sky_addr_from(a, (struct sockaddr *)&in6, sizeof in6);
	if (!percent)
		return 0;
	if (sky_addr_family(a) == AF_INET)
		return -EINVAL;
	return read_scope(a, ifname,
	    (struct span){ percent + 1, host.len - bits.len - 1 });
}

/* "[2001:db8::1]", "[2001:db8::1]:53" */
static int
read_bracketed(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text)
{
	const char *close = strchr(text, ']');
	int r;

	if (!close || (close[1] != '\0' && close[1] != ':'))
		return -EINVAL;
	r = read_v6(a, ifname, (struct span){ text + 1, (size_t)(close - text) - 1 });
	if (r == 0 && close[1] == ':')
		r = read_port(a, (struct span){ close + 2, strlen(close + 2) });
	return r;
}

/* "192.0.2.1:53" and "192.0.2.1.53": the last separator parts host and port. */
static int
read_v4_port(struct sky_addr *a, const char *text, char separator)
{
	const char *sep = strrchr(text, separator);

	if (!sep || !read_v4(a, (struct span){ text, (size_t)(sep - text) }))
		return -EINVAL;
	return read_port(a, (struct span){ sep + 1, strlen(sep + 1) });
}

static int
scan(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text)
{
	const char *colon = strchr(text, ':');
	struct span all = { text, strlen(text) };

	if (text[0] == '[')
		return read_bracketed(a, ifname, text);
	if (colon && strchr(colon + 1, ':'))
		return read_v6(a, ifname, all);
	if (colon)
		return read_v4_port(a, text, ':');
	if (read_v4(a, all))
		return 0;
	return read_v4_port(a, text, '.');
}

int
sky_addr_scan(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text)
{
	int r;

	ifname[0] = '\0';
	r = scan(a, ifname, text);
	if (r != 0) {
		*a = (struct sky_addr){ 0 };
		ifname[0] = '\0';
	}
	return r;
}

static void
write_host(const struct sky_addr *a, char out[SKY_ADDRSTRLEN])
{
	size_t n;

	if (sky_addr_family(a) == AF_INET) {
		inet_ntop(AF_INET, &a->u.in.sin_addr, out, SKY_ADDRSTRLEN);
	} else if (sky_addr_family(a) == AF_INET6) {
		inet_ntop(AF_INET6, &a->u.in6.sin6_addr, out, SKY_ADDRSTRLEN);
		n = strlen(out);
		if (a->u.in6.sin6_scope_id)
			snprintf(out + n, SKY_ADDRSTRLEN - n, "%%%u",
			    (unsigned)a->u.in6.sin6_scope_id);
	} else {
		snprintf(out, SKY_ADDRSTRLEN, "-");
	}
}

char *
sky_addr_format_host(const struct sky_addr *a, char *buf, size_t size)
{
	char host[SKY_ADDRSTRLEN];

	write_host(a, host);
	if (size)
		snprintf(buf, size, "%s", host);
	return buf;
}

char *
sky_addr_format(const struct sky_addr *a, char *buf, size_t size)
{
	bool six = sky_addr_family(a) == AF_INET6;
	char host[SKY_ADDRSTRLEN];

	if (sky_addr_port(a) == 0 || size == 0)
		return sky_addr_format_host(a, buf, size);
	write_host(a, host);
	snprintf(buf, size, "%s%s%s:%u", six ? "[" : "", host, six ? "]" : "",
	    (unsigned)sky_addr_port(a));
	return buf;
}
