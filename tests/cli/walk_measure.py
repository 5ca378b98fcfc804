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


@row("rate", "burst")
def check_rate():
    got, r = probe("-n11", "-w64", "--rate", "50")
    times = [t for t, d in tests(got, 64)][:11]
    ok(len(times) == 11 and 0.18 < times[-1] - times[0] < 0.4, "--rate: ten steps of 20 ms", times)
    got, r = probe("-n12", "-w64", "--rate", "50", "--burst", "4")
    times = [t for t, d in tests(got, 64)][:12]
    gaps = [b - a for a, b in zip(times, times[1:])]
    ok(len(gaps) == 11 and min(gaps[3], gaps[7]) > 0.04 and sorted(gaps)[8] < 0.03,
       "--burst: four at once, then a pause of four", gaps)


@row("duration")
def check_duration():
    start = time.monotonic()
    got, r = probe("-n9999", "-w64", "--rate", "100", "--duration", "300ms")
    took, n = time.monotonic() - start, len(tests(got, 64))
    ok(25 <= n <= 35 and took > 0.29, "--duration: so long, whatever the count", (n, took))


@row("interval")
def check_interval():
    got, r = probe("-n40", "-w64", "--rate", "100", "--interval", "100ms")
    none, s = probe("-n40", "-w64", "--rate", "100")
    more = len(r.err.splitlines()) - len(s.err.splitlines())
    ok(3 <= more <= 6, "--interval: a line each time", r.err)
