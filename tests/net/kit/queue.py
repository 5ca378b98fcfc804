# SPDX-License-Identifier: BSD-2-Clause
"""The oracle: a socket of the standard library with the kernel's error queue
on, read by hand. What it saw is what happened."""
import errno
import os
import socket
import struct

IP_RECVERR, IPV6_RECVERR = 11, 25
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER = 10, 23
UNMAP = b"\0" * 10 + b"\xff\xff"


def host_of(raw):
    if len(raw) == 16 and raw[:12] == UNMAP:
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def plain_host(host):
    return host_of(socket.inet_pton(socket.AF_INET6, host)) if ":" in host else host


class Entry:
    """One entry of the error queue."""

    def __init__(self, data, anc, addr):
        self.quote, self.dst = data, (plain_host(addr[0]), addr[1]) if addr else None
        self.err = self.by = None
        for level, kind, v in anc:
            if (level, kind) in ((0, IP_RECVERR), (41, IPV6_RECVERR)):
                self.err, self.origin, self.type, self.code, _, self.info, _ = struct.unpack(
                    "=IBBBBII", v[:16])
                family = struct.unpack("=H", v[16:18])[0] if len(v) >= 18 else 0
                if family:
                    self.by = host_of(v[20:24] if family == socket.AF_INET else v[24:40])


def queue(s):
    """Everything in the error queue now."""
    out = []
    for _ in range(4096):
        try:
            data, anc, _, addr = s.recvmsg(65535, 1024, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except BlockingIOError:
            break
        out.append(Entry(data, anc, addr))
    return out


def options(s, recverr, pmtu=None):
    """pmtu is the kernel's number (IP_PMTUDISC_*)."""
    v6 = s.family == socket.AF_INET6
    if recverr:
        s.setsockopt(0, IP_RECVERR, 1)
    if recverr and v6:
        s.setsockopt(41, IPV6_RECVERR, 1)
    if pmtu is not None:
        s.setsockopt(0, IP_MTU_DISCOVER, pmtu)
    if pmtu is not None and v6:
        s.setsockopt(41, IPV6_MTU_DISCOVER, pmtu)


def so_error(fd):
    with socket.socket(fileno=os.dup(fd)) as s:
        return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def name(e):
    return errno.errorcode.get(e, str(e)) if e else "-"
