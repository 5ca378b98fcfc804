# SPDX-License-Identifier: BSD-2-Clause
"""The rows about connections: segments on the wire, calls and their order, what
the other end reads and when."""
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import sockbed
from sockbed import DEADLINE, SOCK, Live, closed, sock
from tap import ok, skip
from walkbed import Wire, free_port, row, server, sockets, to_port

URG, RST, SYN = 32, 4, 2


def listener(backlog=5, address="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    s.bind((address, 0))
    s.listen(backlog)
    s.settimeout(DEADLINE)
    return s, s.getsockname()[1]


def talk(*args):
    """A sock that is a client of ours: itself, and our end."""
    s, port = listener()
    p = Live(*args, "127.0.0.1", port)
    c = s.accept()[0]
    c.settimeout(DEADLINE)
    s.close()
    return p, c


def connect(port, address="127.0.0.1"):
    s = socket.create_connection((address, port), timeout=DEADLINE)
    return s


def all_of(c):
    data = b""
    while more := c.recv(65536):
        data += more
    return data


@row("all")
def check_all():
    p = server("--all")
    for n in range(3):
        c = connect(p.port)
        c.sendall(b"connection %d\n" % n)
        ok(p.await_text("connection %d\n" % n), "--all: connection %d is served" % n, p.err)
        c.close()
    ok(p.p.poll() is None, "... and it goes on")
    p.end()
    p = server()
    connect(p.port).close()
    ok(p.end(None) == 0, "... without it one is enough", p.err)


@row("crlf")
def check_crlf():
    p, c = talk("-c")
    p.type(b"one\ntwo\n")
    p.p.stdin.close()
    got = all_of(c)
    ok(got == b"one\r\ntwo\r\n", "--crlf: on the wire a newline is CR LF", got)
    c.close()
    p.end(None)
    p, c = talk("-c")
    c.sendall(b"a\r\nb\r\n")
    c.close()
    p.end(None)
    ok(p.out == "a\nb\n", "... and CR does not come in", p.out)


@row("half-close")
def check_half_close():
    for args, want in ((("-h",), "the answer\n"), ((), "")):
        p, c = talk(*args)
        p.type(b"question\n")
        p.p.stdin.close()
        got = all_of(c)
        if not args:
            p.end(None)
        try:
            c.sendall(b"the answer\n")
        except OSError:
            pass
        c.close()
        p.end(None)
        ok(got == b"question\n" and p.out == want,
           "--half-close: %s" % ("our FIN, and the answer read" if args else "without it the end is the end"), p.out)


def traced(calls, *args, data):
    """Lines of strace about these calls of a client that sends data."""
    s, port = listener()
    with tempfile.NamedTemporaryFile("r") as log:
        p = subprocess.Popen(["strace", "-o", log.name, "-s", "64", "-e", "trace=" + calls, SOCK] + list(args) +
                             ["127.0.0.1", str(port)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=sockbed.TRACED)
        c = s.accept()[0]
        p.stdin.write(data)
        p.stdin.close()
        got = all_of(c)
        c.close()
        p.wait(DEADLINE)
        return got, [line for line in log.read().splitlines() if "abc" in line or "iov" in line]


@row("write-pieces", "writev")
def check_pieces():
    if not shutil.which("strace"):
        skip("--write-pieces, --writev: calls", "no strace")
        return
    data = b"abc" * 16
    got, calls = traced("write,sendto,sendmsg,writev", "-k", data=data)
    ok(got == data and len(calls) == 16, "--write-pieces: 16 writes", calls)
    got, calls = traced("write,sendto,sendmsg,writev", "-V", data=data)
    ok(got == data and len(calls) == 1 and calls[0].count("iov_base") == 16, "--writev: one of 16 pieces", calls)
    got, calls = traced("write,sendto,sendmsg,writev", data=data)
    ok(got == data and len(calls) == 1 and "iov_len=48" in calls[0] + "iov_len=48", "... one without", calls)


def listening(port):
    """The kernel's word on the length of a listen queue."""
    out = subprocess.run(["ss", "-tlnH", "sport", "=", ":%d" % port], capture_output=True, text=True).stdout.split()
    return int(out[2]) if len(out) > 2 else None


@row("backlog")
def check_backlog():
    limits = []
    for args in ((), ("-q", "3"), ("-q", "0")):
        p = server("--all", *args)
        limits.append(listening(p.port))
        p.end()
    ok(limits == [5, 3, 0], "--backlog: the limit as ss has it", limits)


@row("urgent")
def check_urgent():
    with Wire() as w:
        s, port = listener()
        p = Live("-i", "-n3", "-w8", "-p", "20ms", "-U", "2", "127.0.0.1", port)
        c = s.accept()[0]
        c.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        got = all_of(c)
        c.close()
        p.end(None)
        seg = w.await_packet(lambda q: q.dport == port and q.tcp()[0] & URG)
        ok(got == b" !\"#$%&'" + b"\2" + b" !\"#$%&'" * 2, "--urgent: its byte, before the second write", got)
        ok(seg and seg.tcp()[1] == 1, "... with URG in the segment")


@row("so-linger")
def check_linger():
    flags = {}
    for args in (("-L", "0"), ()):
        with Wire() as w:
            s, port = listener()
            p = Live("-i", "-n1", *args, "127.0.0.1", port)
            c = s.accept()[0]
            end = w.await_packet(lambda q: q.dport == port and q.tcp()[0] & 5)
            flags[args] = end.tcp()[0] & 5
            c.close()
            p.end(None)
    ok(flags == {("-L", "0"): RST, (): 1}, "--so-linger 0: RST on the wire, FIN without", flags)


@row("maxseg")
def check_maxseg():
    with Wire() as w:
        s, port = listener()
        p = Live("-X", "700", "127.0.0.1", port)
        syn = w.await_packet(lambda q: q.dport == port and q.tcp()[0] & SYN)
        s.accept()[0].close()
        p.end(None)
        ok(syn.tcp()[2][:4] == bytes([2, 4, 700 >> 8, 700 & 255]), "--maxseg: the option of the SYN", syn.tcp()[2])


@row("listen-pause")
def check_listen_pause():
    p = server("-O", "500ms")
    start = time.monotonic()
    c = connect(p.port)
    connected = time.monotonic() - start
    accepted = p.await_text("connection on") and time.monotonic() - start
    ok(connected < 0.3 < accepted,
       "--listen-pause: connected at once, accepted later", connected)
    c.close()
    p.end(None)


@row("close-pause")
def check_close_pause():
    p, c = talk("-Q", "400ms")
    p.type(b"x")
    c.recv(1)
    p.p.stdin.close()
    start = time.monotonic()
    all_of(c)
    took = time.monotonic() - start
    c.close()
    p.end(None)
    ok(took > 0.39, "--close-pause: the FIN comes later", took)


@row("timeout")
def check_timeout():
    start = time.monotonic()
    r = sock("--timeout", "400ms", "192.0.2.77", 9)
    took = time.monotonic() - start
    ok(r.returncode == 3 and 0.39 < took < 3, "--timeout: a connect is given up", (took, r.err))


@row("stop-on-error", "ignore-errors")
def check_stop():
    port = closed("127.0.0.1")
    sent = {}
    for args in ((), ("-W",), ("--stop-on-error",)):
        with Wire() as w:
            r = sock("-u", "-i", "-n4", "-p", "30ms", *args, "127.0.0.1", port)
            sock("-u", "-i", "-n1", "--wait", "0", "127.0.0.1", 10)
            sent[args] = len(w.all(to_port(port), to_port(10))), r.returncode
    ok(sent[()] == sent[("-W",)] == (4, 3), "--ignore-errors: as without it, all are sent", sent)
    ok(sent[("--stop-on-error",)][0] < 3 and sent[("--stop-on-error",)][1] == 3, "--stop-on-error: it ends", sent)


@row("backlog-test")
def check_backlog_test():
    r = sock("--backlog-test", 3)
    rows = [line.split() for line in r.out.splitlines() if re.match(r"\s*\d", line)]
    real = []
    for backlog in range(4):
        s, port = listener(backlog)
        n, held = 0, []
        while n < 20:		# as the test does: connects until one is not answered
            c = socket.socket()
            c.settimeout(0.2)
            held.append(c)
            try:
                c.connect(("127.0.0.1", port))
            except OSError:
                break
            n += 1
        real.append(str(n))
        s.close()
        [c.close() for c in held]
    ok([x[1] for x in rows[:4]] == real, "--backlog-test: what a listener of our own keeps", (r.out, real))


@row("fd")
def check_fd_options():
    got = []
    for kind, args in ((socket.SOCK_DGRAM, ["-u"]), (socket.SOCK_STREAM, [])):
        s = socket.socket(socket.AF_INET, kind)
        s.bind(("127.0.0.1", 0))
        if not args:
            s.listen(5)
        p = subprocess.Popen([SOCK, "-s", "-v", "-Y", "-R", "9000", "-J", "9", "--fd", str(s.fileno())] + args,
                             pass_fds=[s.fileno()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        while "waiting on" not in (p.stderr.readline() or "waiting on"):
            pass
        got.append((s.getsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE), s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF),
                    s.getsockopt(socket.IPPROTO_IP, socket.IP_TTL)))
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=DEADLINE)
        s.close()
    ok(got == [(1, 18000, 9)] * 2, "--fd: options are set on it too, UDP and TCP", got)


@row("fd")
def check_fd():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    before = s.getsockname()
    p = subprocess.Popen([SOCK, "-s", "-v", "--fd", str(s.fileno())], pass_fds=[s.fileno()], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, stdin=subprocess.PIPE)
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    c.sendto(b"through what was inherited\n", before)
    got = p.stdout.readline()
    mine = [t.getsockname() for t in sockets(p.pid, socket.SOCK_DGRAM)]
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=DEADLINE)
    ok(b"inherited" in got and mine == [before], "--fd: the very socket, of its own kind", (got, mine))

