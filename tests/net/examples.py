#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The examples, run against real peers, one of them dead."""
import glob
import os
import select
import signal
import socket
import subprocess

from kit import netns, sky, tap

SRC = os.environ.get("SOCKEYE_SRC", ".")
BUILT = os.path.join(sky.BUILD, "examples")
HOST = "127.0.0.1"


def free_port():
    with udp() as s:
        return s.getsockname()[1]


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((HOST, 0))
    return s


def start(argv):
    env = dict(os.environ, LD_LIBRARY_PATH=os.path.join(sky.BUILD, "lib"), PYTHONUNBUFFERED="1")
    p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env,
                         stderr=subprocess.STDOUT)
    p.lines = []
    return p


def end(p):
    p.kill()
    p.communicate(timeout=5)


def echo_of(s, data, to, tries=1, seconds=3):
    for _ in range(tries):
        s.sendto(data, to)
        if select.select([s], [], [], seconds)[0]:
            try:
                return s.recvfrom(2000)
            except ConnectionError:
                pass
    return None


def line_of(p, wanted, seconds=5):
    """The next line that holds all that is wanted; None when none comes."""
    for _ in range(100):
        while p.lines:
            line = p.lines.pop(0).decode()
            if all(w in line for w in wanted):
                return line
        if not select.select([p.stdout], [], [], seconds)[0]:
            return None
        data = os.read(p.stdout.fileno(), 65536)
        if not data:
            return None
        p.lines += data.splitlines()
    return None


def check_echo(t, name, argv, names_peer):
    port = int(argv[-1].rsplit(":")[-1])
    to = (HOST, port)
    p, live, dead = start(argv), udp(), udp()
    t.same(echo_of(live, b"hello", to, 100, 0.05), (b"hello", to), name + ": a peer is answered")
    while select.select([live], [], [], 0)[0]:
        live.recv(100)
    t.same(echo_of(live, b"", to), (b"", to), name + ": an empty datagram is answered")
    gone = dead.getsockname()[1]
    p.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, p.pid, os.WSTOPPED)
    for s, data in ((dead, b"1"), (live, b"2"), (dead, b"3"), (live, b"4")):
        s.sendto(data, to)
    dead.close()
    p.send_signal(signal.SIGCONT)
    got = [live.recv(100) for _ in range(2) if select.select([live], [], [], 3)[0]]
    t.same(got, [b"2", b"4"], name + ": two peers, one dead: the other is answered")
    wanted = ["refused"] + ([str(gone)] if names_peer else [])
    lines = [line_of(p, wanted) for _ in range(2)]
    t.ok(all(lines), name + ": the dead one is told, twice", lines)
    check_socat(t, name, to)
    t.ok(p.poll() is None, name + ": still running")
    end(p)
    live.close()


def check_socat(t, name, to):
    try:
        r = subprocess.run(["socat", "-t", "1", "-", "UDP4:%s:%d,shut-none" % to],
                           input="by socat\n", capture_output=True, text=True, timeout=8)
    except FileNotFoundError:
        t.skip(name + ": socat is answered", "no socat")
        return
    t.same(r.stdout, "by socat\n", name + ": socat is answered")


def check_adopt(t):
    first, last = udp(), udp()
    here, dead = free_port(), free_port()
    argv = [os.path.join(BUILT, "adopt"), "%s:%d" % (HOST, here)]
    argv += ["%s:%d" % (HOST, n) for n in (first.getsockname()[1], dead, last.getsockname()[1])]
    p = start(argv)
    got = ([], [])
    for k in range(10):
        p.stdin.write(b"line %d\n" % k)
        p.stdin.flush()
        for s, mine in ((first, got[0]), (last, got[1])):
            if select.select([s], [], [], 5)[0]:
                mine.append(s.recv(100).decode())
    want = ["line %d\n" % k for k in range(10)]
    t.same(got, (want, want), "adopt: every line reaches both peers beside a dead one")
    first.sendto(b"back\n", (HOST, here))
    lines = [line_of(p, ["port %d" % dead, "refused"]) for _ in range(10)]
    t.ok(all(lines), "adopt: ten lines about the dead one", lines)
    p.stdin.close()
    p.stdin = None
    t.ok(p.wait(5) == 0, "adopt: ends when its input does")
    p.communicate()


def check_request(t):
    live, dead, mute = udp(), free_port(), udp()
    ports = [live.getsockname()[1], dead, mute.getsockname()[1]]
    p = start([os.path.join(BUILT, "request")] + ["%s:%d" % (HOST, n) for n in ports])
    data, sender = live.recvfrom(100)
    live.sendto(data, sender)
    copies = [mute.recv(100) for _ in range(3) if select.select([mute], [], [], 8)[0]]
    t.ok(len(copies) == 3 and len({c[8:16] for c in copies}) == 1, "request: three tries, one id", copies)
    out = p.communicate(timeout=15)[0].decode()
    for n, word in zip(ports, ("answered", "refused", "silent")):
        t.ok(any(":%d: %s" % (n, word) in line for line in out.splitlines()),
             "request: one of the three is " + word, out)


def check_length(t):
    for path in sorted(glob.glob(os.path.join(SRC, "examples", "*.[cp]*"))):
        with open(path, encoding="utf-8") as f:
            n = len(f.readlines())
        t.ok(n < 60, "%s: %d lines, under 60" % (os.path.basename(path), n))


def main():
    netns.isolate(pin=False)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    t = tap.Tap(60)
    check_length(t)
    for name in ("epoll", "uv"):
        program = os.path.join(BUILT, name)
        if os.access(program, os.X_OK):
            check_echo(t, name, [program, "%s:%d" % (HOST, free_port())], True)
        else:
            t.skip(name, "not built")
    script = os.path.join(SRC, "examples", "echo.py")
    check_echo(t, "ctypes", ["python3", script, HOST, str(free_port())], False)
    check_adopt(t)
    check_request(t)
    t.done()


if __name__ == "__main__":
    main()
