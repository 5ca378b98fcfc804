#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock over TCP: each option has its effect, seen from outside."""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import sockbed
import tcpbed
from sockbed import SOCK, Live, sock
from tap import done, ok, skip
from tcpbed import Peer, closed, echo, listener_queue, read_all, until

sockbed.enter("link set lo mtu 1500")
TCP, SOL = socket.IPPROTO_TCP, socket.SOL_SOCKET
CAN_STEAL = None


def option(name, args, level, number, size, want, host="127.0.0.1"):
    """The option as the kernel has it on the live client's socket."""
    global CAN_STEAL
    peer = Peer(host, read_all)
    live = Live("-v", *args, host, peer.port)
    live.await_text("TCP_MAXSEG")
    s = tcpbed.steal(live.p.pid, peer.port)
    CAN_STEAL = s is not None
    if not s:
        skip(name, "no pidfd_getfd")
    else:
        got = s.getsockopt(level, number, size) if size else s.getsockopt(level, number)
        ok(got == want if not callable(want) else want(got), name, "%r\n%s" % (got, live.err))
        s.close()
    live.end()
    return live


for host in ("127.0.0.1", "::1"):
    six = ":" in host
    option(host + ": -N", ["-N"], TCP, socket.TCP_NODELAY, 0, 1, host)
    option(host + ": -K", ["-K"], SOL, socket.SO_KEEPALIVE, 0, 1, host)
    option(host + ": -L 7", ["-L7"], SOL, socket.SO_LINGER, 8, struct.pack("ii", 1, 7), host)
    option(host + ": without -L", [], SOL, socket.SO_LINGER, 8, struct.pack("ii", 0, 0), host)
    option(host + ": -R", ["-R", "20000"], SOL, socket.SO_RCVBUF, 0, 40000, host)
    option(host + ": -S", ["-S", "20000"], SOL, socket.SO_SNDBUF, 0, 40000, host)
    option(host + ": -Y", ["-Y"], SOL, socket.SO_DONTROUTE, 0, 1, host)
    option(host + ": -T", ["-T"], SOL, socket.SO_REUSEPORT, 0, 1, host)
    option(host + ": -A", ["-A"], SOL, socket.SO_REUSEADDR, 0, 1, host)
    level, ttl, tos = (41, 16, 67) if six else (0, 2, 1)
    option(host + ": -J 9", ["-J9"], level, ttl, 0, 9, host)
    option(host + ": -H 16", ["-H16"], level, tos, 0, 16, host)
    option(host + ": -X 600", ["-X600"], TCP, socket.TCP_MAXSEG, 0, lambda n: 560 <= n <= 600, host)
    option(host + ": -x 1500", ["-x1500"], SOL, socket.SO_RCVTIMEO, 16, struct.pack("qq", 1, 500000), host)
r = sock("-D", "127.0.0.1", Peer("127.0.0.1", read_all).port)
ok((r.returncode == 0 and not r.err) or (r.returncode == 1 and "CAP_NET_ADMIN" in r.err and "ss -tie" in r.err
                                         and r.err.count("\n") == 1), "-D works, or says what to use instead", r.all)
live = option("the lines of -v", ["-N", "-K", "-L", "3"], TCP, socket.TCP_NODELAY, 0, 1)
ok(all(x in live.err for x in ("TCP_NODELAY set\n", "SO_KEEPALIVE set\n", "linger on, time = 3\n")),
   "options are told as they were read back", live.err)

# --- what ss sees of a server ---
port = closed("127.0.0.1")
for args, env, want in ((["-q3"], {}, 3), ([], {}, 5), (["-q3"], {"LISTENQ": "7"}, 7), (["-q", "-1"], {}, 4096),
                        (["-q0"], {}, 0)):
    p = subprocess.Popen([SOCK, "-s", *args, str(port)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         env=dict(os.environ, **env))
    until(lambda: listener_queue(port))
    ok(listener_queue(port)[1] == want, "backlog of %s %s is %d" % (" ".join(args), env, want), listener_queue(port))
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=20)
for text in ("many", "", "3x", "99999999999"):
    r = sock("-s", port, env={"LISTENQ": text})
    ok(r.returncode == 2 and "'LISTENQ=%s'" % text in r.err and r.err.count("\n") == 1,
       "LISTENQ=%s: status 2" % text, r.all)

# --- the queue fills while the server pauses, seen by both ---
live = Live("-v", "-i", "-s", "--all", "-q2", "-O", "30", port)
live.await_text("accept queue: length 0, limit 2")
conns = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
ok(live.await_text(r"length 3, limit 2 \(full\)") and listener_queue(port) == (3, 2),
   "-O -q2: three wait, as ss says too", live.err)
late = socket.socket()
late.setblocking(False)
late.connect_ex(("127.0.0.1", port))
ok(live.await_text("overflows 1, SYN drops 1"), "the fourth SYN is dropped, and told when it is", live.err)
ok("connection on" not in live.err, "-O: nobody is accepted before its time")
live.end()
for s in conns + [late]:
    s.close()
port = closed("127.0.0.1")
live = Live("-v", "-s", "-q1", port)
live.await_text("accept queue: length 0, limit 1")
conns = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
late = socket.socket()
late.setblocking(False)
late.connect_ex(("127.0.0.1", port))
ok(live.await_text(r"length 2, limit 1 \(full\), overflows \d, SYN drops [12]"),
   "while it serves one: the queue behind it is told", live.err)
live.end()
for s in conns + [late]:
    s.close()
port = closed("127.0.0.1")

# --- backlog 0 to 14, by the program and by hand ---
r = sock("--backlog-test", 14)
rows = [line.split() for line in r.out.splitlines()[1:]]
ok(r.returncode == 0 and [(int(x[0]), int(x[1])) for x in rows] == [(n, n + 1) for n in range(15)],
   "backlog 0 to 14: one more than that queue", r.all)
ok([int(x[3]) for x in rows] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]
   and [int(x[2]) for x in rows][-1] == 22, "beside it, other systems")

# --- pauses ---
times = {}


def stamped(conn):
    times["accept"] = time.monotonic()
    first = conn.recv(1)
    times["first"] = time.monotonic()
    rest = read_all(conn)
    times["end"] = time.monotonic()
    return first + rest[0]


p = Peer("127.0.0.1", stamped)
r = sock("-v", "-i", "-n3", "-w10", "-P", "0.2", "-p", "0.1", "-Q", "0.2", "127.0.0.1", p.port)
p.result()
ok(r.returncode == 0 and times["first"] - times["accept"] > 0.19 and times["end"] - times["first"] > 0.49
   and r.err.endswith("pausing before close\n"), "-P before the first write, -p after each, -Q before the close",
   "%r %s" % (times, r.err))

# --- CR LF, any buffer ---
for size in (1, 2, 3, 1024):
    p = Peer("127.0.0.1", read_all)
    sock("-c", "-r", size, "127.0.0.1", p.port, input=b"a\n\nbc\r\n")
    ok(p.result()[0] == b"a\r\n\r\nbc\r\r\n", "-c -r%d: newline is CR LF on the wire" % size, p.result())
    p = Peer("127.0.0.1", lambda conn: (conn.sendall(b"x\r\n\r\ny\rz\r\n"), conn.close()))
    live = Live("-c", "-r", size, "127.0.0.1", p.port)
    live.end(None)
    ok(live.out == "x\n\nyz\n", "-c -r%d: no CR is left" % size, repr(live.out))

# --- pieces ---
if shutil.which("strace") and not subprocess.run(["strace", "true"], capture_output=True).returncode:
    def traced(*args):
        p = Peer("127.0.0.1", read_all)
        r = subprocess.run(["strace", "-s9", "-e", "trace=sendmsg", SOCK, *args, "127.0.0.1", str(p.port)],
                           input=b"x" * 160, capture_output=True, env=sockbed.TRACED, timeout=20)
        ok(p.result()[0] == b"x" * 160, " ".join(args) + " loses nothing")
        return r.stderr.decode()

    log = traced("-k")
    ok(len(re.findall(r"msg_iovlen=1[,}].*= 10$", log, re.M)) == 16, "-k: sixteen writes of ten bytes", log)
    log = traced("-V")
    ok(len(re.findall(r"msg_iovlen=16.*= 160$", log, re.M)) == 1, "-V: one write of sixteen pieces", log)
    log = traced()
    ok(len(re.findall(r"msg_iovlen=1[,}].*= 160$", log, re.M)) == 1, "without them one write of one piece", log)
else:
    skip("-k and -V", "no strace")


# --- urgent data ---
def urgent(conn):
    conn.setsockopt(SOL, socket.SO_OOBINLINE, 1)
    return read_all(conn)[0]


p = Peer("127.0.0.1", urgent)
r = sock("-v", "-i", "-n3", "-w4", "-U2", "127.0.0.1", p.port)
ok(p.result() == b" !\"# !\"#".replace(b" !\"# !", b" !\"#\x02 !", 1) + b" !\"#"
   and re.findall(r"wrote .*", r.err) == ["wrote 4 bytes", "wrote 1 byte of urgent data", "wrote 4 bytes", "wrote 4 bytes"],
   "-U2: the byte lies before write 2", "%r %s" % (p.result(), r.err))

# --- time-outs of reads and writes ---
silent = Peer("127.0.0.1", lambda conn: until(lambda: False, 3))
r = sock("-h", "-x", "200", "127.0.0.1", silent.port, input=b"hello?\n")
ok(r.returncode == 1 and "read error: Resource temporarily unavailable" in r.err, "-x: a read that waits too long", r.all)
r = sock("-i", "-y", "200", "-n", "100000", "127.0.0.1", silent.port)
ok(r.returncode == 1 and "write error: Resource temporarily unavailable" in r.err, "-y: a write that waits too long", r.all)

# --- peek, SIGIO ---
p = Peer("127.0.0.1", lambda conn: (conn.sendall(b"12345"), conn.close()))
live = Live("-v", "-Z", "127.0.0.1", p.port)
live.end(None)
ok(live.out == "12345" and "received 5 bytes (MSG_PEEK)" in live.err, "-Z looks before it reads", live.err)
p = Peer("127.0.0.1", lambda conn: (conn.recv(1), conn.sendall(b"now"), conn.recv(1)))
live = Live("-v", "-I", "127.0.0.1", p.port)
live.await_text("connected on")
live.type(b"x")
ok(live.await_text("SIGIO") and live.await_text("now"), "-I: SIGIO comes with the data", live.err)
live.end()

# --- -F ---
port = closed("127.0.0.1")
live = Live("-v", "-i", "-s", "-F", port)
live.await_text("waiting on")
conns = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
live.await_text("(connection on.*){3}")


def children():
    with open("/proc/%d/task/%d/children" % (live.p.pid, live.p.pid)) as f:
        return f.read().split()


ok(until(lambda: len(children()) == 3), "-F: a process for each of three", children())
for s in conns:
    s.sendall(b"bye")
    s.shutdown(socket.SHUT_WR)
ok([s.recv(1) for s in conns] == [b""] * 3, "-F: each ends its own connection")
ok(until(lambda: not children()), "-F: every child is reaped", children())
ok(until(lambda: len(os.listdir("/proc/%d/fd" % live.p.pid)) <= 7), "-F: the parent keeps no connection",
   os.listdir("/proc/%d/fd" % live.p.pid))
ok(live.end() == 0, "-F: Ctrl-C, status 0", live.err)
live = Live("-v", "-i", "-s", "-F", "--keep-connected", "-A", port)
live.await_text("accept queue: length 0")


def sockets():
    n = 0
    for name in os.listdir("/proc/%d/fd" % live.p.pid):
        try:
            n += os.readlink("/proc/%d/fd/%s" % (live.p.pid, name)).startswith("socket:")
        except FileNotFoundError:
            pass
    return n


conns = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
for s in conns:
    s.shutdown(socket.SHUT_WR)
live.await_text("(connection closed by peer.*){3}")
until(lambda: not children())
for s in conns:
    s.settimeout(0.2)
late = 0
for s in conns:
    try:
        s.recv(1)
    except TimeoutError:
        late += 1
ok(late == 3 and until(lambda: sockets() == 4), "--keep-connected: no FIN, and the parent holds three sockets more",
   "%d late, %d sockets: %s" % (late, sockets(), live.err))
live.end()
done()
