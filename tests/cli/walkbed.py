# SPDX-License-Identifier: BSD-2-Clause
"""For the walk over sock's table of options: what a program's sockets are like,
asked of the kernel from outside, and what it puts on the wire."""
import ctypes
import os
import select
import socket
import struct
import threading
import time

from sockbed import DEADLINE, Live, sock

PIDFD_OPEN, PIDFD_GETFD = 434, 438
ETH_P_ALL = 3
OUTGOING = 4
libc = ctypes.CDLL(None, use_errno=True)
checks = {}


def row(*names):
    """The function below observes these rows of the table."""
    def keep(f):
        for name in names:
            checks.setdefault(name, []).append(f)
        return f
    return keep


def sockets(p, kind=None):
    """Copies of the Internet sockets of a running sock (or a process id)."""
    pid = p.p.pid if hasattr(p, "p") else p
    pidfd = libc.syscall(PIDFD_OPEN, pid, 0)
    found = []
    for name in sorted(os.listdir("/proc/%d/fd" % pid), key=int):
        try:
            if not os.readlink("/proc/%d/fd/%s" % (pid, name)).startswith("socket:"):
                continue
        except FileNotFoundError:
            continue
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        s = socket.socket(fileno=fd)
        if s.family in (socket.AF_INET, socket.AF_INET6) and kind in (None, s.type & 0xf):
            found.append(s)
        else:
            s.close()
    os.close(pidfd)
    return found


def free_port(family=socket.AF_INET, kind=socket.SOCK_DGRAM):
    with socket.socket(family, kind) as s:
        s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        return s.getsockname()[1]


def server(*args, address="127.0.0.1", port=None):
    """A live sock that serves at .port (None as an address: any)."""
    family = socket.AF_INET6 if address and ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if "-u" in args else socket.SOCK_STREAM
    port = port or free_port(family, kind)
    p = Live("-s", "-v", *args, *([address] if address else []), port)
    if not p.await_text("(waiting|connected|listening) on"):
        raise AssertionError("sock -s %s did not start: %s" % (" ".join(map(str, args)), p.err))
    p.port = port
    return p


def client(*args, to):
    """A live sock that is connected, with its input open."""
    p = Live("-v", *args, *to)
    if not p.await_text("connected on"):
        raise AssertionError("sock %s did not start: %s" % (" ".join(map(str, args)), p.err))
    return p


class Acceptor(threading.Thread):
    """Accepts TCP connections, keeps them, and throws away what comes."""

    def __init__(self, address):
        super().__init__(daemon=True)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind((address, 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        open_ones = []
        while True:
            ready = select.select([self.listener] + open_ones, [], [])[0]
            for s in ready:
                if s is self.listener:
                    open_ones.append(s.accept()[0])
                    continue
                try:
                    data = s.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    open_ones.remove(s)
                    s.close()


class Packet:
    """An IP packet, taken apart as far as the tests need it."""

    def __init__(self, data):
        self.data, self.version = data, data[0] >> 4
        if self.version == 4:
            self.header = (data[0] & 15) * 4
            self.tos, self.ttl, self.proto = data[1], data[8], data[9]
            self.flags = struct.unpack_from("!H", data, 6)[0]
            self.src, self.dst = (socket.inet_ntoa(data[n:n + 4]) for n in (12, 16))
        else:
            self.header, self.flags = 40, 0
            self.tos = (struct.unpack_from("!H", data)[0] >> 4) & 255
            self.proto, self.ttl = data[6], data[7]
            self.src, self.dst = (socket.inet_ntop(socket.AF_INET6, data[n:n + 16]) for n in (8, 24))
        self.options = data[20:self.header] if self.version == 4 else b""
        self.sport, self.dport = struct.unpack_from("!HH", data + bytes(4), self.header)
        self.payload = data[self.header + 8:]

    def udp_sum(self):
        return struct.unpack_from("!H", self.data, self.header + 6)[0]

    def df(self):
        return bool(self.flags & 0x4000)

    def tcp(self):
        """(flags, urgent pointer, options, data) of a segment."""
        h = self.data[self.header:]
        off = (h[12] >> 4) * 4
        return h[13], struct.unpack_from("!H", h, 18)[0], h[20:off], h[off:]


class Wire:
    """What leaves by an interface, from the beginning of the with on."""

    def __init__(self, interface="lo"):
        self.interface = interface

    def __enter__(self):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.s.bind((self.interface, ETH_P_ALL))
        self.seen, self.times = [], []
        return self

    def __exit__(self, *what):
        self.s.close()

    def await_packet(self, wanted, n=1, timeout=DEADLINE):
        """The nth packet for which wanted(packet); None if it does not come."""
        end = time.monotonic() + timeout
        while True:
            found = [p for p in self.seen if wanted(p)]
            if len(found) >= n:
                return found[n - 1]
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.s], [], [], left)[0]:
                return None
            data, where = self.s.recvfrom(70000)
            if where[2] == OUTGOING and data and data[0] >> 4 in (4, 6):
                self.seen.append(Packet(data))

    def all(self, wanted, last):
        """Those that were seen when last came."""
        self.await_packet(last)
        return [p for p in self.seen if wanted(p)]


def to_port(port):
    return lambda p: p.dport == port


def has_tcp():
    return "not in this build" not in sock("127.0.0.1", free_port(kind=socket.SOCK_STREAM)).err


def get(s, level, option, size=4):
    raw = s.getsockopt(level, option, size)
    return struct.unpack("=i", raw)[0] if size == 4 else raw
