#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
"""icmpctl run: programs that know nothing of sockeye, first without it, then with.

The kernel's own counters and the peers' sockets say what was really sent; what the
programs print is what their calls returned.
"""
import os
import resource
import select
import shutil
import socket
import struct
import subprocess
import sys
import time

from kit import netns
from kit.path import B, V4, V6, Path

sys.path.insert(0, os.path.join(os.environ["SOCKEYE_SRC"], "tests"))
import tap  # noqa: E402

BUILD = os.environ["SOCKEYE_BUILD"]
ICMPCTL = os.path.join(BUILD, "prog/icmpctl/icmpctl")
CLIENT = os.path.join(BUILD, "tests/net/preload-client")
UV = os.path.join(BUILD, "tests/net/preload-uv")
WITH = [ICMPCTL, "run"]
LOG = [ICMPCTL, "run", "-D", "log"]
FEW = 64 * 50 // 64  # for the dead, of what batch and direct send


class Ran:
    """A command on host a: its words, status, wall time and processor time."""

    def __init__(self, ns, argv, stdin=b"", timeout=30):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        with ns:
            r = subprocess.run(argv, input=stdin, capture_output=True, timeout=timeout,
                               env=dict(os.environ, PYTHONWARNINGS="ignore"))
        self.took = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.status = r.returncode
        self.out, self.err = r.stdout.decode(), r.stderr.decode()
        self.words = self.out.split()
        self.seen = "%.3f s, status %d\n%s%s" % (self.took, self.status, self.out, self.err)


def closed(ns, family=V4):
    with ns.socket(family, socket.SOCK_DGRAM) as s:
        s.bind(("", 0))
        return str(s.getsockname()[1])


def python(text):
    return [sys.executable, "-c", text]


def same(situation, ran, words):
    tap.ok(ran.words == words and ran.status == 0, "%s: %s" % (situation, " ".join(words)),
           ran.seen)


# way: words without, with, only told; the number of lines that are told
ALONE = {
    "poll": (["silence"], ["ECONNREFUSED"], ["silence"], 1),
    "select": (["silence"], ["ECONNREFUSED"], ["silence"], 1),
    "block": (["EAGAIN"] * 3, ["ECONNREFUSED", "ECONNREFUSED", "EAGAIN"], ["EAGAIN"] * 3, 2),
    "read": (["ECONNREFUSED"], ["ECONNREFUSED"], ["ECONNREFUSED"], 1),
    "mute": (["data", "ECONNREFUSED", "data"], ["data", "ECONNREFUSED", "data"],
             ["data", "ECONNREFUSED", "data"], 2),
    "edge": (["silence"] * 3, ["ECONNREFUSED"] * 3, ["silence"] * 3, 3),
    "deaf": (["woken-0"], ["woken-0"], ["woken-0"], 1),
    "full": (["woken-0"],) * 3 + (0,),
    "threads": (["EAGAIN", "after-0"], ["ECONNREFUSED", "after-49"], ["EAGAIN", "after-0"], 2),
    "fork": (["EAGAIN"], ["ECONNREFUSED"], ["EAGAIN"], 2),
    "exec": (["ECONNREFUSED"], ["ECONNREFUSED"], ["ECONNREFUSED"], 1),
    "own": (["hidden-0", "data", "EAGAIN"],) * 3 + (0,),
    "soerror": (["none", "quiet"], ["ECONNREFUSED", "quiet"], ["none", "quiet"], 1),
    "signal": (["EINTR"],) * 3 + (0,),
}
TITLES = {
    "poll": "poll and recv", "select": "select and recvfrom", "block": "blocking recv of a copy",
    "read": "a connected socket by read and write", "edge": "edge-triggered epoll",
    "mute": "a connected socket that only sends", "deaf": "epoll that waits for nothing",
    "full": "a full receive buffer and poll for other things",
    "threads": "a thread sends twice while another is blocked in recv",
    "fork": "a child is blocked in recv while its parent sends twice",
    "exec": "a socket handed to the next program", "own": "a program with its own error queue",
    "soerror": "SO_ERROR", "signal": "a signal without SA_RESTART",
}


def test_ways(path):
    for way, (without, seen, told, lines) in ALONE.items():
        argv = [CLIENT, way, B[V4], closed(path.b)]
        same(TITLES[way] + ", alone", Ran(path.a, argv), without)
        same(TITLES[way] + ", with", Ran(path.a, WITH + argv), seen)
        ran = Ran(path.a, LOG + argv)
        same(TITLES[way] + ", told only", ran, told)
        tap.ok(ran.err.count("refused, port unreachable, says " + B[V4]) == lines,
               TITLES[way] + ": %d lines are told" % lines, ran.seen)


def test_calls(path):
    for name in ("preload-calls", "preload-checked"):
        argv = [os.path.join(BUILD, "tests/net", name), B[V4], closed(path.b)]
        for how, run, word in (("alone", [], "silence"), ("with", WITH, "ECONNREFUSED"),
                               ("told only", LOG, "silence")):
            ran = Ran(path.a, run + argv)
            tap.ok(len(ran.words) == 42 and set(ran.words[1::2]) == {word} and ran.status == 0,
                   "%s, %s: 21 ways to wait and receive: %s" % (name, how, word), ran.seen)
        tap.ok(ran.err.count("refused") == 21, name + ": each is told", ran.seen)


def test_six(path):
    for way in ("poll", "block", "edge", "threads"):
        ran = Ran(path.a, WITH + [CLIENT, way, B[V6], closed(path.b, V6)])
        same("IPv6, " + TITLES[way], ran, ALONE[way][1])
    text = ("import socket\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
            "s.settimeout(1)\nfor a in ('::ffff:%s', '%s'):\n"
            " s.sendto(b'x', (a, 9))\n try: s.recv(9)\n"
            " except OSError as e: print(e.strerror.split()[-1])\n" % (B[V4], B[V6]))
    same("one socket of both families, alone", Ran(path.a, python(
        text.replace("(1)", "(.2)").replace("e.strerror.split()[-1]", "e"))), ["timed", "out"] * 2)
    same("one socket of both families, with", Ran(path.a, WITH + python(text)), ["refused"] * 2)


PYTHON = """import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
%s
s.settimeout(%s)
began = time.monotonic()
s.sendto(b'x', ('%s', %s))
try: print(s.recv(99))
except OSError as e: print(type(e).__name__, e.errno)
print(time.monotonic() - began, file=__import__('sys').stderr)
"""


def test_python(path):
    dead = closed(path.b)
    ran = Ran(path.a, python(PYTHON % ("", 1, B[V4], dead)))
    same("an unconnected Python client of a dead server, alone", ran, ["TimeoutError", "None"])
    ran = Ran(path.a, WITH + python(PYTHON % ("", 10, B[V4], dead)))
    same("an unconnected Python client of a dead server, with", ran,
         ["ConnectionRefusedError", "111"])
    tap.ok(float(ran.err) < 0.3, "and at once", ran.seen)
    ttl = "s.setsockopt(0, socket.IP_TTL, 1); s.connect(('%s', %s))" % (B[V4], dead)
    text = PYTHON.replace("sendto(b'x', ('%s', %s))", "send(b'x')#%s %s")
    ran = Ran(path.a, python(text % (ttl, 1, "", "")))
    same("TTL 1 on a connected socket, alone", ran, ["TimeoutError", "None"])
    ran = Ran(path.a, WITH + python(text % (ttl, 10, "", "")))
    same("TTL 1 on a connected socket, with", ran, ["OSError", "113"])
    tap.ok(float(ran.err) < 0.3, "and at once", ran.seen)
    wide = PYTHON.replace("b'x'", "b'x' * 1400")
    ran = Ran(path.a, python(wide % ("", 1, B[V4], dead)))
    same("a datagram too big for the path, alone", ran, ["TimeoutError", "None"])


def test_too_big():
    """A path whose MTU nobody knows yet: fresh for each run."""
    wide = PYTHON.replace("b'x'", "b'x' * 1400")
    ran = Ran(Path().a, WITH + python(wide % ("", 10, B[V4], "9")))
    same("a datagram too big for the path, with", ran, ["OSError", "90"])
    path = Path()
    for argv, words in (([], ["EMSGSIZE", "quiet", "EAGAIN"]),
                        (WITH, ["EMSGSIZE", "quiet", "EAGAIN"])):
        same("longer than the interface takes, %s" % ("with" if argv else "alone"),
             Ran(path.a, argv + [CLIENT, "long", B[V4], "9"]), words)


def taken(server):
    """Datagrams that came, also those for which there was no room."""
    n = struct.unpack("9I", server.getsockopt(socket.SOL_SOCKET, 55, 36))[8]  # SO_MEMINFO
    while select.select([server], [], [], 0)[0]:
        server.recv(2000)
        n += 1
    return n


def test_living(path):
    """Nothing that is sent to one who lives is lost for one who is dead."""
    dead = closed(path.b)
    for way, all_of in (("turns", 500), ("batch", 3200), ("direct", 3200)):
        for name, argv in (("alone", []), ("with", WITH), ("told only", LOG)):
            server = path.server(V4)
            there = [B[V4], str(server.getsockname()[1]), B[V4], dead]
            ran = Ran(path.a, argv + [CLIENT, way] + there)
            got = taken(server)
            wanted = all_of // 2 if way == "turns" else all_of - FEW
            tap.ok(got == wanted and ran.status == 0 and
                   ran.words == ([] if way == "turns" else [str(all_of)]),
                   "one dead and one living peer by %s, %s: all %d arrive" % (way, name, wanted),
                   "%d arrived\n%s" % (got, ran.seen[:300]))
    with path.b:
        echo = subprocess.Popen(python(
            "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "s.bind(('%s', 7007))\nprint(flush=True)\nd, f = s.recvfrom(9)\ns.sendto(d, f)"
            % B[V4]), stdout=subprocess.PIPE)
    echo.stdout.readline()
    ran = Ran(path.a, WITH + [CLIENT, "storm", B[V4], "7007", B[V4], dead])
    same("300 errors that nobody takes leave room for an answer", ran,
         ["data", "1", "errors", "some"])
    echo.kill()
    echo.wait()


ASYNCIO = """import asyncio, time, socket
class P(asyncio.DatagramProtocol):
    def connection_made(self, t):
        for i in range(20): t.sendto(b'x', ('%s', %s))
    def error_received(self, e): told.append(time.process_time())
told = []
async def main():
    loop = asyncio.get_running_loop()
    t, p = await loop.create_datagram_endpoint(P, family=socket.AF_INET)
    began = time.process_time()
    await asyncio.sleep(1)
    print(len(told), time.process_time() - began)
asyncio.run(main())
"""


def test_asyncio(path):
    text = ASYNCIO % (B[V4], closed(path.b))
    ran = Ran(path.a, python(text))
    tap.ok(ran.words[:1] == ["0"], "an asyncio client, alone: is told nothing", ran.seen)
    ran = Ran(path.a, WITH + python(text))
    tap.ok(ran.words[:1] == ["20"], "an asyncio client, with: is told of all 20", ran.seen)
    tap.ok(float(ran.words[1]) < 0.05, "and uses less than 5 % of a processor in that second",
           ran.seen)
    print("# asyncio: %s s of processor time in the second after" % ran.words[1])


def test_uv(path):
    if not os.path.exists(UV):
        tap.skip("a client of libuv", "built without libuv")
        return
    argv = [UV, B[V4], closed(path.b)]
    same("a client of libuv, alone", Ran(path.a, argv), ["silence"])
    same("a client of libuv, with", Ran(path.a, WITH + argv), ["ECONNREFUSED"])
    same("a client of libuv, told only", Ran(path.a, LOG + argv), ["silence"])


def test_nc(path):
    """Its peer is a router's end: host unreachable is what a connected socket
    does not see of itself."""
    if not shutil.which("nc"):
        tap.skip("nc -u", "no nc")
        return
    path.r.ip("route add unreachable 10.8.9.0/24")
    argv = ["nc", "-u", "-w", "3", "10.8.9.1", "9"]
    ran = Ran(path.a, argv, b"x\n")
    tap.ok(ran.took >= 3, "nc -u behind a router without a way on, alone: waits", ran.seen)
    ran = Ran(path.a, WITH + argv, b"x\n")
    tap.ok(ran.took < 1, "nc -u, with: ends at once", ran.seen)


def test_socat(path):
    if not shutil.which("socat"):
        tap.skip("socat", "no socat")
        return
    argv = ["socat", "-d", "-d", "-T3", "-t3", "-", "UDP4-SENDTO:%s:%s" % (B[V4], closed(path.b))]
    ran = Ran(path.a, argv, b"x\n")
    tap.ok(ran.took >= 3 and "refused" not in ran.err, "socat to a dead server, alone: waits", ran.seen)
    ran = Ran(path.a, WITH + argv, b"x\n")
    tap.ok(ran.took < 1 and "Connection refused" in ran.err,
           "socat to a dead server, with: is refused at once", ran.seen)


def test_dig():
    """A router with an unreachable route limits its errors for each host: each run
    has a network of its own."""
    if not shutil.which("dig"):
        tap.skip("dig", "no dig")
        return
    argv = ["dig", "+time=2", "+tries=2", "@10.55.0.1", "example.net"]
    took = []
    for run in ([], WITH):
        path = Path()
        path.r.ip("route add unreachable 10.55.0.0/16")
        took.append(Ran(path.a, run + argv))
    tap.ok(took[0].took >= 4, "dig through a router with an unreachable route, alone: 4 s",
           took[0].seen)
    tap.ok(took[1].took < 0.3 and "host unreachable" in took[1].out,
           "dig, with: under 300 ms, and says why", took[1].seen)
    print("# dig: %.3f s alone, %.3f s with" % (took[0].took, took[1].took))


def main():
    if not os.path.exists(os.path.join(BUILD, "prog/preload/libsockeye-preload.so")):
        tap.skip_all("built without the preload library")
    netns.isolate(pin=False)
    test_dig()
    path = Path()
    for test in (test_ways, test_calls, test_six, test_python, test_living, test_asyncio, test_uv, test_nc,
                 test_socat):
        test(path)
    test_too_big()
    tap.done()


main()
