# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces without names: gone when the last descriptor is.

isolate() first, while the process has one thread. It needs no privilege where
user namespaces are allowed; where they are not the test is skipped.
"""
import ctypes
import os
import select
import socket
import subprocess
import time

from . import tap

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def _call(name, *args):
    if getattr(libc, name)(*args):
        e = ctypes.get_errno()
        raise OSError(e, "%s: %s" % (name, os.strerror(e)))


def isolate(pin=True):
    """A user namespace of one user, root inside; one processor, so that what
    is injected first arrives first."""
    uid, gid = os.getuid(), os.getgid()
    try:
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNET)
        for name, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % uid),
                           ("gid_map", "0 %d 1" % gid)):
            with open("/proc/self/" + name, "w") as f:
                f.write(text)
    except OSError as e:
        tap.skip_all("no namespaces here: %s" % e)
    if pin:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


class Ns:
    """A new network namespace; `with ns:` is inside it."""

    def __init__(self):
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        _call("unshare", CLONE_NEWNET)
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        _call("setns", home, CLONE_NEWNET)
        os.close(home)
        self.back = []
        self.ip("link set lo up")
        for key in ("net.ipv6.conf.all.accept_dad", "net.ipv6.conf.default.accept_dad"):
            self.sysctl(key, 0)

    def __enter__(self):
        self.back.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        _call("setns", self.fd, CLONE_NEWNET)
        return self

    def __exit__(self, *why):
        fd = self.back.pop()
        _call("setns", fd, CLONE_NEWNET)
        os.close(fd)

    def run(self, argv, text=None):
        with self:
            r = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=20)
        if r.returncode:
            raise RuntimeError("%s: %s" % (" ".join(argv), r.stderr.strip()))
        return r.stdout

    def ip(self, *lines):
        """Lines of ip(8); those that begin with -6 are done after the others."""
        for flag in ("-4", "-6"):
            some = [x.removeprefix("-6 ") for x in lines if x.startswith("-6 ") == (flag == "-6")]
            argv = ["ip"] + (["-6"] if flag == "-6" else []) + ["-batch", "-"]
            if some:
                self.run(argv, "\n".join(some) + "\n")

    def nft(self, rules):
        self.run(["nft", "-f", "-"], rules)

    def sysctl(self, key, value):
        with self, open("/proc/sys/" + key.replace(".", "/"), "w") as f:
            f.write(str(value))

    def socket(self, *args):
        with self:
            return socket.socket(*args)

    def mac(self, ifname):
        with self:
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            s.bind((ifname, 0))
            return s.getsockname()[4]


def veth(a, ifa, b, ifb):
    with a:
        path = "/proc/%d/fd/%d" % (os.getpid(), b.fd)
        a.ip("link add %s type veth peer name %s netns %s" % (ifa, ifb, path))
    a.ip("link set %s up" % ifa)
    b.ip("link set %s up" % ifb)


def forwards(r):
    """r routes, and answers every wrong datagram with an error, without limit."""
    for key, value in (("net.ipv4.ip_forward", 1), ("net.ipv6.conf.all.forwarding", 1)):
        r.sysctl(key, value)
    unlimited(r)


def unlimited(ns):
    for key, value in (("net.ipv4.icmp_ratemask", 0), ("net.ipv4.icmp_ratelimit", 0),
                       ("net.ipv6.icmp.ratelimit", 0), ("net.ipv6.icmp.ratemask", 0),
                       ("net.ipv4.icmp_errors_use_inbound_ifaddr", 0),
                       ("net.ipv4.icmp_msgs_per_sec", 1000000),
                       ("net.ipv4.icmp_msgs_burst", 1000000)):
        try:
            ns.sysctl(key, value)
        except FileNotFoundError:
            pass  # the last two are of the whole machine on older kernels


def unreachables(ns):
    """How many ICMP and ICMPv6 "unreachable" this namespace has taken in."""
    with ns:
        with open("/proc/thread-self/net/snmp") as f:
            rows = [line.split() for line in f if line.startswith("Icmp:")]
        with open("/proc/thread-self/net/snmp6") as f:
            six = [line.split()[1] for line in f if line.startswith("Icmp6InDestUnreachs ")]
    return int(rows[1][rows[0].index("InDestUnreachs")]) + int(six[0])


def meet(a, to, b, seconds=5):
    """Waits until a datagram from a reaches address `to` in b."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    there, here = (n.socket(family, socket.SOCK_DGRAM) for n in (b, a))
    there.bind((to, 0))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            here.sendto(b"?", there.getsockname()[:2])
        except OSError:
            pass
        if select.select([there], [], [], 0.02)[0]:
            return
    raise RuntimeError("%s cannot be reached" % to)
