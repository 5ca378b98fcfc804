# SPDX-License-Identifier: BSD-2-Clause
"""The rows that are options of the socket: asked of the kernel from outside, for
server and client, UDP and TCP, IPv4 and IPv6; unset, they must be different."""
import socket
import struct

from sockbed import Live, discard, sock
from tap import ok
from walkbed import Acceptor, client, free_port, get, has_tcp, row, server, sockets

S, IP, IP6 = socket.SOL_SOCKET, socket.IPPROTO_IP, socket.IPPROTO_IPV6
UDP_NO_CHECK6_TX, SO_NO_CHECK = 101, 11
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER = 10, 23
DOMAIN, TYPE = 39, 3
TCP = socket.IPPROTO_TCP
BOTH, DATAGRAM, STREAM = ("-u", ""), ("-u",), ("",)
MODES = {"dont": 0, "want": 1, "do": 2, "probe": 3, "interface": 4, "omit": 5}


def timeval(seconds, micros):
    return struct.pack("=qq", seconds, micros)


# name: arguments, (level, option) for IPv4, for IPv6, value, protocols
ROWS = [
    ("reuseport", ("-T",), (S, socket.SO_REUSEPORT), (S, socket.SO_REUSEPORT), 1, BOTH),
    ("dontroute", ("-Y",), (S, socket.SO_DONTROUTE), (S, socket.SO_DONTROUTE), 1, BOTH),
    ("broadcast", ("-B",), (S, socket.SO_BROADCAST), (S, socket.SO_BROADCAST), 1, DATAGRAM),
    ("dev", ("--dev", "lo"), (S, socket.SO_BINDTODEVICE), (S, socket.SO_BINDTODEVICE), b"lo\0", BOTH),
    ("rcvbuf", ("-R", 8192), (S, socket.SO_RCVBUF), (S, socket.SO_RCVBUF), 16384, BOTH),
    ("sndbuf", ("-S", 10000), (S, socket.SO_SNDBUF), (S, socket.SO_SNDBUF), 20000, BOTH),
    ("ttl", ("-J", 9), (IP, socket.IP_TTL), (IP6, socket.IPV6_UNICAST_HOPS), 9, BOTH),
    ("tos", ("-H", 0x48), (IP, socket.IP_TOS), (IP6, socket.IPV6_TCLASS), 0x48, BOTH),
    ("multicast-ttl", ("-t", 5), (IP, socket.IP_MULTICAST_TTL), (IP6, socket.IPV6_MULTICAST_HOPS), 5, DATAGRAM),
    ("receive-timeout", ("-x", 19000), (S, 20), (S, 20), timeval(19, 0), BOTH),
    ("send-timeout", ("-y", "7s"), (S, 21), (S, 21), timeval(7, 0), BOTH),
    ("no-checksum", ("--no-checksum",), (S, SO_NO_CHECK), (socket.IPPROTO_UDP, UDP_NO_CHECK6_TX), 1, DATAGRAM),
    ("keepalive", ("-K",), (S, socket.SO_KEEPALIVE), (S, socket.SO_KEEPALIVE), 1, STREAM),
    ("nodelay", ("-N",), (TCP, socket.TCP_NODELAY), (TCP, socket.TCP_NODELAY), 1, STREAM),
    ("so-linger", ("-L", 9), (S, socket.SO_LINGER), (S, socket.SO_LINGER), struct.pack("=ii", 1, 9), STREAM),
] + [("pmtu", ("--pmtu", word), (IP, IP_MTU_DISCOVER), (IP6, IPV6_MTU_DISCOVER), mode, BOTH)
     for word, mode in MODES.items()]


def of_socket(p, kind, where, want):
    size = 16 if isinstance(want, bytes) else 4
    s = sockets(p, kind)[-1]
    got = get(s, *where, size)
    s.close()
    p.end()
    return got


def asked(args, proto, address, ports, where, want):
    """What the kernel says of a server's and of a client's socket."""
    kind = socket.SOCK_DGRAM if proto else socket.SOCK_STREAM
    args = ([proto] if proto else []) + list(args)
    a = of_socket(server(*args, address=address), kind, where, want)
    b = of_socket(client(*args, to=(address, ports[proto, address])), kind, where, want)
    return [a, b]


def walk(name, rows):
    protos = [p for p in ("-u", "") if p or has_tcp()]
    ports = {(p, a): (discard(a) if p else Acceptor(a)).port for p in protos for a in ("127.0.0.1", "::1")}
    for proto in protos:
        for address in ("127.0.0.1", "::1"):
            bad = []
            for _, args, v4, v6, want, who in rows:
                where = v4 if "." in address else v6
                if proto not in who:
                    continue
                got = asked(args, proto, address, ports, where, want)
                if got != [want, want]:
                    bad.append("%s: %s" % (args, got))
                if name != "pmtu" and want in asked((), proto, address, ports, where, want):
                    bad.append("without %s: the same" % (args,))
            if any(proto in r[5] for r in rows):
                ok(not bad, "--%s: %s, %s, as the kernel has it" % (name, "UDP" if proto else "TCP", address), bad)


for name in dict.fromkeys(r[0] for r in ROWS):
    row(name)(lambda name=name: walk(name, [r for r in ROWS if r[0] == name]))


@row("reuseaddr")
def check_reuseaddr():
    for proto in ("-u",) + (("",) if has_tcp() else ()):
        kind = socket.SOCK_DGRAM if proto else socket.SOCK_STREAM
        args = ["-A"] + ([proto] if proto else [])
        ok(of_socket(server(*args), kind, (S, socket.SO_REUSEADDR), 1) == 1,
           "--reuseaddr: %s, as the kernel has it" % ("UDP" if proto else "TCP"))
    p = server("-u")
    ok(of_socket(p, socket.SOCK_DGRAM, (S, socket.SO_REUSEADDR), 0) == 0, "... and not without")


@row("so-debug")
def check_so_debug():
    with socket.socket() as s:
        try:
            s.setsockopt(S, socket.SO_DEBUG, 1)
        except PermissionError:
            r = sock("-D", "127.0.0.1", 9)
            ok(r.returncode and r.err.count("\n") == 1 and "CAP_NET_ADMIN" in r.err and "ss -tie" in r.err,
               "--so-debug: this kernel refuses it, one line says why and what is better", r.err)
            return
    ok(of_socket(server("-D"), socket.SOCK_STREAM, (S, socket.SO_DEBUG), 1) == 1, "--so-debug: as the kernel has it")


@row("udp")
def check_udp():
    ok(of_socket(server("-u"), None, (S, TYPE), 2) == socket.SOCK_DGRAM, "--udp: the socket's type")
    if has_tcp():
        ok(of_socket(server(), None, (S, TYPE), 1) == socket.SOCK_STREAM, "... and not without")


@row("ipv4", "ipv6")
def check_family():
    p = server("-u", "-4", address=None)
    ok(of_socket(p, None, (S, DOMAIN), 2) == socket.AF_INET, "--ipv4: the socket's family")
    only = []
    for args in (["-6"], []):
        p = server("-u", *args, address=None)
        s = sockets(p)[0]
        only.append((s.family == socket.AF_INET6, s.getsockopt(IP6, socket.IPV6_V6ONLY)))
        s.close()
        p.end()
    ok(only == [(True, 1), (True, 0)], "--ipv6: IPv6 only, without it both", only)


# The lines of the literature, to the letter; each is said once the option was
# set and read back.
SAID = [
    ("-u -s", "-H 16 -J 9 -t 5 -x 1500 -y 20ms -I -B -Y -j 224.7.7.7%v0 -E", "", [
        "SO_DONTROUTE set", "SO_BROADCAST set", "IP_TOS set to 16", "IP_TTL set to 9",
        "IP_MULTICAST_TTL set to 5", "SO_RCVTIMEO: 1.500000", "SO_SNDTIMEO: 0.020000", "IP_RECVDSTADDR set",
        "IP_ADD_MEMBERSHIP set", "FIOASYNC set"]),
    ("-u -s", "--dev v0", "224.7.7.7", ["multicast group joined"]),
    ("-u", "-g 192.0.2.254 -g 192.0.2.253", "192.0.2.1 9", [
        "source route to 192.0.2.254", "source route to 192.0.2.253", "source route size 12 bytes"]),
    ("-s", "-K -N -L 5 -H 16 -I", "", ["SO_KEEPALIVE set", "TCP_NODELAY set", "linger on, time = 5", "IP_TOS set to 16",
                                       "FIOASYNC set"]),
]


@row("verbose")
def check_lines():
    for role, args, end, lines in SAID:
        port = free_port(kind=socket.SOCK_DGRAM if "-u" in role else socket.SOCK_STREAM)
        p = Live(*role.split(), "-v", *args.split(), *(end.split() if "-s" not in role else end.split() + [port]))
        p.await_text("waiting on|connected on")
        if role == "-s":
            socket.create_connection(("127.0.0.1", port)).close()
        p.end(None if role == "-s" else 2)
        said = p.err.splitlines()
        ok(not [x for x in lines if said.count(x) != 1], "-v says of %s what the literature did" % args, p.err)
    port = Acceptor("127.0.0.1").port
    r = sock("-H", 3, "127.0.0.1", port)
    ok("IP_TOS = 0 (3 asked for)\n" in r.err, "what was not set as asked is told without -v: ECN belongs to TCP", r.all)
