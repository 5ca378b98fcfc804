/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpdword.c - the counters of icmpd in words: see sockeye/icmpd.h. */
#include <sockeye/icmpd.h>

struct row {
	const char *word, *help;
	bool gauge;
};

static const struct row rows[SKY_ICMPD_COUNTERS_N] = {
	[SKY_ICMPD_C_STARTED] = { "started", "When the daemon started, in seconds since 1970", true },
	[SKY_ICMPD_C_HEARD4] = { "heard4", "ICMP errors read from the network", false },
	[SKY_ICMPD_C_HEARD6] = { "heard6", "ICMPv6 errors read from the network", false },
	[SKY_ICMPD_C_MALFORMED] = { "malformed", "Errors that were not what they said, "
	    "or had a wrong checksum", false },
	[SKY_ICMPD_C_FOREIGN] = { "foreign", "Errors about other protocols, or without ports", false },
	[SKY_ICMPD_C_LOOKUPS] = { "lookups", "Questions to the kernel whose socket it was", false },
	[SKY_ICMPD_C_LOOKUP_ERRORS] = { "lookup_errors", "Such questions that the kernel did not "
	    "answer", false },
	[SKY_ICMPD_C_NO_SOCKET] = { "no_socket", "Errors about what no socket of this host could "
	    "have sent", false },
	[SKY_ICMPD_C_UNREGISTERED] = { "unregistered", "Errors about sockets that no client asked "
	    "for", false },
	[SKY_ICMPD_C_OTHER_USER] = { "other_user", "Errors kept from a client that does not own the "
	    "socket", false },
	[SKY_ICMPD_C_MATCHED] = { "matched", "Errors told to a client that registered the socket", false },
	[SKY_ICMPD_C_DELIVERED] = { "delivered", "Records queued for clients", false },
	[SKY_ICMPD_C_DROPPED] = { "dropped", "Records dropped because their client was slow", false },
	[SKY_ICMPD_C_OVERRUN] = { "overrun", "Errors that the kernel dropped because the daemon was "
	    "slow", false },
	[SKY_ICMPD_C_CLIENTS] = { "clients", "Clients connected", true },
	[SKY_ICMPD_C_WATCHERS] = { "watchers", "Clients that watch", true },
	[SKY_ICMPD_C_SOCKETS] = { "sockets", "Sockets registered", true },
	[SKY_ICMPD_C_CLIENTS_EVER] = { "clients_ever", "Clients that have connected", false },
	[SKY_ICMPD_C_CLIENTS_REFUSED] = { "clients_refused", "Clients that were turned away", false },
	[SKY_ICMPD_C_SOCKETS_EVER] = { "sockets_ever", "Sockets that have been registered", false },
	[SKY_ICMPD_C_SOCKETS_REFUSED] = { "sockets_refused", "Registrations refused", false },
	[SKY_ICMPD_C_BAD_MESSAGES] = { "bad_messages", "Messages of clients that made no sense, each "
	    "the end of its connection", false },
	[SKY_ICMPD_C_QUEUED] = { "queued", "Bytes that wait for clients", true },
};

const char *
sky_icmpd_counter_word(enum sky_icmpd_counter c)
{
	return (unsigned)c < SKY_ICMPD_COUNTERS_N ? rows[c].word : NULL;
}

const char *
sky_icmpd_counter_help(enum sky_icmpd_counter c)
{
	return (unsigned)c < SKY_ICMPD_COUNTERS_N ? rows[c].help : NULL;
}

bool
sky_icmpd_counter_is_gauge(enum sky_icmpd_counter c)
{
	return (unsigned)c < SKY_ICMPD_COUNTERS_N && rows[c].gauge;
}
