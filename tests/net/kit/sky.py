# SPDX-License-Identifier: BSD-2-Clause
"""libsockeye by ctypes: the structs of include/sockeye, and a socket class.

The layout is compared with the compiler's (build/tests/net/layout) on import.
"""
import ctypes as C
import errno
import os
import socket
import struct
import subprocess

from . import tap

BUILD = os.environ.get("SOCKEYE_BUILD", "build")
u8, u16, u32, u64, i32 = C.c_uint8, C.c_uint16, C.c_uint32, C.c_uint64, C.c_int32


class Addr(C.Structure):
    _fields_ = [("w", u32 * 7)]

    @classmethod
    def of(cls, host, port=0, scope=0):
        if ":" in host:
            raw = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
            raw += socket.inet_pton(socket.AF_INET6, host) + struct.pack("=I", scope)
        else:
            raw = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port)
            raw += socket.inet_pton(socket.AF_INET, host) + bytes(20)
        return cls.from_buffer_copy(raw)

    def plain(self):
        """(family, host, port); family 0 is (0, "", 0)."""
        raw = bytes(self)
        family, port = struct.unpack("=H", raw[:2])[0], struct.unpack("!H", raw[2:4])[0]
        if family == socket.AF_INET:
            return family, socket.inet_ntop(family, raw[4:8]), port
        if family == socket.AF_INET6:
            return family, socket.inet_ntop(family, raw[8:24]), port
        return 0, "", 0


class Fate(C.Structure):
    _fields_ = [("size", u32), ("have", u32), ("flags", u32), ("what", u8), ("evidence", u8),
                ("trust", u8), ("origin", u8), ("proto", u8), ("icmp_type", u8),
                ("icmp_code", u8), ("hop", u8), ("err", i32), ("dst", Addr), ("src", Addr),
                ("by", Addr), ("ifindex", u32), ("mtu", u32), ("pointer", u32), ("pid", u32),
                ("len", u32), ("full_len", u32), ("time_ns", u64), ("rtt_ns", u64),
                ("seq", u64), ("tag", u64), ("id", u64), ("count", u64), ("quote", C.c_void_p),
                ("quote_len", u32), ("ext", C.c_void_p), ("ext_len", u32), ("reserved", u32 * 4)]

    def word(self):
        return lib.sky_fate_word(self.what).decode()

    def bytes(self):
        return C.string_at(self.quote, self.quote_len) if self.quote else b""


class Row(C.Structure):
    _fields_ = [("type", u8), ("code", u8), ("code_last", u8), ("what", u8),
                ("err_connected", C.c_int16), ("err_queue", C.c_int16), ("name", C.c_char_p),
                ("type_last", u8)]


class Conf(C.Structure):
    _fields_ = [("size", u32), ("want", u32), ("flags", u32), ("family", C.c_int),
                ("local", C.POINTER(Addr)), ("peer", C.POINTER(Addr)), ("device", C.c_char_p),
                ("rcvbuf", C.c_int), ("sndbuf", C.c_int), ("pmtu", C.c_int), ("ttl", C.c_int),
                ("tos", C.c_int), ("room", C.c_void_p), ("room_size", C.c_size_t),
                ("icmpd", C.c_void_p), ("icmpd_path", C.c_char_p), ("reserved", u32 * 4)]


class Msg(C.Structure):
    _fields_ = [("data", C.c_void_p), ("cap", C.c_size_t), ("len", C.c_size_t),
                ("full_len", C.c_size_t), ("seg", u32), ("have", u32), ("flags", u32),
                ("status", i32), ("peer", Addr), ("local", Addr), ("ifindex", u32),
                ("ttl", u8), ("tos", u8), ("reserved", u16), ("fragsize", u32), ("mtu", u32),
                ("drops", u32), ("time_ns", u64), ("tag", u64)]

    def bytes(self):
        return C.string_at(self.data, self.len)


CAPS = 13


class Info(C.Structure):
    _fields_ = [("size", u32), ("cap", i32 * CAPS), ("family", i32), ("connected", C.c_bool),
                ("v6only", C.c_bool), ("local", Addr), ("peer", Addr), ("rcvbuf", u32),
                ("sndbuf", u32), ("rcvbuf_used", u32)] + [(n, u64) for n in (
                    "rx tx rx_truncated rx_drops errors errors_lost errors_maybe_lost retries "
                    "gso_trains gso_refused enobufs eperm").split()]


# enum sky_fate_have, sky_msg_have, sky_udp_flag, sky_want
ICMP, DST, SRC, BY, MTU, POINTER = (1 << i for i in range(6))
TIME, HOP, IFINDEX = 1 << 9, 1 << 10, 1 << 11
PEER, LOCAL = 1, 2
M_MTU, M_TRUNC, M_GROUP = 1 << 8, 1, 4
PLAIN, REUSEADDR, REUSEPORT, V6ONLY, BROADCAST, GRO, NO_GSO = (1 << i for i in range(7))
UNKNOWN, MATCHED, MISMATCH, SHORT = range(4)
WANT_LOCAL, WANT_TTL, WANT_TOS, WANT_TIME, WANT_FRAGSIZE, WANT_DROPS = (1 << i for i in range(6))
SET_TTL, SET_PMTU, SET_GSO, SET_ERRORS, SET_BROADCAST = 0, 5, 6, 7, 8
BY_QUEUE = 2

if not os.access(os.path.join(BUILD, "tests", "net", "layout"), os.X_OK):
    tap.skip_all("built without the UDP socket")
lib = C.CDLL(os.path.join(BUILD, "lib", "libsockeye.so"), use_errno=True)
lib.sky_fate_word.restype = C.c_char_p
lib.sky_icmp_find.restype = C.POINTER(Row)
lib.sky_udp_sendto.restype = lib.sky_udp_recvfrom.restype = C.c_ssize_t


def _layout():
    out = subprocess.run([os.path.join(BUILD, "tests", "net", "layout")], capture_output=True,
                         text=True, check=True, timeout=10).stdout
    for line in out.splitlines():
        struct_, field, offset, size = line.split()
        cls = globals()[struct_]
        mine = (0, C.sizeof(cls)) if field == "-" else (
            getattr(cls, field).offset, getattr(cls, field).size)
        if mine != (int(offset), int(size)):
            raise SystemExit("%s.%s: %s here, %s %s in C" % (struct_, field, mine, offset, size))


_layout()


def err(rc):
    """A negative errno as its name, anything else as it is."""
    return errno.errorcode.get(-rc, str(rc)) if rc < 0 else rc


def icmp_find(family, type_, code):
    """(errno connected, errno in the queue, word); no row: nothing is seen."""
    row = lib.sky_icmp_find(family, type_, code)
    if not row:
        return 0, 0, None
    return row[0].err_connected, row[0].err_queue, lib.sky_fate_word(row[0].what).decode()


class Socket:
    """A handle in a namespace."""

    def __init__(self, ns, family=0, local=None, peer=None, room=0, adopt=None, **conf):
        self.words = (u64 * 1024)()
        c = Conf(size=C.sizeof(Conf), family=family, **conf)
        self.keep = [Addr.of(*a) if a else None for a in (local, peer)]
        c.local, c.peer = (C.pointer(a) if a else None for a in self.keep)
        if room:
            self.room = (u64 * (room * 64))()
            c.room, c.room_size = C.addressof(self.room), room * 512
        with ns:
            if adopt is None:
                rc = lib.sky_udp_open(self.words, C.byref(c))
            else:
                rc = lib.sky_udp_adopt(self.words, adopt, C.byref(c))
        if rc:
            raise OSError(-rc, "open: %s" % os.strerror(-rc))
        self.fd = lib.sky_udp_fd(self.words)
        self.buf = C.create_string_buffer(1 << 17)

    def fileno(self):
        return self.fd

    def close(self):
        lib.sky_udp_close(self.words)

    def set(self, what, value):
        return lib.sky_udp_set(self.words, what, C.c_int64(value))

    def name(self):
        s = socket.socket(fileno=os.dup(self.fd))
        with s:
            return s.getsockname()

    def send_all(self, msgs):
        return lib.sky_udp_send_stride(self.words, msgs, len(msgs), C.c_size_t(C.sizeof(Msg)))

    def send(self, data, to=None, seg=0, **more):
        """One datagram or train; its status, or what the call said."""
        m = batch([(data, to)])
        m[0].seg = seg
        for k, v in more.items():
            setattr(m[0], k, m[0].have | v if k == "have" else v)
        n = self.send_all(m)
        self.last = m[0]
        return m[0].status if n == 1 else n

    def recv(self, n=64, cap=2048):
        """A list of Msg; bytes() of each is valid until the next recv."""
        if n * cap > len(self.buf):
            self.buf = C.create_string_buffer(n * cap)
        m = (Msg * n)()
        for i in range(n):
            m[i].data, m[i].cap = C.addressof(self.buf) + i * cap, cap
        got = lib.sky_udp_recv_stride(self.words, m, n, C.c_size_t(C.sizeof(Msg)))
        if got < 0:
            raise OSError(-got, "recv: %s" % os.strerror(-got))
        return m[:got]

    def errors(self, n=32, size=65536):
        """A list of Fate; quotes are valid until the next call."""
        f = (Fate * n)()
        self.quotes = C.create_string_buffer(size)
        got = lib.sky_udp_errors(self.words, f, n, self.quotes, C.c_size_t(size))
        if got < 0:
            raise OSError(-got, "errors: %s" % os.strerror(-got))
        self.fates = f
        return f[:got]

    def pending(self):
        return lib.sky_udp_pending(self.words)

    def info(self):
        i = Info(size=C.sizeof(Info))
        rc = lib.sky_udp_info(self.words, C.byref(i))
        if rc:
            raise OSError(-rc, "info")
        return i


def batch(items):
    """An array of Msg of (data, (host, port) or None)."""
    m = (Msg * len(items))()
    m.keep = [d for d, _ in items]
    for i, (data, to) in enumerate(items):
        m[i].data, m[i].len = C.cast(C.c_char_p(data), C.c_void_p), len(data)
        if to:
            m[i].peer, m[i].have = Addr.of(*to[:2]), PEER
    return m


def vouch(f, sent, off=0):
    return lib.sky_fate_vouch(C.byref(f), sent, C.c_size_t(len(sent)), C.c_size_t(off))
