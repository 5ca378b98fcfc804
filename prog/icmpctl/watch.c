/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c - see watch.h. */
#include "watch.h"
#include "link.h"
#include "opts.h"
#include "owner.h"

#include "cli/out.h"
#include "cli/sig.h"
#include "sys/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct watch {
	const struct opts *opts;
	struct link *l;
	struct out out;
	struct owners *owners;
	struct owner owner[LINK_BATCH];
	uint64_t shown;
	bool bad;		/* one of these is a bad fate */
	bool refused;
	int probe;		/* a socket of ours: does icmpd know it? */
};

/* What the daemon can leave out by itself; the rest is left out here. */
static void
ask_for(struct sky_icmpd_filter *out, const struct filter *f)
{
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->fates = f->fates;
	if (f->ports == 1)
		out->port = f->port[0];
	if (f->prefixes == 1) {
		out->prefix = f->prefix[0].net;
		out->bits = (uint8_t)f->prefix[0].bits;
	}
}

/* Why there is no process to name; never a guess. */
static const char *
no_process(const struct sky_icmpd_event *e, const struct owner *who)
{
	if (!e->owner.inode || who->is == OWNER_GONE)
		return "gone";
	return who->is == OWNER_NONE ? "none" : "unseen";
}

static void
who_text(const struct sky_icmpd_event *e, const struct owner *who, char *buf, size_t size)
{
	char others[16] = "", uid[24] = "";

	if (who->others)
		snprintf(others, sizeof(others), "+%u", who->others);
	if (e->owner.known)
		snprintf(uid, sizeof(uid), " (uid %u)", e->owner.uid);
	if (who->is == OWNER_FOUND)
		snprintf(buf, size, "%s[%u]%s", who->comm, who->pid, others);
	else
		snprintf(buf, size, "%s%s", no_process(e, who), uid);
}

static void
show(struct watch *w, struct sky_icmpd_event *e, const struct owner *who)
{
	struct out_process p = { .have_uid = e->owner.known, .uid = e->owner.uid,
				 .others = who->others, .connected = who->connected };
	char text[128];

	if (who->is == OWNER_FOUND) {
		e->fate.have |= SKY_HAVE_PID;
		e->fate.pid = who->pid;
		p.comm = who->comm;
	} else {
		p.none = no_process(e, who);
	}
	who_text(e, who, text, sizeof(text));
	out_fate_line_of(&w->out, &e->fate, text,
	    e->fate.trust == SKY_TRUST_MATCHED || who->connected ? "vouched" : "not vouched");
	out_fate_of(&w->out, &e->fate, &p);
	w->bad |= sky_fate_is_bad(e->fate.what);
	w->shown++;
}

/* What happened to the watching itself. */
static void
notice(struct watch *w, const char *what, uint64_t count, const char *text)
{
	fprintf(stderr, "icmpctl: '%s': %s\n", w->l->path, text);
	out_begin(&w->out, "notice", sky_clock_wall());
	out_str(&w->out, "what", what);
	if (count)
		out_u64(&w->out, "count", count);
	out_end(&w->out);
}

static void
notice_lost(struct watch *w, uint64_t count)
{
	char text[96];

	snprintf(text, sizeof(text), "%" PRIu64 " error%s not shown: more came than could be "
	    "taken", count, count == 1 ? "" : "s");
	notice(w, "lost", count, text);
}

static bool
ended(const struct watch *w)
{
	return w->opts->count && w->shown >= w->opts->count;
}

static void
take_event(struct watch *w, struct sky_icmpd_event *e, const struct owner *who)
{
	switch (e->kind) {
	case SKY_ICMPD_FATE:
		if (filter_passes(&w->opts->filter, &e->fate) &&
		    filter_passes_process(&w->opts->filter, who->pid, who->comm))
			show(w, e, who);
		break;
	case SKY_ICMPD_ADDED:
		owners_here(w->owners);
		break;
	case SKY_ICMPD_LOST:
		notice_lost(w, e->count);
		break;
	case SKY_ICMPD_DOWN:
		notice(w, "down", 0, "icmpd is gone; errors are missed until it is back");
		break;
	case SKY_ICMPD_UP:
		if (e->count > 1)
			notice(w, "up", 0, "icmpd is back");
		break;
	case SKY_ICMPD_DONE:
		w->refused = e->err != 0;
		if (w->refused)
			notice(w, "refused", 0, strerror(-e->err));
		else
			notice(w, "watching", 0, "watching");
		break;
	}
}

/* Processes are looked for once for the whole batch. */
static void
take_batch(struct watch *w)
{
	struct owner_ask ask[LINK_BATCH];

	for (unsigned i = 0; i < w->l->n; i++) {
		const struct sky_icmpd_event *e = &w->l->event[i];
		bool fate = e->kind == SKY_ICMPD_FATE;

		ask[i] = (struct owner_ask){ .inode = fate ? e->owner.inode : 0,
					     .cookie = e->owner.cookie, .fate = &e->fate };
	}
	owners_find(w->owners, ask, w->owner, w->l->n);
	for (unsigned i = 0; i < w->l->n && !ended(w); i++)
		take_event(w, &w->l->event[i], &w->owner[i]);
}

/* icmpd may serve another network namespace than ours; it takes a socket only if its
 * own kernel's lookup finds it. */
static void
probe(struct watch *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	w->probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->probe >= 0 && bind(w->probe, (struct sockaddr *)&a, sizeof(a)) == 0)
		(void)sky_icmpd_add(&w->l->d, w->probe, 0);
}

static int
watch(struct watch *w)
{
	struct sky_icmpd_filter f;
	int r;

	probe(w);
	ask_for(&f, &w->opts->filter);
	r = sky_icmpd_watch(&w->l->d, &f);
	if (r < 0) {
		fprintf(stderr, "icmpctl: cannot watch: %s\n", strerror(-r));
		return 1;
	}
	while (!w->l->sig && !ended(w) && !w->refused && !w->out.failed) {
		link_wait(w->l, -1);
		take_batch(w);
	}
	return w->refused ? 1 : w->bad ? 3 : 0;
}

int
watch_run(const struct opts *opts)
{
	const char *to = opts->json ? opts->json_to ? opts->json_to : "-" : NULL;
	struct watch w = { .opts = opts, .probe = -1 };
	int r, status = 1;

	w.l = link_open(opts);
	if (!w.l)
		return 1;
	r = out_open(&w.out, to && strcmp(to, "-") == 0 ? NULL : stdout, to);
	w.owners = owners_new();
	if (r < 0)
		fprintf(stderr, "icmpctl: cannot write to '%s': %s\n", to, strerror(-r));
	else if (!w.owners)
		fprintf(stderr, "icmpctl: %s\n", strerror(ENOMEM));
	else
		status = watch(&w);
	if (r == 0 && (r = out_close(&w.out)) < 0)
		fprintf(stderr, "icmpctl: cannot write: %s\n", strerror(-r));
	owners_free(w.owners);
	if (w.probe >= 0)
		close(w.probe);
	status = sig_status(w.l->sig, r < 0 ? 1 : status);
	link_close(w.l);
	return status;
}
