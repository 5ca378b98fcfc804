#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpctl run beside icmpd: what the error queue never shows, to programs that know
of neither; and the same programs where icmpd does not run."""
import os
import subprocess
import sys
import time

from kit import netns
from kit.forger import FAR, V4
from kit.icmpdbed import Bed, begin, quote

sys.path.insert(0, os.path.join(os.environ["SOCKEYE_SRC"], "tests"))
import tap  # noqa: E402

BUILD = os.environ["SOCKEYE_BUILD"]
ICMPCTL = os.path.join(BUILD, "prog/icmpctl/icmpctl")
CLIENT = os.path.join(BUILD, "tests/net/preload-client")
QUENCH, REASSEMBLY, REFUSED = (4, 0), (11, 1), (3, 3)
LONG, SHORT = "10000", "300"


class Program:
    """An unchanged program on the bed's host; its datagrams are answered by hand."""

    def __init__(self, bed, argv, path, wait=LONG, deliver="errno"):
        run = [ICMPCTL, "-s", path, "run", "-D", deliver] if path else []
        with bed.lab.a:
            self.p = subprocess.Popen(run + argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, env=dict(os.environ, WAIT=wait))
        self.bed = bed

    def answer(self, family, port, kind, fence=True):
        """An error about its next datagram to this port, when icmpd knows the socket."""
        d = self.bed.lab.wire.catch(family, port, 10)
        if fence:
            self.bed.fence()
        self.bed.put(family, *kind, d.packet)
        return d

    def words(self):
        self.out, self.err = self.p.communicate(timeout=30)
        return self.out.split()


def client(bed, way, path, *ends, **how):
    return Program(bed, [CLIENT, way] + [str(x) for end in ends for x in end], path, **how)


def ask(bed, situation, way, kind, wanted, path, times=1, deliver="errno", lines=None):
    family, port = V4, bed.lab.next(V4)[1]
    alone = wanted[0] in ("silence", "EAGAIN")
    p = client(bed, way, path, (FAR[family], port), wait=SHORT if alone else LONG,
               deliver=deliver)
    for _ in range(times):
        p.answer(family, port, kind)
    got = p.words()
    tap.ok(got == wanted and p.p.returncode == 0, "%s: %s" % (situation, " ".join(wanted)),
           "%s\n%s" % (got, p.err))
    if lines is not None:
        tap.ok(p.err.count("\n") == 1 and lines in p.err, situation + ": one line", p.err)


WAYS = (("poll", 1), ("select", 1), ("once", 1), ("edge", 3))


def test_hidden(bed):
    there, nowhere = bed.d.path, "/nonexistent/socket"
    for name, kind, word in (("source quench", QUENCH, "EREMOTEIO"),
                             ("reassembly time-out", REASSEMBLY, "EHOSTUNREACH")):
        ask(bed, name + ", alone", "poll", kind, ["silence"], None)
        ask(bed, name + ", icmpd not there", "poll", kind, ["silence"], nowhere)
        for way, times in WAYS:
            ask(bed, name + " by " + way, way, kind, [word] * times, there, times)
    ask(bed, "source quench, told only", "poll", QUENCH, ["silence"], there, deliver="log",
        lines="quenched")
    ask(bed, "refused, icmpd not there", "poll", REFUSED, ["ECONNREFUSED"], nowhere)
    ask(bed, "refused, icmpd there", "poll", REFUSED, ["ECONNREFUSED"], there)
    ask(bed, "refused, told once by two reporters", "poll", REFUSED, ["silence"], there,
        deliver="log", lines="refused")


def pair(bed, path, wait=LONG):
    ends = [(FAR[V4], bed.lab.next(V4)[1]) for _ in range(2)]
    p = client(bed, "pair", path, *ends, wait=wait)
    for _, port in ends:
        p.answer(V4, port, REFUSED)
    return p.words(), p.err


def test_pair(bed):
    """The kernel gives the error to whom the hash names: over some runs, to the
    wrong one at least once, in one of four for each of two."""
    wanted = ["sender-ECONNREFUSED"] * 2
    runs = [pair(bed, bed.d.path) for _ in range(8)]
    tap.ok(all(got == wanted for got, _ in runs),
           "two sockets share a port, icmpd there: each learns what became of its own", runs)
    runs = [pair(bed, "/nonexistent/socket", SHORT)[0] for _ in range(8)]
    wrong = [w for got in runs for w in got if w == "other-ECONNREFUSED"]
    tap.ok(not wrong, "icmpd not there: never the other one's", runs)
    print("# without icmpd %d of 16 learnt it" % sum(got.count(wanted[0]) for got in runs))


def test_closer(bed):
    p = client(bed, "closer", bed.d.path, (FAR[V4], bed.lab.next(V4)[1]))
    bed.lab.wire.catch(V4, bed.lab.port, 10)
    p.answer(V4, bed.lab.port, QUENCH)
    got = p.words()
    tap.ok(got == ["EREMOTEIO"], "a program that closes all descriptors goes on", (got, p.err))


ASYNCIO = """import asyncio, socket, sys, time
class P(asyncio.DatagramProtocol):
    def connection_made(self, t): t.sendto(b'x', ('%s', %d)); self.t = t
    def error_received(self, e):
        print(e.errno, flush=True); done.set_result(0)
async def main():
    global done
    done = asyncio.get_running_loop().create_future()
    await asyncio.get_running_loop().create_datagram_endpoint(P, family=socket.AF_INET)
    await asyncio.wait_for(done, 10)
    began = time.process_time()
    await asyncio.sleep(1)
    print(time.process_time() - began)
asyncio.run(main())
"""


def test_asyncio(bed):
    text = ASYNCIO % (FAR[V4], bed.lab.next(V4)[1])
    p = Program(bed, [sys.executable, "-c", text], bed.d.path)
    p.answer(V4, bed.lab.port, QUENCH)
    got = p.words()
    tap.ok(got[:1] == ["121"] and float(got[1]) < 0.05,
           "an asyncio client is told of a source quench, and uses less than 5 % after it",
           (got, p.err))


def test_restart(bed):
    """The program sleeps while icmpd is killed and comes back."""
    text = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "s.settimeout(20)\nfor i in range(2):\n s.sendto(b'x', ('%s', %d))\n"
            " try: s.recv(9)\n except OSError as e: print(e.errno, flush=True)\n sys.stdin.readline()\n"
            % (FAR[V4], bed.lab.next(V4)[1]))
    with bed.lab.a:
        p = subprocess.Popen([ICMPCTL, "-s", bed.d.path, "run", sys.executable, "-c", text],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    d = bed.lab.wire.catch(V4, bed.lab.port, 10)
    bed.fence()
    bed.put(V4, *QUENCH, d.packet)
    first = p.stdout.readline()
    bed.d.end(9)
    bed.fence_client.close()
    p.stdin.write("\n")
    p.stdin.flush()
    d = bed.lab.wire.catch(V4, bed.lab.port, 10)
    bed.d.start()
    bed.begin_fence()
    second, end = "", time.monotonic() + 15
    while not second and time.monotonic() < end:    # when it is registered again
        bed.fence()
        bed.put(V4, *QUENCH, d.packet)
        if netns.select.select([p.stdout], [], [], 0.1)[0]:
            second = p.stdout.readline()
    p.kill()
    p.wait()
    tap.ok((first, second) == ("121\n", "121\n"),
           "icmpd is killed and comes back while a program sleeps: it is told again",
           (first, second))


def test_forged(bed):
    """Ports match, but nothing was ever sent there."""
    for way in ("poll", "once"):
        port = bed.lab.next(V4)[1]
        p = client(bed, way, bed.d.path, (FAR[V4], port), wait=SHORT)
        d = bed.lab.wire.catch(V4, port, 10)
        bed.put(V4, 3, 3, quote(V4, d.sport, port, dst="10.77.0.66"))
        got = p.words()
        tap.ok(got == ["silence" if way == "poll" else "EAGAIN"],
               "an error that quotes what was never sent is not believed, by " + way,
               (got, p.err))


def main():
    if not os.path.exists(os.path.join(BUILD, "prog/preload/libsockeye-preload.so")):
        tap.skip_all("built without the preload library")
    begin()
    bed = Bed()
    for test in (test_hidden, test_pair, test_closer, test_asyncio, test_forged, test_restart):
        test(bed)
    tap.ok(bed.d.alive(), "icmpd is alive", bed.d.said())
    bed.stop()
    tap.done()


main()
