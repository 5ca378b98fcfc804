# SPDX-License-Identifier: BSD-2-Clause
"""icmpd as a process, and a client that speaks its protocol by hand: what
lib/proto/icmpdmsg.h says, without a line of the library."""
import atexit
import errno
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

BUILD = os.environ.get("SOCKEYE_BUILD", "build")
ICMPD = os.path.join(BUILD, "prog/icmpd/icmpd")
ICMPCTL = os.path.join(BUILD, "prog/icmpctl/icmpctl")
with open(os.path.join(BUILD, "meson-info/intro-buildoptions.json"), encoding="utf-8") as f:
    SANITIZED = next(o["value"] for o in json.load(f) if o["name"] == "b_sanitize") != "none"
SO_COOKIE, SO_PROTOCOL, SO_REUSEPORT = 57, 38, 15
HELLO, ADD, REMOVE, WATCH, ASK, RESULT, FATES, LOST, COUNTERS, CLIENTS, DONE = range(1, 12)
MAGIC, NO_ID, SECONDS = 0x69636D70, 0xFFFFFFFF, 10


def cookie(s):
    return struct.unpack("=Q", s.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def message(kind, records=(), version=1, count=None, length=None):
    body = b"".join(struct.pack("!H", len(r) + 2) + r for r in records)
    n = len(records) if count is None else count
    return struct.pack("!BBHI", version, kind, n, len(body) + 8 if length is None else length) + body


def hello():
    return message(HELLO, [struct.pack("!II", MAGIC, 0)])


def address(end):
    """(host, port) or None."""
    if not end or not end[0]:
        return struct.pack("!BBH", 0, 0, 0)
    v6 = ":" in end[0]
    raw = socket.inet_pton(socket.AF_INET6 if v6 else socket.AF_INET, end[0])
    return struct.pack("!BBH", 6 if v6 else 4, 0, end[1]) + raw + (bytes(4) if v6 else b"")


def add(ident, ck, family=socket.AF_INET, proto=17, flags=0, local=None, remote=None):
    return struct.pack("!IQBBBBI", ident, ck, proto, 4 if family == socket.AF_INET else 6,
                       flags, 0, 0) + address(local) + address(remote)


def name_of(s):
    """Its local end as it is told: nothing where it is not bound."""
    host, port = s.getsockname()[:2]
    return (host, port) if port else None


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        v = struct.unpack_from("!" + form, self.data, self.at)
        self.at += struct.calcsize("!" + form)
        return v if len(v) > 1 else v[0]

    def bytes(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def address(self):
        family, _, port = self.take("BBH")
        if family == 0:
            return None
        raw = self.bytes(4 if family == 4 else 16)
        if family == 6:
            self.bytes(4)
        return socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6, raw), port


class Fate:
    def __init__(self, raw):
        r = Reader(raw)
        self.id, self.cookie, self.cgroup, self.inode, self.uid, bits = r.take("IQQIIB")
        self.known, self.delivered = bool(bits & 1), bool(bits & 2)
        (self.what, self.evidence, self.trust, self.origin, self.proto, self.type, self.code,
         self.hop) = r.take("8B")
        (self.have, self.flags, self.err, self.ifindex, self.mtu, self.pointer, self.pid,
         self.len, self.full_len) = r.take("9I")
        self.time_ns, _, _, _, _, self.count = r.take("6Q")
        self.dst, self.src, self.by = r.address(), r.address(), r.address()
        self.quote = r.bytes(r.take("H"))
        self.ext = r.bytes(r.take("H"))


class Client:
    """Its socket lies in no network namespace: only the path counts."""

    def __init__(self, path, greet=True, uid=None):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if uid is None:
            self.s.connect(path)
        else:
            as_user(uid, lambda: self.s.connect(path))
        self.s.settimeout(SECONDS)
        self.fates, self.lost, self.results, self.done, self.counters = [], 0, {}, [], {}
        self.clients, self.next, self.gone = [], 0, False
        try:
            if greet:
                self.s.send(hello())
        except (BrokenPipeError, ConnectionResetError):
            pass    # turned away already; why can be read

    def fileno(self):
        return self.s.fileno()

    def close(self):
        self.s.close()

    def handle(self, data):
        version, kind, n, length = struct.unpack_from("!BBHI", data)
        if (version, length) != (1, len(data)):
            raise ValueError("header %r of %d bytes" % (data[:8], len(data)))
        at = 8
        for _ in range(n):
            size = struct.unpack_from("!H", data, at)[0]
            self.record(kind, data[at + 2:at + size])
            at += size
        if at != len(data):
            raise ValueError("%d bytes too many" % (len(data) - at))

    def record(self, kind, raw):
        if kind == FATES:
            self.fates.append(Fate(raw))
        elif kind == LOST:
            self.lost += struct.unpack_from("!Q", raw)[0]
        elif kind == RESULT:
            ident, _, err = struct.unpack_from("!IQI", raw)
            self.results[ident] = err
        elif kind == DONE:
            self.done.append(struct.unpack_from("!QQ", raw))
        elif kind == COUNTERS:
            which, value = struct.unpack_from("!QQ", raw)
            self.counters[which] = value
        elif kind == CLIENTS:
            self.clients.append(raw)

    def read(self):
        """One message; False when the daemon closed the connection."""
        try:
            data = self.s.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            self.gone = True
            return False
        self.handle(data)
        return True

    def until(self, what, seconds=SECONDS):
        """Reads until what() is true; whether it became so."""
        end = time.monotonic() + seconds
        while not what():
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.s], [], [], left)[0] or not self.read():
                return bool(what())
        return True

    def register(self, s, proto=17, flags=0, ck=None, local=None, remote=None):
        """The daemon's verdict as an errno's name, or "" for yes."""
        ident, self.next = self.next, self.next + 1
        self.s.send(message(ADD, [add(ident, cookie(s) if ck is None else ck, s.family, proto, flags,
                                      local or name_of(s), remote)]))
        if not self.until(lambda: ident in self.results):
            return "no answer"
        err = self.results[ident]
        return errno.errorcode[err] if err else ""

    def watch(self):
        before = len(self.done)
        filter_ = struct.pack("!BBHQ", 0, 0, 0, 0) + address(None)
        self.s.send(message(WATCH, [filter_]))
        self.until(lambda: len(self.done) > before)
        return self.done[-1][1]

    def ask(self, question=1):
        """Counters by number (1), or raw records of clients (2)."""
        before = len(self.done)
        self.counters, self.clients = {}, []
        self.s.send(message(ASK, [struct.pack("!QQ", question, 0)]))
        self.until(lambda: len(self.done) > before)
        return self.counters if question == 1 else self.clients


def as_user(uid, what):
    """Runs what() in this process with another effective user, for connect() and
    socket(), whose owner is who asks."""
    os.seteuid(uid)
    try:
        return what()
    finally:
        os.seteuid(0)


class Daemon:
    """icmpd in a namespace, ready when this returns. Stopped by stop() or del."""

    def __init__(self, ns, *args, user="root", path=None, wrap=(), env=None, wait=True,
                 owner=None):
        self.dir = tempfile.mkdtemp(prefix="icmpd-test-")
        os.chmod(self.dir, 0o755)
        if owner:
            os.chown(self.dir, owner, owner)
        self.path = path or os.path.join(self.dir, "socket")
        self.argv = [*wrap, ICMPD, "-f", "-s", self.path, "-u", user, *args]
        self.ns, self.env, self.p = ns, env or {}, None
        self.log = open(os.path.join(self.dir, "log"), "w+b")
        atexit.register(self.clean)
        self.start(wait)

    def clean(self):
        """Also when the test itself fell over."""
        if self.p and self.alive():
            self.p.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, wait=True):
        notify = os.path.join(self.dir, "notify")
        if os.path.exists(notify):
            os.unlink(notify)
        self.news = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.news.bind(notify)
        os.chmod(notify, 0o777)
        with self.ns:
            self.p = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=self.log,
                                      stderr=self.log,
                                      env=dict(os.environ, NOTIFY_SOCKET=notify, **self.env))
        if wait and not self.ready():
            raise RuntimeError("icmpd is not ready: " + self.said())

    def ready(self, seconds=SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.p.poll() is None:
            if select.select([self.news], [], [], 0.05)[0]:
                return b"READY=1" in self.news.recv(4096)
        return False

    def alive(self):
        return self.p.poll() is None

    def said(self):
        self.log.flush()
        with open(self.log.name, "rb") as f:
            return f.read().decode("latin-1")

    def kib(self):
        with open("/proc/%d/status" % self.p.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def fds(self):
        return len(os.listdir("/proc/%d/fd" % self.p.pid))

    def client(self, **how):
        return Client(self.path, **how)

    def end(self, how=signal.SIGTERM):
        self.p.send_signal(how)
        try:
            return self.p.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return "still there after %d s" % SECONDS

    def stop(self):
        status = self.end() if self.alive() else self.p.returncode
        self.news.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        return status
