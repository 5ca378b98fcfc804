# SPDX-License-Identifier: BSD-2-Clause
"""bench/peers.py: servers, asked for an answer: round trips, connections, echoes."""
import subprocess

import peers_kit as kit
from peers_kit import ANSWER, ASK, Failed, Flood, Program, Rounds

PORT = 9000
TO = "127.0.0.1"
OTHER = "127.0.0.2"         # an address of a wildcard server that is not its first
TRIP_LIMIT = 1.10
TRIP_ROUNDS = 3             # times as many: two starts of the same programs differ by a tenth
CONNECT_LIMIT = 0.90
ECHO_LIMIT = 3.0
CROWD, CROWD_KIB = 10000, 64 * 1024


# --- round trips ---

def trip_time(env, client):
    """One datagram there and one back at a time, as the kernel counts them: not what
    the programs say, who do not mean the same by it."""
    with Program(client, ASK, quiet=True) as tx:
        f = Flood("Udp:InDatagrams", 1000, env.seconds)
        tx.end()
    return {"mean": 2e6 / f.rate("Udp:InDatagrams")}


def sock_trip(env, spin):
    def once():
        with Program([env.sock, "-u", "-s", "--service", "echo", *spin, TO, str(PORT)],
                     ANSWER, quiet=True):
            kit.until("sock -s", lambda: kit.bound(PORT, "udp"))
            return trip_time(env, [env.sock, "-u", "-i", "--request", *spin, "-n", "100000000",
                                   "-w", "16", TO, str(PORT)])
    return once


def sockperf_trip(env, flags):
    def once():
        with Program(["sockperf", "server", "-i", TO, "-p", str(PORT), *flags], ANSWER,
                     quiet=True):
            kit.until("sockperf", lambda: kit.bound(PORT, "udp"))
            return trip_time(env, ["sockperf", "ping-pong", "-i", TO, "-p", str(PORT), "-m", "16",
                                   "-t", "10", *flags])
    return once


def trip(env, judge):
    if env.without("sockperf"):
        return
    r = Rounds({
        "sock, blocking": sock_trip(env, []),
        "sockperf, blocking": sockperf_trip(env, []),
        "sock, spinning": sock_trip(env, ["--spin"]),
        "sockperf, spinning": sockperf_trip(env, ["--nonblocked"]),
    }, TRIP_ROUNDS * env.rounds)
    for name in r.got:
        print(f"    {name:<20} {r.median(name, 'mean'):8.2f} us, mean round trip of 16 bytes")
    r.failures()
    for how in ("blocking", "spinning"):
        ratio = r.ratio(f"sock, {how}", f"sockperf, {how}", "mean")
        judge.say(f"round trip, {how}, against sockperf: {ratio}, not above {TRIP_LIMIT}",
                  ratio.high <= TRIP_LIMIT)


# --- connections ---

WAYS = {
    "events": [], "--iterative": ["--iterative"], "-F": ["-F"], "--threads": ["--threads"],
    "--exec cat": None,
}


def sock_server(env, way):
    if WAYS[way] is None:
        return [env.sock, "-s", "--exec", "exec cat", TO, str(PORT)]
    return [env.sock, "-s", "--service", "echo", *WAYS[way], TO, str(PORT)]


def connecting(env, server, at_once):
    def once():
        # children of the server before may still end
        kit.until("a free port", lambda: not kit.bound(PORT, "tcp"))
        with Program(server, ANSWER, quiet=True) as rx:
            kit.until(server[0], lambda: kit.bound(PORT, "tcp"))
            out = kit.run([env.bench("bench-load"), "tcp", str(PORT), str(at_once),
                           str(int(env.seconds * 1000))], ASK, 20)
            rx.end()
        rate, bad = out.split()[:2]
        return {"rate": float(rate), "bad": int(bad)}
    return once


def connect(env, judge):
    by_hand = [env.bench("bench-load"), "serve", str(PORT)]
    for at_once in (1, 16):
        contestants = {"by hand": connecting(env, by_hand, at_once)}
        for way in WAYS:
            contestants[way] = connecting(env, sock_server(env, way), at_once)
        r = Rounds(contestants, env.rounds)
        print(f"    {at_once} at once         connections/s   beside epoll by hand   bad")
        for name in r.got:
            print(f"    {name:<18} {r.median(name):13,.0f}   "
                  f"{r.ratio(name, 'by hand')!s:<22} {sum(filter(None, r.of(name, 'bad')))}")
        r.failures()
        ratio = r.ratio("events", "by hand")
        judge.say(f"connections, events against epoll by hand: {ratio}, not below {CONNECT_LIMIT}",
                  ratio.low >= CONNECT_LIMIT)


# --- a crowd ---

def field(path, name):
    with open(path) as f:
        for line in f:
            if line.startswith(name):
                return line.split()
    raise Failed(f"{path}: no {name}")


def kernel_kib():
    return int(field("/proc/meminfo", "Slab:")[1])


def crowd(env, judge):
    """Each asks once, is answered, and stays."""
    before = kernel_kib()
    with Program(sock_server(env, "events"), ANSWER, quiet=True, fifo=False) as rx:
        kit.until("sock -s", lambda: kit.bound(PORT, "tcp"))
        with Program([env.bench("bench-load"), "hold", str(PORT), str(CROWD)], ASK,
                     stdin=subprocess.PIPE, fifo=False) as tx:
            line = tx.p.stdout.readline().decode().strip()
            rss = int(field(f"/proc/{rx.p.pid}/status", "VmRSS:")[1])
            slab, pages = kernel_kib() - before, field("/proc/net/sockstat", "TCP:")
            tx.p.stdin.close()
            tx.p.stdin = None
            tx.said()
        rx.end()
    print(f"    {line or 'no'} of {CROWD} clients answered and held: {rss} KiB resident; the kernel's "
          f"slabs grew by {slab} KiB (both ends), {pages[-1]} pages of TCP data")
    judge.say(f"{CROWD} at once within {CROWD_KIB} KiB", line == str(CROWD) and rss <= CROWD_KIB)


# --- echoes of datagrams ---

def echoing(env, server, asked):
    def once():
        with Program(server, ANSWER, quiet=True) as rx:
            kit.until(server[0], lambda: kit.bound(PORT, "udp"))
            out = kit.run([env.bench("bench-load"), "udp", asked, str(PORT), "64", "64",
                           str(int(env.seconds * 1000))], ASK, 20)
            rx.end()
        rate, wrong, lost = out.split()[:3]
        return {"rate": float(rate), "wrong": int(wrong), "lost": int(lost)}
    return once


def total(r, name, key):
    return sum(filter(None, r.of(name, key)))


def echo(env, judge):
    """The server has all addresses; it is asked at the first, then at another,
    from which the kernel would not answer by itself."""
    port = str(PORT)
    servers = {
        "sock": [env.sock, "-u", "-s", "--service", "echo", "-4", "-R", "4m", port],
        "socat": ["socat", f"UDP4-LISTEN:{port},fork", "PIPE"],
        "ncat": ["ncat", "-4", "-u", "-l", "-k", "-e", "/bin/cat", port],
    }
    servers = {n: s for n, s in servers.items() if n == "sock" or not env.without(n)}
    for asked in (TO, OTHER):
        r = Rounds({n: echoing(env, s, asked) for n, s in servers.items()}, env.rounds)
        print(f"    asked at {asked}    answers/s   from a wrong address   lost")
        for name in r.got:
            print(f"    {name:<18} {r.median(name):13,.0f}   {total(r, name, 'wrong'):>20} "
                  f"{total(r, name, 'lost'):>6}")
        r.failures()
        wrong = total(r, "sock", "wrong")
        judge.say(f"answers of sock from a wrong address: {wrong}", wrong == 0)
        for name in r.got:
            if name != "sock":
                ratio = r.ratio("sock", name)
                judge.say(f"echoes against {name}: {ratio}, at least {ECHO_LIMIT}",
                          ratio.median >= ECHO_LIMIT)
