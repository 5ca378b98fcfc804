# SPDX-License-Identifier: BSD-2-Clause
"""The rows about roles, traffic and ends: what peers get, from where, and when."""
import json
import select
import socket
import time

from sockbed import Live, Peer, await_change, discard, echo, queue, sock
from tap import ok
from walkbed import Wire, client, free_port, row, server, sockets, to_port

PRINTABLE = bytes(range(32, 127))
ADDRESSES = ("127.0.0.1", "::1")


def ask(address, port, data=b"hello", source=None):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    if source:
        s.bind(source)
    s.settimeout(20)
    s.sendto(data, (address, port))
    return s


@row("server")
def check_server():
    for address in ADDRESSES:
        p = server("-u", address=address)
        s = ask(address, p.port, b"out of the net\n")
        ok(p.await_text("out of the net"), "--server: %s: what arrives is printed" % address, p.err)
        p.type(b"typed\n")
        ok(s.recv(99) == b"typed\n", "... and what is typed goes back", p.err)
        p.end()


@row("source-sink", "count", "write-size")
def check_source():
    for address in ADDRESSES:
        peer = discard(address)
        r = sock("-u", "-i", "-n7", "-w100", "--wait", "0", address, peer.port, input=b"not this\n")
        peer.await_count(7)
        pattern = (PRINTABLE * 2)[:100]
        ok([d for d, _ in peer.got] == [pattern] * 7 and not r.out,
           "--source-sink, --count, --write-size: %s: 7 times the pattern, 100 bytes of it" % address, peer.got)
        peer = discard(address)
        sock("-u", "-i", "--wait", "0", address, peer.port)
        peer.await_count(1024)
        ok(len(peer.got) == 1024 and {len(d) for d, _ in peer.got} == {1024}, "... 1024 times 1024 without")
        p = server("-u", "-i", address=address)
        ask(address, p.port, b"x" * 10).close()
        ok(p.await_text("received 10 bytes") and p.end() == 0 and not p.out, "... a sink prints no data", p.out)


@row("read-size")
def check_read_size():
    peer = discard("127.0.0.1")
    sock("-u", "-r", "4", "--wait", "0", "127.0.0.1", peer.port, input=b"abcdefghij")
    peer.await_count(3)
    ok([d for d, _ in peer.got] == [b"abcd", b"efgh", b"ij"], "--read-size: so much of the input at once", peer.got)
    p = server("-u", "-r", "4")
    ask("127.0.0.1", p.port, b"abcdefghij").close()
    ok(p.await_text("truncated.*abcd") and "abcde" not in p.out and p.end() == 3, "... and of a datagram", p.out)


@row("pause")
def check_pause():
    peer, times = None, []
    peer = Peer("127.0.0.1", 0, lambda data: times.append(time.monotonic()))
    sock("-u", "-i", "-n4", "-p", "60ms", "--wait", "0", "127.0.0.1", peer.port)
    peer.await_count(4)
    gaps = [b - a for a, b in zip(times, times[1:])]
    ok(len(gaps) == 3 and min(gaps) > 0.050, "--pause: between the datagrams of a source", gaps)
    p = server("-u", "-i", "-p", "400ms")
    start = time.monotonic()
    for n in range(3):
        ask("127.0.0.1", p.port, b"x" * (n + 1)).close()
    ok(p.await_text("received 2 bytes") and time.monotonic() - start > 0.35, "... and the reads of a sink", p.err)
    p.end()


@row("initial-pause")
def check_initial_pause():
    peer = discard("127.0.0.1")
    start = time.monotonic()
    p = Live("-u", "-i", "-n1", "-P", "300ms", "--wait", "0", "127.0.0.1", peer.port)
    peer.await_count(1)
    ok(time.monotonic() - start > 0.29, "--initial-pause: before the first write")
    p.end(None)
    p = server("-u", "-P", "600ms")
    before = queue(p.port)
    ask("127.0.0.1", p.port).close()
    ok(await_change(before, p.port) and "hello" not in p.out, "... and the first read: the kernel still has it")
    ok(p.await_text("hello"), "... until then")
    p.end()


@row("bind-port", "local")
def check_own_end():
    for address, other in (("127.0.0.1", "127.0.0.5"), ("::1", "::1")):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        peer, port = discard(address), free_port(family)
        sock("-u", "-i", "-n1", "-b", port, "--wait", "0", address, peer.port)
        sock("-u", "-i", "-n1", "-l", ("[%s]:%d" if ":" in other else "%s.%d") % (other, port), "--wait", "0",
             address, peer.port)
        peer.await_count(2)
        ends = [s[:2] for _, s in peer.got]
        ok(ends == [(address, port), (other, port)], "--bind-port, --local: whom the peer sees, %s" % address, ends)


@row("foreign")
def check_foreign():
    for address, text in (("127.0.0.1", "%s.%d"), ("::1", "[%s]:%d")):
        port = free_port(socket.AF_INET6 if ":" in address else socket.AF_INET)
        p = server("-u", "-f", text % (address, port), address=None)
        s = sockets(p)[0]
        peer = s.getpeername()[:2]
        s.close()
        ask(address, p.port, b"stranger").close()
        ask(address, p.port, b"friend", (address, port)).close()
        ok(p.await_text("friend") and "stranger" not in p.out and peer[1] == port,
           "--foreign: one client only, %s" % address, (peer, p.out))
        p.end()


@row("unconnected")
def check_unconnected():
    peer = discard("127.0.0.1")
    connected = []
    for args in ((), ("-o",)):
        p = client("-u", *args, to=("127.0.0.1", peer.port))
        s = sockets(p)[0]
        try:
            connected.append(s.getpeername()[1] == peer.port)
        except OSError:
            connected.append(None)
        s.close()
        p.end()
    ok(connected == [True, None], "--unconnected: the kernel knows no peer", connected)


@row("dest-address")
def check_dest_address():
    p = server("-u", "-E", address=None)
    ask("127.0.0.3", p.port).close()
    ok(p.await_text(r"from 127\.0\.0\.1, to 127\.0\.0\.3: hello"), "--dest-address: where it was sent to", p.out)
    ask("::1", p.port).close()
    ok(p.await_text("from ::1, to ::1: hello"), "... over IPv6", p.out)
    p.end()


@row("dontroute")
def check_dontroute_wire():
    with Wire("v0") as w:
        r = sock("-u", "-i", "-n1", "-Y", "--wait", "0", "198.51.100.7", 9)
        sock("-u", "-i", "-n1", "--wait", "0", "198.51.100.7", 10)
        got = w.all(lambda p: p.dst == "198.51.100.7", to_port(10))
        ok(r.returncode == 3 and "no route" in r.err and [p.dport for p in got] == [10],
           "--dontroute: nothing goes to a router", r.err)


@row("broadcast")
def check_broadcast_wire():
    with Wire("v0") as w:
        sock("-u", "-i", "-n1", "-B", "--wait", "0", "192.0.2.255", 9)
        ok(w.await_packet(to_port(9)), "--broadcast: it leaves")


@row("dev")
def check_dev_wire():
    with Wire("v0") as w:
        sock("-u", "-i", "-n1", "--dev", "v0", "--wait", "0", "255.255.255.255", 9)
        p = w.await_packet(to_port(9))
        ok(p and p.dst == "255.255.255.255", "--dev: 255.255.255.255 leaves by this interface")
        p = server("-u", "--dev", "v0", address=None)
        before = queue(p.port)
        ask("127.0.0.1", p.port).close()
        ok(queue(p.port) == before and "hello" not in p.out, "... and nothing comes in by another")
        p.end()


@row("ttl", "tos", "multicast-ttl")
def check_header():
    for address, group in (("127.0.0.1", "224.1.2.3"), ("::1", "ff15::7")):
        with Wire("lo") as w, Wire("v0") as v:
            sock("-u", "-i", "-n1", "-J", 7, "-H", 0x68, "--wait", "0", address, 9)
            sock("-u", "-i", "-n1", "-t", 5, "--dev", "v0", "--wait", "0", group, 9)
            p, m = w.await_packet(to_port(9)), v.await_packet(to_port(9))
            ok((p.ttl, p.tos) == (7, 0x68), "--ttl, --tos: in the header, %s" % address, (p.ttl, p.tos))
            ok(m.ttl == 5, "--multicast-ttl: in the header, %s" % group, m.ttl)


@row("no-checksum")
def check_unsummed():
    for address in ADDRESSES:
        with Wire() as w:
            r = sock("-u", "-i", "-n1", "--no-checksum", "--wait", "0", address, 9)
            sock("-u", "-i", "-n1", "--wait", "0", address, 10)
            sums = [w.await_packet(to_port(n)).udp_sum() for n in (9, 10)]
            ok(sums[0] == 0 and sums[1] != 0, "--no-checksum: in the header, %s" % address, sums)
            ok(("RFC 6935" in r.err) == (address == "::1"), "... what that means for IPv6 is told", r.err)


@row("pmtu")
def check_df():
    df = {}
    for word in ("dont", "want", "do", "probe", "interface", "omit"):
        with Wire() as w:
            sock("-u", "-i", "-n1", "--pmtu", word, "--wait", "0", "127.0.0.1", 9)
            df[word] = w.await_packet(to_port(9)).df()
    ok(df == {"dont": False, "want": True, "do": True, "probe": True, "interface": False, "omit": False},
       "--pmtu: the DF bit on the wire", df)


@row("loose-route", "strict-route")
def check_source_route():
    for flags, code in ((("-g", "-g"), 131), (("-G", "-g"), 137)):
        with Wire("v0") as w:
            sock("-u", "-i", "-n1", flags[0], "192.0.2.254", flags[1], "203.0.113.1", "--wait", "0", "198.51.100.9", 9)
            p = w.await_packet(lambda p: p.proto == 17)
            # The packet goes to the first hop; the list is of those after it.
            want = bytes([1, code, 11, 4]) + socket.inet_aton("203.0.113.1") + socket.inet_aton("198.51.100.9")
            ok(p and p.dst == "192.0.2.254" and p.options == want,
               "%s: the option of RFC 791 on the wire" % " ".join(flags), p and (p.dst, p.options))


@row("one-broadcast")
def check_one_broadcast():
    r = sock("-u", "-2", "127.0.0.1", 9)
    ok(r.returncode == 2 and "255.255.255.255" in r.err and r.err.count("\n") == 1,
       "--one-broadcast: refused, and what to use instead", r.err)


def member(interface, group):
    """Is the group in the kernel's list of an interface?"""
    if ":" in group:
        want = socket.inet_pton(socket.AF_INET6, group).hex()
        return any(line.split()[1:3] == [interface, want] for line in open("/proc/net/igmp6"))
    want, at = "%08X" % int.from_bytes(socket.inet_aton(group), "little"), None
    for line in open("/proc/net/igmp"):
        if not line[0].isspace():
            at = line.split()[1]
        elif at == interface and line.split()[0] == want:
            return True
    return False


@row("join")
def check_join():
    for group, source, wrong in (("224.7.7.7", "192.0.2.1", "192.0.2.9"), ("ff15::77", "fd00:2::1", "fd00:2::9")):
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("v0"))
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
        s.bind((source, 0))
        for text, heard in ((group + "%v0", True), ("%s%%v0@%s" % (group, source), True),
                            ("%s%%v0@%s" % (group, wrong), False)):
            p = server("-u", "-j", text, address=None)
            before = member("v0", group)
            s.sendto(b"to all", (group, p.port))
            ask("127.0.0.1", p.port, b"to one").close()
            fine = p.await_text("to one") and before and ("to all" in p.out) == heard
            ok(fine, "--join %s: a member%s" % (text, "" if heard else " that hears the other sender only"), p.out)
            p.end()
        ok(not member("v0", group), "... and no longer at the end")
        p = server("-u", "--dev", "v0", address=group)
        ok(member("v0", group) and "multicast group joined" in p.err,
           "a server at %s is a member" % group, p.err)
        p.end()


@row("errors")
def check_errors():
    for word, on in (("queue", 1), ("socket", 0), ("none", 0)):
        p = client("-u", "--errors", word, to=("127.0.0.1", 9))
        s = sockets(p)[0]
        got = s.getsockopt(socket.IPPROTO_IP, 11)		# IP_RECVERR
        s.close()
        p.end()
        ok(got == on, "--errors %s: IP_RECVERR" % word, got)


@row("expect-answer", "wait")
def check_waiting():
    peer = discard("127.0.0.1")
    took, status = [], []
    for args in (("--wait", "0"), ("--wait", "400ms"), ("--wait", "400ms", "--expect-answer")):
        start = time.monotonic()
        status.append(sock("-u", "-i", "-n1", *args, "127.0.0.1", peer.port).returncode)
        took.append(time.monotonic() - start)
    ok(took[0] < took[1] and took[1] > 0.39, "--wait: so long at the end", took)
    ok(status == [0, 0, 3], "--expect-answer: silence is a bad fate", status)
    ok(sock("-u", "-i", "-n1", "--expect-answer", "127.0.0.1", echo("127.0.0.1").port).returncode == 0,
       "... an answer is not")


def busy_ticks(p):
    """Processor time of a process, in ticks of a hundredth second."""
    with open("/proc/%d/stat" % p.p.pid) as f:
        return sum(int(n) for n in f.read().rpartition(")")[2].split()[11:13])


@row("spin")
def check_spin():
    sleeps = server("-u", "--service", "echo")
    spins = server("-u", "--service", "echo", "--spin")
    end = time.monotonic() + 20
    while busy_ticks(spins) < 20 and time.monotonic() < end:
        time.sleep(0.01)
    ok(busy_ticks(spins) >= 20 and busy_ticks(sleeps) < 10,
       "--spin: nobody asks, and still it runs; without it sleeps", (busy_ticks(spins), busy_ticks(sleeps)))
    r = sock("-u", "--request", "--spin", "127.0.0.1", spins.port, input=b"are you there\n")
    ok(r.out == "are you there\n" and r.returncode == 0, "--spin: asks and answers", r.all)
    sleeps.end()
    ok(spins.end() == 0, "--spin: a signal ends it", spins.err)


@row("no-trains")
def check_no_trains():
    largest = {}
    for args in ((), ("--no-trains",)):
        peer = discard("127.0.0.1")
        with Wire() as w:
            sock("-u", "-i", "-n500", "-w100", *args, "--wait", "0", "127.0.0.1", peer.port)
            sock("-u", "-i", "-n1", "--wait", "0", "127.0.0.1", 10)
            sizes = [len(p.payload) for p in w.all(to_port(peer.port), to_port(10))]
        peer.await_count(500)
        largest[args] = max(sizes)
        ok(sum(sizes) == 50000 and len(peer.got) == 500, "--no-trains: 500 datagrams either way", (args, len(peer.got)))
    ok(largest[("--no-trains",)] == 100 < largest[()], "--no-trains: each goes by itself, otherwise in trains", largest)


def taken(port):
    """Somebody is bound there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@row("no-trains")
def check_drops_of_trains():
    for args in ((), ("--no-trains",)):
        port = free_port(socket.AF_INET, socket.SOCK_DGRAM)
        p = Live("-s", "-u", "-i", "-R", "8k", "-r", "2048", "--json", *args, "127.0.0.1", port)
        end = time.monotonic() + 10
        while not taken(port) and time.monotonic() < end:
            select.select([], [], [], 0.01)
        for _ in range(20):
            sock("-u", "-i", "-n20000", "-w1400", *args, "--wait", "0", "127.0.0.1", port)
            if p.await_text('"dropped-receiving"', 0.2):
                break
        p.end()
        total = json.loads(p.out.splitlines()[-1])
        ok(total["fates"].get("dropped-receiving", 0) > 0 and
           total.get("at_least", False) is (not args),
           "--no-trains: drops are exact with it, else at least so many, in the summary too", total)


def burnt(pid):
    """Ticks of processor time."""
    return sum(map(int, open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[11:13]))


@row("spin")
def check_spin():
    used = {}
    for args in ((), ("--spin",)):
        p = server("-u", "--service", "echo", *args)
        ok(ask("127.0.0.1", p.port, b"12345").recv(9) == b"12345", "--spin: an echo, %s" % (args,))
        before, end = burnt(p.p.pid), time.monotonic() + (20 if args else 0.3)
        while burnt(p.p.pid) - before < 10 and time.monotonic() < end:
            select.select([], [], [], 0.02)
        used[args] = burnt(p.p.pid) - before
        p.end()
    ok(used[()] < 5 and used[("--spin",)] >= 10, "--spin: it waits on the processor, otherwise asleep", used)
