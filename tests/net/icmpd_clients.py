#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpd and its clients: none can hurt it, slow another, or be told of what is
not his own."""
import os
import random
import select
import socket
import struct
import time

from kit import icmpd, icmpdbed, tap
from kit.forger import FAR, HOME, V4, V6
from kit.icmpdbed import quote

t = tap.Tap(150)
icmpdbed.begin()
bed = icmpdbed.Bed("-c", "128", "-n", "20000", "-q", "100k")
ROOT = os.geteuid() == 0 and open("/proc/self/uid_map").read().split()[2] != "1"
BAD_MESSAGES = 21


def works(situation):
    """The daemon is there, and a client who did nothing wrong is served at once."""
    start = time.monotonic()
    fine = bed.d.alive() and bed.fence()
    t.ok(fine and time.monotonic() - start < 2, situation + ": others are served",
         "%.1f s" % (time.monotonic() - start), bed.d.said())


def bad_messages():
    s = bed.socket(V4)
    good = icmpd.message(icmpd.ADD, [icmpd.add(0, icmpd.cookie(s), local=icmpd.name_of(s))])
    rnd = random.Random(1)
    cases = [good[:n] for n in range(1, len(good))]
    cases += [good[:i] + bytes([good[i] ^ x]) + good[i + 1:] for i in range(len(good)) for x in (1, 0xFF)]
    cases += [rnd.randbytes(rnd.randrange(1, 12000)) for _ in range(100)]
    cases += [icmpd.message(k, [bytes(n)] * 32) for k in range(0, 14) for n in (0, 3, 200)]
    before = bed.fence_client.ask()[BAD_MESSAGES]
    for greet in (True, False):
        for data in cases:
            c = bed.d.client(greet=greet)
            try:
                c.s.send(data)
                c.s.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            c.close()
    works("%d messages cut and bent at every byte" % (4 * len(cases)))
    after = bed.fence_client.ask()[BAD_MESSAGES]
    t.ok(after - before >= len(good), "and they are counted", before, after)
    c = bed.d.client()
    try:
        c.s.send(bytes(150000))
    except OSError:
        pass
    c.close()
    works("a message of 150000 bytes")
    s.close()


def never_reads():
    """All it was not told is counted, and it is told how much that was."""
    s, c, n = bed.socket(V4), bed.d.client(), 6000
    t.same(c.register(s), "", "a client who will not read registers")
    for i in range(n):
        bed.error(s)
        if i % 100 == 99 and not bed.fence():
            break
    works("a client who does not read, %d errors" % n)
    # Waiting for quiet: what is queued is written as it is read.
    c.until(lambda: len(c.fates) + c.lost >= n)
    t.same(len(c.fates) + c.lost, n, "told and told to be lost: all there were")
    t.ok(c.lost and c.fates, "some of each", len(c.fates), c.lost)
    s.close()
    c.close()


def goes_in_the_middle():
    s = bed.socket(V4)
    for i in range(200):
        c = bed.d.client()
        c.s.send(icmpd.message(icmpd.ADD, [icmpd.add(k, icmpd.cookie(s)) for k in range(32)]))
        if i % 2:
            bed.error(s)
        c.close()
    works("clients who go while they are answered")
    fds = bed.d.fds()
    for _ in range(50):
        bed.d.client(greet=False).close()
    bed.fence_client.ask()
    t.ok(bed.d.fds() <= fds, "and nothing of them stays open", fds, bed.d.fds())
    s.close()


def linger(accept_at):
    """A TCP socket that whoever closes it last waits for."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    s.connect(accept_at.getsockname())
    s.setblocking(False)
    try:
        for _ in range(1000):
            s.send(bytes(65536))
    except BlockingIOError:
        pass
    return s


def passes_descriptors():
    """Nobody is asked for one: what comes is not kept, and holds nobody up."""
    with bed.lab.a:
        full = socket.create_server(("127.0.0.1", 0))
        stuck = linger(full)
    gone = bed.socket(V4)
    port = gone.getsockname()[1]
    files = {"a file": lambda: [os.open("/etc/passwd", os.O_RDONLY)],
             "a pipe": lambda: list(os.pipe()),
             "a socket": lambda: [gone.detach()],
             "a TCP socket that lingers": lambda: [stuck.detach()],
             "itself": None}
    before = bed.d.fds()
    for what, make in files.items():
        c = bed.d.client()
        fds = make() if make else [c.fileno()]
        try:
            socket.send_fds(c.s, [icmpd.message(icmpd.ASK, [struct.pack("!QQ", 1, 0)])], fds)
        except OSError:
            if "lingers" in what:   # Linux 6.16: none can be passed; it would be us who wait
                own = socket.socket(fileno=os.dup(fds[0]))
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                own.close()
        for fd in fds if make else []:
            os.close(fd)
        works("a client who passes " + what)
        c.close()
    again = bed.socket(V4, port=port)
    t.ok(True, "the port of a socket that was passed is free again")
    again.close()
    for _ in range(4):
        c = bed.d.client()
        fds = [os.dup(0) for _ in range(250)]
        try:
            for _ in range(4):
                socket.send_fds(c.s, [b"x"], fds)
        except OSError:
            pass
        for fd in fds:
            os.close(fd)
        c.close()
    works("a client who passes 1000 descriptors, four times")
    bed.fence_client.ask()
    t.ok(bed.d.fds() <= before, "none of them is kept", before, bed.d.fds())
    full.close()


def others_sockets():
    c, s = bed.d.client(), bed.socket(V4)
    ck, name = icmpd.cookie(s), icmpd.name_of(s)
    c.register(s, ck=ck ^ 1)
    t.same(len(bed.after(c, lambda: bed.error(s))), 0, "a wrong cookie with a right address is told nothing")
    s.close()
    verdict = c.register(bed.fence_sock, ck=ck, local=name)
    t.ok(verdict, "a socket that is closed is refused", verdict)
    far = bed.lab.r.socket(V4, socket.SOCK_DGRAM)
    far.bind(("0.0.0.0", 0))
    verdict = c.register(far)
    port = far.getsockname()[1]
    got = bed.after(c, lambda: bed.put(V4, 3, 3, quote(V4, port)))
    t.same(len(got), 0, "a socket of another namespace is told nothing (%s)" % (verdict or "taken"))
    mine = bed.socket(V4, port=port)
    got = bed.after(c, lambda: bed.error(mine))
    t.same(len(got), 0, "nor of the socket here that has its port")
    for x in (far, mine):
        x.close()
    c.close()


def group():
    """SO_REUSEPORT: every member of that user learns; its own ring says whose it was."""
    c, members = bed.d.client(), []
    for i in range(3):
        s = bed.lab.a.socket(V4, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, icmpd.SO_REUSEPORT, 1)
        s.bind((HOME[V4], members[0].getsockname()[1] if members else 0))
        members.append(s)
        t.same(c.register(s, flags=1), "", "member %d of a group is taken" % i)
    got = bed.after(c, lambda: bed.error(members[0]))
    t.same(sorted(f.id for f in got), [0, 1, 2], "an error about the group reaches each member, once")
    for s in members:
        s.close()
    c.close()


def users():
    if not ROOT:
        for what in ("another user's socket", "two users on one port", "what a user may watch"):
            t.skip(what, "needs root: two users")
        return
    root_sock = bed.socket(V4)
    c = bed.d.client(uid=65534)
    t.same(c.register(root_sock), "EACCES", "another user's address and cookie: refused")
    got = bed.after(c, lambda: bed.error(root_sock))
    t.same(len(got), 0, "and nothing is told of it")

    def shared(uid=0):
        s = bed.socket_of(uid)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return s
    mine, his = shared(), shared(65534)
    mine.bind((HOME[V4], 0))
    icmpd.as_user(65534, lambda: his.bind(mine.getsockname()))
    a, b = bed.d.client(), c
    verdicts = a.register(mine), b.register(his)
    na, nb = len(a.fates), len(b.fates)
    for _ in range(20):
        bed.error(his)
    bed.fence()
    a.ask(), b.ask()
    told = len(a.fates) - na, len(b.fates) - nb
    t.ok(told in ((20, 0), (0, 20)), "two users on one port: one is told, whom the kernel's lookup names",
         verdicts, told)
    his.close()
    t.same(len(bed.after(b, lambda: bed.error(mine))), 0, "after he closed he is told nothing")
    w = bed.d.client(uid=65534)
    t.same(w.watch(), 0, "a user may watch")
    own = bed.socket_of(65534)
    own.bind((HOME[V4], 0))
    got = bed.after(w, lambda: (bed.error(root_sock), bed.error(own)))
    t.same([(f.src[1], f.uid) for f in got], [(own.getsockname()[1], 65534)],
           "and sees errors about his own sockets alone")
    r = bed.d.client()
    r.watch()
    got = bed.after(r, lambda: (bed.error(root_sock), bed.error(own)))
    t.ok({f.uid for f in got} == {0, 65534}, "root sees all", [(f.src, f.uid) for f in got])
    for x in (a, b, w, r, own, mine, root_sock):
        x.close()


def limits():
    """A user has an eighth of the places, so others always find one; root all."""
    some = []
    for _ in range(200):
        some.append(bed.d.client(greet=False, uid=65534 if ROOT else None))
    works("a user who connects 200 times")
    refused = [c for c in some if select.select([c.s], [], [], 0)[0] and not c.s.recv(9000)[1:2] == b""]
    t.ok(len(refused) >= (200 - 16 if ROOT else 200 - 128), "most are turned away, and told so", len(refused))
    for c in some:
        c.close()
    works("when he has gone")
    c, s = bed.d.client(), bed.socket(V4)
    c.s.settimeout(20)
    ck, name = icmpd.cookie(s), icmpd.name_of(s)
    verdicts = set()
    for at in range(0, 24000, 32):
        c.s.send(icmpd.message(icmpd.ADD, [icmpd.add(k, ck, local=name) for k in range(at, at + 32)]))
        while select.select([c.s], [], [], 0)[0] and c.read():
            pass
    c.until(lambda: len(c.results) >= 24000, 20)
    verdicts = set(c.results.values())
    t.ok(len(c.results) == 24000 or c.gone, "24000 registrations are each answered",
         len(c.results), verdicts)
    works("a client who registers one socket 24000 times")
    c.close()
    s.close()


bad_messages()
never_reads()
goes_in_the_middle()
passes_descriptors()
others_sockets()
group()
users()
limits()
t.same(bed.stop(), 0, "it ends with status 0")
t.done()
