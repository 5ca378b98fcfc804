#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A storm of errors, true, bent and about nobody, over icmpd and clients that come,
go, read and do not read. STORM_SECONDS says how long (8; `make soak` 1200). At the
end its memory is what it was after the first part, and nothing is missing: what was
heard was told, dropped and told to be so, or about nobody."""
import os
import random
import select
import time

from kit import icmpd, icmpdbed, packet, tap
from kit.forger import HOME, ROUTER, V4, V6
from kit.icmpdbed import quote

SECONDS = float(os.environ.get("STORM_SECONDS", "8"))
# Sanitizers keep what was freed for a while; theirs is not ours.
SLACK = 65536 if icmpd.SANITIZED else 1024
t = tap.Tap(int(SECONDS) + 60)
icmpdbed.begin()
bed = icmpdbed.Bed("-q", "200k", env={"ASAN_OPTIONS": "quarantine_size_mb=4"})
rnd = random.Random(7)
sent = {V4: 0, V6: 0}


def put(family, quoted):
    bed.put(family, *icmpdbed.PORT_UNREACHABLE[family], quoted)
    sent[family] += 1


def bend(raw):
    raw = bytearray(raw)
    for _ in range(rnd.randrange(1, 4)):
        raw[rnd.randrange(len(raw))] = rnd.randrange(256)
    return bytes(raw[:rnd.randrange(1, len(raw) + 1)])


class Guest:
    """Registers some sockets; reads or not; goes after a while."""

    def __init__(self):
        self.c, self.deaf = bed.d.client(), rnd.random() < 0.3
        self.socks = [bed.socket(rnd.choice((V4, V6))) for _ in range(rnd.randrange(1, 6))]
        for s in self.socks:
            self.c.register(s)
        self.left = rnd.randrange(50, 400)

    def read(self):
        while not self.deaf and select.select([self.c], [], [], 0)[0] and self.c.read():
            self.c.fates.clear()

    def close(self):
        for s in self.socks:
            s.close()
        self.c.close()


def round_of(guests):
    for g in guests:
        s = rnd.choice(g.socks)
        for _ in range(rnd.randrange(1, 8)):
            q = quote(s.family, s.getsockname()[1], dport=rnd.randrange(1, 65535))
            put(s.family, q if rnd.random() < 0.7 else bend(q))
        put(V4, quote(V4, rnd.randrange(1, 30000)))
        g.read()
        g.left -= 1
        if g.left <= 0:
            g.close()
            guests[guests.index(g)] = Guest()


def settle(guests):
    for g in guests:
        g.close()
    guests.clear()
    t.ok(bed.fence(), "it is there")
    return bed.d.kib()


def storm(seconds):
    guests, end = [Guest() for _ in range(12)], time.monotonic() + seconds
    while time.monotonic() < end:
        round_of(guests)
        if not bed.d.alive():
            break
        bed.fence_client.fates.clear()
    return settle(guests)


watcher = bed.d.client()
watcher.watch()
first = storm(SECONDS / 3)
middle = storm(SECONDS / 3)
last = storm(SECONDS / 3)
print("# resident: %d, %d, %d KiB; %d errors" % (first, middle, last, sum(sent.values())))
t.ok(last <= first + SLACK, "its memory is flat", first, middle, last)
c = bed.d.client().ask()
(heard4, heard6, malformed, foreign, no_socket, unregistered, matched, overrun) = (
    c[i] for i in (1, 2, 3, 4, 7, 8, 10, 13))
heard = heard4 + heard6
t.ok(heard + overrun > 0.5 * sum(sent.values()), "most were heard: what quotes another protocol is left to the kernel",
     heard, overrun, sent)
t.same(malformed + foreign + no_socket + unregistered + matched + c[6], heard,
       "each that was heard was told, or about nobody, or made no sense")
watcher.until(lambda: False, 0.5)
t.ok(watcher.fates or watcher.lost, "a watcher who did not read is told what was lost", watcher.lost)
t.same(bed.stop(), 0, "status 0")
t.done()
