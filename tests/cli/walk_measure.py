# SPDX-License-Identifier: BSD-2-Clause
"""The rows about measurement: the test packets that a peer of ours gets, and when."""
import struct
import time

from sockbed import DEADLINE, Peer, sock
from tap import ok
from walk_traffic import ask
from walkbed import Wire, row, server, to_port

NTP = 2208988800


def probe(*args, reply=None):
    """Sends to a peer; returns what it got: (time, data), and the result."""
    got = []

    def keep(data):
        got.append((time.monotonic(), data))
        return reply(data) if reply else None

    peer = Peer("127.0.0.1", 0, keep)
    r = sock("-u", "--measure", "--wait", "0", *args, "127.0.0.1", peer.port)
    ask("127.0.0.1", peer.port, b"the last").close()
    with peer.news:
        peer.news.wait_for(lambda: peer.got[-1][0] == b"the last", DEADLINE)
    return got, r


def tests(got, size=None):
    """Those that are test packets: numbered from 0, with a time of now in NTP format."""
    return [(t, d) for t, d in got if (size is None or len(d) == size) and len(d) >= 44 and
            abs(struct.unpack_from("!I", d, 4)[0] - NTP - time.time()) < 60]


@row("measure")
def check_measure():
    got, r = probe("-n5", "-w100")
    numbers = [struct.unpack_from("!I", d)[0] for _, d in tests(got, 100)]
    ok(numbers[:5] == list(range(numbers[0], numbers[0] + 5)),
       "--measure: RFC 8762, 4.2.1: numbers and times in each datagram", (numbers, r.err))
    p = server("-u", "--measure")
    r = sock("-u", "--measure", "-n5", "127.0.0.1", p.port)
    p.end()
    ok(r.returncode == 0 and "not told by peer" not in r.all, "... the mirror is one that reports", r.all)


@row("one-way")
def check_one_way():
    back = {}
    for args in ((), ("--one-way",)):
        p = server("-u", "--measure")
        with Wire() as w:
            sock("-u", "--measure", "-n5", "-w", 200, *args, "127.0.0.1", p.port)
            sock("-u", "-i", "-n1", "--wait", "0", "127.0.0.1", 10)
            back[args] = len(w.all(lambda q: q.sport == p.port and len(q.payload) == 200, to_port(10)))
        p.end()
    ok(back == {(): 5, ("--one-way",): 0}, "--one-way: nothing is reflected on the wire", back)


@row("size")
def check_size():
    got, r = probe("-n6", "--size", "100..300/100")
    sizes = [len(d) for _, d in tests(got)][:6]
    ok(sizes == [100, 200, 300] * 2, "--size: they take turns on the wire", sizes)


def stamps(got):
    """When each left, by the time in it: the reader may be late."""
    return [a + b / 2**32 for a, b in (struct.unpack_from("!II", d, 4) for _, d in tests(got, 64))]


@row("rate", "burst")
def check_rate():
    took = {}
    for args in (("--rate", "50"), ()):
        start = time.monotonic()
        got, r = probe("-n11", "-w64", *args)
        took[args] = time.monotonic() - start, stamps(got)[10] - stamps(got)[0]
    ok(took[("--rate", "50")][0] > 0.19 > took[()][1], "--rate: ten steps of 20 ms, none without", took)
    for attempt in range(5):	# on a busy machine one pause may shrink: what is late is made up for
        got, r = probe("-n12", "-w64", "--rate", "50", "--burst", "4")
        gaps = [b - a for a, b in zip(stamps(got), stamps(got)[1:12])]
        fine = len(gaps) == 11 and min(gaps[3], gaps[7]) > 0.04 > sorted(gaps)[8]
        if fine:
            break
    ok(fine, "--burst: four at once, then a pause of four", gaps)


@row("duration")
def check_duration():
    start = time.monotonic()
    got, r = probe("-n9999", "-w64", "--rate", "100", "--duration", "300ms")
    took, n = time.monotonic() - start, len(tests(got, 64))
    ok(10 <= n <= 35 and took > 0.29, "--duration: so long, whatever the count", (n, took))


@row("interval")
def check_interval():
    got, r = probe("-n40", "-w64", "--rate", "100", "--interval", "100ms")
    none, s = probe("-n40", "-w64", "--rate", "100")
    more = len(r.err.splitlines()) - len(s.err.splitlines())
    ok(2 <= more <= 6, "--interval: a line each time", r.err)
