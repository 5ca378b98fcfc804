#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sockpath's words: bad input, names, ends by signal, forged answers."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sockbed  # noqa: E402
from tap import done, ok  # noqa: E402

SOCKPATH = os.path.join(os.environ["SOCKEYE_BUILD"], "prog/sockpath/sockpath")
ENV = dict(os.environ, TZ="UTC", LC_ALL="C")

MOUNTS = ('mount --bind "$1/hosts" /etc/hosts && '
          'mount --bind "$1/resolv.conf" /etc/resolv.conf && exec "$0" "$2" "$1"')


def enter():
    """Namespaces of users, networks and mounts: with name servers of our own."""
    if len(sys.argv) > 1:
        return sys.argv[1]
    sockbed.enter("route add unreachable 192.0.2.0/24", "link add v0 type veth peer v1",
                  "addr add 198.51.100.1/24 brd + dev v0", "link set v0 up", "link set v1 up",
                  "link add down0 type veth peer down1")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("hosts", "192.0.2.4 only4\n2001:db8::6 only6\n"),
                           ("resolv.conf", "nameserver 127.0.0.53\n")):
            with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                f.write(text)
        sys.exit(subprocess.run(["unshare", "-m", "sh", "-c", MOUNTS, sys.executable, folder,
                                 os.path.abspath(__file__)]).returncode)


enter()


def run(*args, timeout=20, **more):
    p = subprocess.run([SOCKPATH, *args], capture_output=True, text=True, timeout=timeout,
                       env=ENV, stdin=subprocess.DEVNULL, **more)
    p.all = "status %d\n%s%s" % (p.returncode, p.stdout, p.stderr)
    return p


BAD = [
    ([], "a host is missing"), ([""], "''"), (["127.0.0.1", "27"], "'27'"),
    (["127.0.0.1", "70000"], "'70000'"), (["127.0.0.1", "1e3"], "'1e3'"),
    (["127.0.0.1", "35"], "'35'"), (["a", "60", "b"], "'b'"),
    (["nosuch.invalid"], "'nosuch.invalid': unknown host"),
    (["-6", "127.0.0.1"], "'127.0.0.1': an IPv4 address"),
    (["-4", "::1"], "'::1': an IPv6 address"), (["-4", "-6", "x"], "-4 and -6"),
    (["-6", "only4"], "'only4': has IPv4 addresses only"),
    (["-4", "only6"], "'only6': has IPv6 addresses only"),
    (["224.0.0.1"], "a group or broadcast address"), (["ff02::1%lo"], "a group or broadcast"),
    (["255.255.255.255"], "a group or broadcast"), (["198.51.100.255"], "a group or broadcast"),
    (["-i", "nope", "127.0.0.1"], "-i 'nope': no such interface"),
    (["-s", "203.0.113.1", "127.0.0.1"], "-s '203.0.113.1': not an address of this host"),
    (["-s", "::1", "127.0.0.1"], "'127.0.0.1': an IPv4 address"),
    (["-p", "0", "x"], "'-p 0'"), (["-p", "nosuchservice", "x"], "'-p nosuchservice'"),
    (["-q", "11", "x"], "'-q 11'"), (["-m", "256", "x"], "'-m 256'"),
    (["-f", "4", "-m", "3", "x"], "-f: more than -m"), (["-t", "256", "x"], "'-t 256'"),
    (["-l", "7", "127.0.0.1"], "no flow label"), (["-d", "x"], "SO_DEBUG"),
    (["-A", "x"], "registry"), (["-I", "-T", "x"], "-I and -T"), (["-I", "-p", "7", "x"], "-p"),
    (["-T", "127.0.0.1", "60"], "packetlen"),
    (["--paths", "--reverse", "x"], "--reverse"), (["--cycles", "1", "--reverse", "x"], "--reverse"),
    (["--cycles", "1", "--expect-mtu", "1400", "x"], "--expect-mtu"), (["-T", "--expect-mtu", "1400", "x"], "--expect-mtu"), (["-z", "x", "y"], "'-z x'"),
    (["-w", "61", "x"], "'-w 61'"), (["--shard", "1/2", "x"], "--shard"),
    (["-6", "-g", "::1", "::1"], "-g"), (["--style", "fancy", "x"], "'--style fancy'"),
    (["--nosuch", "x"], "'--nosuch'"), (["--json=document", "--json=-", "x"], "given twice"), (["-g", "127.0.0.1"], "a host is missing"),
]


def bad_input():
    for args, text in BAD:
        p = run(*args)
        lines = p.stderr.splitlines()
        ok(p.returncode == 2 and not p.stdout and len(lines) == 1 and text in lines[0] and
           lines[0].startswith("sockpath: "), "sockpath %s: one line, status 2" % " ".join(args), p.all)


def refused_here():
    p = run("192.0.2.1")
    ok(p.returncode == 3 and "not reached: this host has no route there" in p.stdout, "no route", p.all)
    for words in (["--paths"], ["--cycles", "1"]):
        p = run("--json=document", *words, "192.0.2.1")
        doc = json.loads(p.stdout)
        ok(p.returncode == 3 and doc["reached"] is False and not doc.get("complete") and
           (doc["stop"], doc["errno"], doc.get("sent", 0)) == ("local", "EHOSTUNREACH", 0) and
           "192.0.2.1" in p.stderr, "no route, a whole document: " + words[0], p.all)
    p = run("-i", "down0", "192.0.2.1")
    ok(p.returncode == 3 and "interface down0 is down" in p.stdout, "an interface that is down", p.all)
    p = run("198.51.100.7")
    ok(p.returncode == 3 and "not reached: no neighbour answered" in p.stdout and
       "silent" not in p.stdout, "nobody has the address", p.all)
    p = run("-T", "198.51.100.8")
    ok(p.returncode == 3 and "not reached: no neighbour answered" in p.stdout, "nor for TCP", p.all)
    p = run("--json=document", "nosuch.invalid")
    ok(p.returncode == 2 and json.loads(p.stdout)["stop"] == "failed",
       "a document even if the host is unknown", p.all)


def here():
    for host, mtu in (("127.0.0.1", 65535), ("::1", 65535), ("0.0.0.0", 65535),
                      ("198.51.100.1", 65535)):
        p = run("--json=document", host)
        d = json.loads(p.stdout)
        ok(p.returncode == 0 and d["reached"] and d["pmtu"] == mtu and len(d["hops"]) == 1,
           "%s: this host, one hop" % host, p.all)
    echo = sockbed.echo("127.0.0.1")
    p = run("-p", str(echo.port), "--json=document", "127.0.0.1")
    d = json.loads(p.stdout)
    ok(d["reached"] and d["hops"][0]["probes"][0]["fate"] == "answered", "a service that answers", p.all)
    p = run("--json=/dev/full", "127.0.0.1")
    ok(p.returncode == 1 and "cannot write" in p.stderr, "a full disk is told", p.all)
    for words in ([], ["--style", "book"]):
        with open("/dev/full", "w", encoding="ascii") as f:
            p = subprocess.run([SOCKPATH, *words, "127.0.0.1"], stdout=f, env=ENV, text=True,
                               stderr=subprocess.PIPE, timeout=20, check=False)
        ok(p.returncode == 1 and "No space left" in p.stderr, "a full disk by its name", p.stderr)
    p = run("--json=/no/such/file", "127.0.0.1")
    ok(p.returncode == 1 and "/no/such/file" in p.stderr, "a file that cannot be is told", p.all)
    with tempfile.NamedTemporaryFile() as f:
        p = run("--json=" + f.name, "127.0.0.1")
        rows = [json.loads(line) for line in open(f.name, encoding="utf-8")]
    ok(p.stdout.startswith("path to 127.0.0.1") and [r["type"] for r in rows] == ["hop", "summary"],
       "lines for people and records for a file", p.all)


def signals():
    """Nobody answers, so that it takes a while; ended at many moments."""
    for sig, status in ((signal.SIGINT, 3), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        faults = []
        for i in range(12):
            p = subprocess.Popen([SOCKPATH, "--json=document", "198.51.100.9"], env=ENV,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            end = time.monotonic() + i * i * 0.0005
            while time.monotonic() < end:
                pass
            # before the first instruction of main() a signal is the loader's
            while b"sockpath" not in open("/proc/%d/comm" % p.pid, "rb").read() or \
                    not int([x for x in open("/proc/%d/status" % p.pid) if x[:6] == "SigCgt"][0]
                            .split()[1], 16) & 2 and not int([x for x in open(
                                "/proc/%d/status" % p.pid) if x[:6] == "SigBlk"][0].split()[1], 16) & 2:
                if p.poll() is not None:
                    break
            p.send_signal(sig)
            out, err = p.communicate(timeout=10)
            try:
                d = json.loads(out)
                good = d["type"] == "path" and d["stop"] == "interrupted" and out.count("\n") == 1
            except ValueError:
                good = False
            if not good or p.returncode != status:
                faults.append("%d: status %d\n%s%s" % (i, p.returncode, out, err))
        ok(not faults, "%s at twelve moments: a valid document, status %d" % (sig.name, status),
           "\n".join(faults))
    p = subprocess.Popen([SOCKPATH, "198.51.100.9"], env=ENV, stdout=subprocess.PIPE, text=True)
    first = p.stdout.readline()
    p.send_signal(signal.SIGINT)
    out = p.communicate(timeout=10)[0]
    ok(first.startswith("path to ") and "not reached: interrupted" in out and p.returncode == 3,
       "Ctrl-C: what was known, and status 3", first + out)


def unread():
    """Repeated for ever, and the reader goes."""
    p = subprocess.Popen([SOCKPATH, "--cycles", "0", "--interval", "0.05", "--json", "127.0.0.1"],
                         env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    p.stdout.readline()
    p.stdout.close()
    err = p.stderr.read()
    ok(p.wait(20) in (0, 3) and not err, "it ends when nobody reads any more", err)


def privileges():
    """All of them at the start, none when the first line is out."""
    p = subprocess.Popen([SOCKPATH, "--raw", "198.51.100.9"], env=ENV, stdout=subprocess.PIPE,
                         text=True)
    p.stdout.readline()
    with open("/proc/%d/status" % p.pid, encoding="ascii") as f:
        has = dict(line.split(":\t") for line in f.read().splitlines() if ":\t" in line)
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=10)
    ok(not int(has["CapPrm"], 16) and not int(has["CapEff"], 16) and has["NoNewPrivs"] == "1",
       "no privilege is left when probes are sent", has)


def name_server(how):
    """A DNS server at 127.0.0.53 that takes its time: how is its delay, and its names."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.53", 53))
    asked = []

    def answer(query, peer):
        asked.append(time.monotonic())
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += query[at] + 1
        name = how["known"](labels)
        head = query[:2] + struct.pack(">HHHHH", 0x8180 if name else 0x8183, 1, 1 if name else 0, 0, 0)
        body = query[12:at + 5]
        if name:
            data = b"".join(bytes([len(x)]) + x for x in name.split(b".")) + b"\0"
            body += b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 60, len(data)) + data
        threading.Timer(how["delay"], lambda: s.sendto(head + body, peer)).start()

    def serve():
        while True:
            answer(*s.recvfrom(512))
    threading.Thread(target=serve, daemon=True).start()
    return asked


def names():
    """Nothing is in /etc/hosts; the server takes its time."""
    how = {"delay": 0.3,
           "known": lambda labels: b"my.own-host.example" if labels[0] == "1" else None}
    asked = name_server(how)
    begin = time.monotonic()
    p = subprocess.Popen([SOCKPATH, "127.0.0.1"], env=ENV, stdout=subprocess.PIPE, text=True)
    shown = [(p.stdout.readline(), time.monotonic() - begin) for _ in range(5)]
    p.wait()
    built = bool(asked)
    if not built and not p.returncode:
        sockbed.tap.skip("names by a slow server", "built without c-ares")
        return
    ok([x[0].split()[0] for x in shown] == ["path", "1", "path", "reached", "127.0.0.1"] and
       shown[4][0] == "127.0.0.1 is my.own-host.example\n", "a name that comes late follows at the end",
       shown)
    ok(shown[3][1] < asked[0] - begin + 0.3, "no line waits for a name", shown)
    p = subprocess.run([SOCKPATH, "-n", "127.0.0.1"], env=ENV, capture_output=True, text=True)
    count = len(asked)
    p = subprocess.run([SOCKPATH, "-n", "127.0.0.1"], env=ENV, capture_output=True, text=True)
    ok(len(asked) == count and "example" not in p.stdout, "-n asks nobody", p.stdout)
    p = subprocess.run([SOCKPATH, "--json=document", "127.0.0.1"], env=ENV, capture_output=True, text=True)
    ok(json.loads(p.stdout)["hops"][0].get("name") == "my.own-host.example",
       "the document has the name", p.stdout)
    how.update(delay=0, known=lambda labels: b"\x1b[31mred\x1b[0m.example")
    p = subprocess.run([SOCKPATH, "127.0.0.1"], env=ENV, capture_output=True, text=True)
    ok("\x1b" not in p.stdout and "red" not in p.stdout, "a name with control characters is none", p.stdout)


def checksum(data):
    n = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while n > 0xffff:
        n = (n & 0xffff) + (n >> 16)
    return 0xffff ^ n


def forger(stop, dst, sport, kind, code, rest):
    """Errors that quote what was never sent, as fast as may be."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    raw.bind(("127.0.0.66", 0))
    tag = b"\0\0\0\1" + b"guess me" + bytes(20)
    quote = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 60, 7, 0x4000, 1, 17, 0,
                        socket.inet_aton("127.0.0.1"), socket.inet_aton(dst)) + \
        struct.pack(">HHHH", sport, 33434, 40, 0) + tag
    msg = struct.pack(">BBHI", kind, code, 0, rest) + quote
    msg = msg[:2] + struct.pack(">H", checksum(msg)) + msg[4:]
    while not stop.is_set():
        raw.sendto(msg, ("127.0.0.1", 0))
        stop.wait(0.002)


def forged():
    subprocess.run(["nft", "add table ip t; add chain ip t i { type filter hook input priority 0; }; "
                    "add rule ip t i ip daddr 127.0.0.2 udp dport 33434 drop"], check=False,
                   capture_output=True)
    for what, kind, code, rest in (("hops", 11, 0, 0), ("an end", 3, 3, 0), ("an MTU", 3, 4, 68)):
        stop = threading.Event()
        t = threading.Thread(target=forger, args=(stop, "127.0.0.2", 40001, kind, code, rest))
        t.start()
        p = run("--json=document", "-s", "127.0.0.1", "--sport", "40001", "127.0.0.2")
        stop.set()
        t.join()
        d = json.loads(p.stdout)
        ok(p.returncode == 3 and d.get("forged", 0) > 0 and not d["reached"] and "pmtu" not in d and
           not any(h["state"] == "answered" for h in d["hops"]) and d["sent"] <= 100,
           "forged %s: counted, and nothing is believed" % what, p.all)
    stop = threading.Event()
    t = threading.Thread(target=forger, args=(stop, "127.0.0.2", 40001, 11, 0, 0))
    t.start()
    p = run("-v", "-n", "-s", "127.0.0.1", "--sport", "40001", "127.0.0.2")
    stop.set()
    t.join()
    ok(p.stdout.count("ignored: 11/0 from 127.0.0.66, about what was never sent") == 10 and
       "forged or foreign answers were ignored" in p.stdout, "-v tells who forges", p.all)


bad_input()
refused_here()
here()
signals()
unread()
privileges()
names()
forged()
done()
