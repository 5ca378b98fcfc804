#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 300
"""sockpath --style beside the program whose lines it is to print: the same text when
times are masked, each in a fresh network of its own. And the book's lines."""
import concurrent.futures as futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
sys.path.insert(0, SRC + "/tests")
from tap import done, ok, skip, skip_all  # noqa: E402

SOCKNET = BUILD + "/prog/socknet/socknet"
SOCKPATH = BUILD + "/prog/sockpath/sockpath"
TRIES = 3       # a loaded machine makes stars; a wrong line is there each time

STEPS = """
link r3 r4 10.10.3.1/24 10.10.3.2/24 mtu 1400
route r3 10.0.8.2 via 10.10.3.2
link r5 r6 10.10.5.1/24 10.10.5.2/24 mtu 1006
route r5 10.0.8.2 via 10.10.5.2
link r7 r8 10.10.7.1/24 10.10.7.2/24 mtu 296
route r7 10.0.8.2 via 10.10.7.2
"""
LONG_BACK = """
router x1 x2
link r6 x1 10.50.1.1/24 10.50.1.2/24
link x1 x2 10.50.2.1/24 10.50.2.2/24
link x2 r5 10.50.3.1/24 10.50.3.2/24
route r6 10.0.0.1 via 10.50.1.2
route x1 10.0.0.1 via 10.50.2.2
route x2 10.0.0.1 via 10.50.3.2
router r5 mpls 100
router r6 mpls 100 200
"""
SILENT = "router r3 answer silent\nrouter r5 answer silent\n"
DEAF = "filter d input udp dport 1-65535 drop\n"
DIRECT = 'lab "x"\nhost s d\nlink s d 10.0.0.1/24 10.0.0.2/24 fd00::1/64 fd00::2/64\n'
CODES4, CODES6 = [0, 1, 2, 5, 6, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 5, 6]


def chain(more="", n=8):
    return f'lab "x"\ninclude chain-{n}\n{more}'


def star():
    """A router that refuses for each code, behind one that does not."""
    lines = ['lab "x"', "host s", "router m", "link s m 10.0.0.1/24 10.0.0.2/24 "
             "fd00::1/64 fd00::2/64", "route s default via 10.0.0.2",
             "route s default via fd00::2"]
    for kind, codes, v in ((3, CODES4, 4), (1, CODES6, 6)):
        for c in codes:
            name = f"c{v}x{c}"
            lines += [f"router {name}", f"link m {name} 10.{v}.{c}.1/24 10.{v}.{c}.2/24 "
                      f"fd0{v}:{c}::1/64 fd0{v}:{c}::2/64",
                      f"route {name} default via 10.{v}.{c}.1",
                      f"route {name} default via fd0{v}:{c}::1",
                      f"route m 10.{v + 10}.{c}.0/24 via 10.{v}.{c}.2",
                      f"route m fd1{v}:{c}::/64 via fd0{v}:{c}::2",
                      f"router {name} answer all type {kind} code {c}"]
    return "\n".join(lines) + "\n"


def say(lab, host, *commands):
    """What each command prints on a host of a fresh network; errors are left out."""
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/x.lab", "w", encoding="ascii") as f:
            f.write(lab)
        script = "; ".join(f"{{ {c}; }} 2>/dev/null; echo '%%'" for c in commands)
        p = subprocess.run([SOCKNET, "-H", host, "run", d + "/x.lab", "--", "sh", "-c", script],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=150, check=False, env=dict(os.environ, LC_ALL="C"))
    return p.stdout.split("%%\n")[:-1] or [p.stderr]


def masked(text):
    """Digits of times only: where they stand is compared as well, unless a second and
    more made the line longer."""
    def field(m):
        return "T" * (len(m[1]) - max(0, len(m[1].strip()) - 7)) + "ms"
    text = re.sub(r"\d+\.\d{3} ms", "T ms", text)
    return re.sub(r"( *\d+\.\d{3})ms", field, text)


def same(title, lab, *pairs, host="s"):
    """pairs: (words of the peer, words of ours)."""
    for peer in {p.split()[0] for p, _ in pairs}:
        if not shutil.which(peer, path=os.environ["PATH"] + ":/usr/sbin"):
            return (None, title, f"no {peer}")
    seen = ""
    for _ in range(TRIES):
        theirs = say(lab, host, *("PATH=$PATH:/usr/sbin " + p for p, _ in pairs))
        ours = say(lab, host, *(f"{SOCKPATH} {o}" for _, o in pairs))
        seen = "".join(f"$ {p}\n{a}$ sockpath {o}\n{b}"
                       for (p, o), a, b in zip(pairs, theirs, ours)
                       if masked(a) != masked(b) or not a.strip())
        if not seen and len(theirs) == len(ours) == len(pairs):
            return (True, title, "")
    return (False, title, seen or f"{theirs}\n{ours}")


def route(words, ours=None):
    return ("traceroute " + words, "--style traceroute " + (ours or words))


def path(words, ours=None):
    return ("tracepath " + words, "--style tracepath " + (ours or words))


def cases():
    yield "eight routers, traceroute", chain(), route("-4 d"), route("-6 d"), \
        route("-n -q 1 -N 1 d"), route("-f 3 -m 5 -q 2 d.v4 100"), route("-4 -z 20 -q 1 d")
    yield "eight routers, tracepath", chain(), path("-4 d"), path("-6 d"), path("-n d.v4"), \
        path("-b d.v4"), path("-m 3 d.v4"), path("-4 -l 300 -p 40000 d", "-4 -p 40000 d 300")
    yield "three MTU steps, traceroute --mtu", chain(STEPS), route("--mtu d.v4")
    yield "three MTU steps, one probe each", chain(STEPS), route("--mtu -n -q 1 d.v4")
    yield "three MTU steps, tracepath", chain(STEPS), path("d.v4")
    yield "packets that may be cut, and that may not", chain(STEPS), \
        route("-n d.v4 1500"), route("-n -F d.v4 1500")
    yield "silent routers, traceroute", chain(SILENT), route("-w 1 d.v4"), \
        route("-w 1,3,10 -n --mtu d.v4")
    yield "silent routers, tracepath", chain(SILENT), path("d.v4"), path("d.v6")
    yield "a silent destination, traceroute", chain(DEAF), route("-w 1 -m 12 d.v4")
    yield "a silent destination, tracepath", chain(DEAF), path("-m 10 d.v4")
    yield "a longer way back, labels", chain(LONG_BACK), route("-n -e --back d.v4"), \
        route("-e d.v6"), route("--back d.v4"), path("d.v4")
    yield "more hops than allowed", chain(n=30), path("d.v4"), route("-q 1 d.v6"), \
        route("-m 31 -q 1 d.v4")
    yield "a host on the same wire", DIRECT, route("d"), path("d.v4"), route("--mtu -n d.v4"), \
        route("-n 127.0.0.1"), path("-n 127.0.0.1"), path("-6 d")
    yield "nobody on the same wire", DIRECT, route("-n 10.0.0.9"), path("-n 10.0.0.9")
    yield "every code of unreachable, IPv4", star(), \
        *(f(f"-n 10.14.{c}.9") for c in CODES4 for f in (route, path))
    yield "every code of unreachable, IPv6", star(), \
        *(f(f"-n fd16:{c}::9") for c in CODES6 for f in (route, path))


def book(old):
    """Section 11.7 of the book, its two runs."""
    sizes = [1492, 1006, 576, 552, 544, 512, 508, 296]
    told = [f"fragmentation required and DF set, trying new MTU = {n}" for n in sizes] \
        if old else ["fragmentation required and DF set, next hop MTU = 296"]
    want = ["traceroute to slip (140.252.13.65), 30 hops max", "outgoing MTU = 1500",
            "1 bsdi (140.252.13.35) T ms T ms T ms", "2 bsdi (140.252.13.35) T ms", *told,
            "2 slip (140.252.13.65) T ms T ms T ms"]
    lab = 'lab "x"\ninclude book\n' + ("router line2 toward slip too-big old\n" if old else "")
    got = say(lab, "sun", SOCKPATH + " --style book slip")[0]
    return (re.sub(r"[\d.]+ ms", "T ms", got).splitlines() == want,
            f"the book's {'first' if old else 'second'} run, line by line", got)


def by_name():
    """Called tracepath, traceroute6: by those names it is those programs."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        for name in ("tracepath", "traceroute6"):
            os.symlink(SOCKPATH, f"{d}/{name}")
        got = say(DIRECT, "s", f"{d}/tracepath d.v4", f"{d}/tracepath -l 300 d.v4",
                  f"{d}/traceroute6 d")
    return ("Resume: pmtu 1500 hops 1 back 1" in got[0] and
            got[1].startswith(" 1:  d ") and "Resume: pmtu 300 hops 1 back 1" in got[1] and
            "traceroute to d (fd00::2)" in got[-1], "called by another program's name",
            "".join(got))


def forbidden():
    """This host's filter: said, with the status of a path that was not reached."""
    lab = DIRECT + "filter s output udp dport 33434 drop\n"
    got = say(lab, "s", *(f"{SOCKPATH} --style {s} d.v4 2>&1; echo status $?"
                          for s in ("traceroute", "tracepath", "book")))
    return (len(got) == 3 and all("sockpath: d.v4: a filter on this host prohibits it" in g and
                                  g.endswith("status 3\n") for g in got),
            "what a local filter forbids is said, by all three", "".join(got))


def main():
    if not os.path.exists(SOCKPATH):
        skip_all("sockpath is not built")
    jobs = [(same, c) for c in cases()]
    jobs += [(book, (True,)), (book, (False,)), (by_name, ()), (forbidden, ())]
    with futures.ThreadPoolExecutor(3) as pool:
        for fine, title, seen in pool.map(lambda j: j[0](*j[1]), jobs):
            if fine is None:
                skip(title, seen)
            else:
                ok(fine, title, seen)
    done()


main()
