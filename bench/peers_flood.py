# SPDX-License-Identifier: BSD-2-Clause
"""bench/peers.py: floods, of datagrams and over one TCP connection."""
import re

import peers_kit as kit
from peers_kit import ANSWER, ASK, Failed, Flood, Program, Rounds

PORT = 9000
TO = "127.0.0.1"
SIZES = (16, 64, 1400)
NCAT_SIZE = 8192            # what it reads at a time; it cannot be told
HEADERS = 28               # IPv4 and UDP
ENOUGH = 2000000000         # datagrams: ended by a signal
# size: at least so much faster than iperf3, and this share of bench/udp's trains
LIMITS = {16: (30, 0.7), 64: (30, 0.7), 1400: (8, 0.7)}
NO_TRAINS = 1.3
TCP_LIMIT = 0.90


def share(lost, came):
    return 100.0 * lost / (lost + came) if lost + came else 0.0


def datagrams(d, size):
    """From the bytes that came by IP: a train has one header."""
    return (d["IpExt:InOctets"] - HEADERS * d["Ip:InReceives"]) / size


def sock_udp(env, size, more=()):
    def once():
        sink = [env.sock, "-u", "-s", "-i", "-R", "32m", "-r", str(max(size, 2048)), *more, TO,
                str(PORT)]
        source = [env.sock, "-u", "-i", "-n", str(ENOUGH), "-w", str(size), *more, TO, str(PORT)]
        first = kit.counters()
        with Program(sink, ANSWER) as rx:
            kit.until("sock -s", lambda: kit.bound(PORT, "udp"))
            with Program(source, ASK) as tx:
                f = Flood("Ip:InReceives", 1000, env.seconds)
                tx.end()
            said = rx.end()
        last = kit.counters()
        m = re.search(r"received (\d+) datagrams", said)
        if not m:
            raise Failed("the sink told no number")
        came = datagrams({k: last[k] - first[k] for k in last}, size)
        read = int(m.group(1))
        return {"rate": datagrams(f.d, size) / f.seconds * read / came,
                "loss": share(came - read, read), "read": read, "came": came}
    return once


def theirs_udp(env, receiver, sender, proto="udp", stdin=None, fifo=True):
    """Programs that read datagrams one by one: the kernel's count is theirs."""
    def once():
        with Program(receiver, ANSWER, quiet=True, fifo=fifo) as rx:
            kit.until(receiver[0], lambda: kit.bound(PORT, proto))
            source = open(stdin, "rb") if stdin else None
            with Program(sender, ASK, quiet=True, fifo=fifo, **({"stdin": source} if source
                                                               else {})) as tx:
                f = Flood("Udp:InDatagrams", 1000, env.seconds)
                tx.end()
            if source:
                source.close()
            rx.end()
        return {"rate": f.rate("Udp:InDatagrams"),
                "loss": share(f.d["Udp:InErrors"], f.d["Udp:InDatagrams"])}
    return once


def iperf3_udp(env, size):
    return theirs_udp(env, ["iperf3", "-s", "-1", "-B", TO, "-p", str(PORT)],
                      ["iperf3", "-u", "-c", TO, "-p", str(PORT), "-b", "0", "-w", "2M",
                       "-l", str(size), "-t", "10"], "tcp")


def peers_of(env, size):
    """{name: function} of the programs that are here."""
    port = str(PORT)
    all_of = {
        "iperf3": lambda: iperf3_udp(env, size),
        "sockperf": lambda: theirs_udp(env, ["sockperf", "server", "-i", TO, "-p", port],
                                       ["sockperf", "throughput", "-i", TO, "-p", port, "-m",
                                        str(size), "-t", "10"]),
        "socat": lambda: theirs_udp(env, ["socat", "-u", f"UDP-RECV:{port},bind={TO}",
                                          "OPEN:/dev/null"],
                                    ["socat", "-u", f"-b{size}", "OPEN:/dev/zero",
                                     f"UDP-SENDTO:{TO}:{port}"]),
    }
    return {name: make() for name, make in all_of.items() if not env.without(name)}


def train_figures(env):
    """{size: datagrams a second} of one short run of bench/udp."""
    out = env.call([env.bench("bench-udp"), "--case", "trains", "--pairs", "6", "--ms", "50",
                    "--rounds", "20"])
    found = re.findall(r"^trains +(\d+) bytes: .*?sockeye ([\d.]+)", out, re.M)
    return {int(size): float(kpps) * 1000 for size, kpps in found}


def udp(env, judge):
    if env.without("iperf3"):
        print("    (no limit is judged without iperf3)")
    trains = []
    contestants = {}
    for size in SIZES:
        contestants[f"sock {size}"] = sock_udp(env, size)
        contestants[f"sock --no-trains {size}"] = sock_udp(env, size, ["--no-trains"])
        for name, run in peers_of(env, size).items():
            contestants[f"{name} {size}"] = run
    if not env.without("ncat"):
        contestants[f"sock {NCAT_SIZE}"] = sock_udp(env, NCAT_SIZE)
        contestants[f"ncat {NCAT_SIZE}"] = theirs_udp(
            env, ["ncat", "-u", "-l", "--recv-only", TO, str(PORT)],
            ["ncat", "-u", "--send-only", TO, str(PORT)], stdin="/dev/zero")

    def by_hand():
        trains.append(train_figures(env))
        return {"rate": 1}
    contestants["bench-udp"] = by_hand
    r = Rounds(contestants, env.rounds)
    show_udp(r, trains)
    for size in SIZES:
        judge_udp(r, size, [t.get(size) for t in trains], judge)


def show_udp(r, trains):
    print("    program              bytes   delivered/s   loss %   beside sock")
    for name in r.got:
        program, _, size = name.rpartition(" ")
        if not program:
            continue
        ratio = "" if program == "sock" else str(r.ratio(f"sock {size}", name))
        print(f"    {program:<18} {size:>7} {r.median(name):13,.0f} "
              f"{r.median(name, 'loss'):8.3f}   {ratio}")
    for size in SIZES:
        print(f"    {'bench-udp trains':<18} {size:>7} "
              f"{kit.median([t.get(size) for t in trains]):13,.0f}")
        for n in (f"sock {size}", f"sock --no-trains {size}"):
            read, came = sum(filter(None, r.of(n, "read"))), sum(filter(None, r.of(n, "came")))
            print(f"    {n}: the sinks read {read} datagrams, {came:.0f} came to the namespace")
    r.failures()


def judge_udp(r, size, trains, judge):
    times, part = LIMITS[size]
    ours, beside = f"sock {size}", f"iperf3 {size}"
    of_trains = kit.Ratio(r.of(ours), trains)
    judge.say(f"{size} bytes, of bench/udp's trains: {of_trains}, at least {part}",
              of_trains.median >= part)
    if beside not in r.got:
        return
    ratio = r.ratio(ours, beside)
    judge.say(f"{size} bytes, against iperf3: {ratio}, at least {times}", ratio.median >= times)
    ratio = r.ratio(f"sock --no-trains {size}", beside)
    judge.say(f"{size} bytes, --no-trains against iperf3: {ratio}, at least {NO_TRAINS}",
              ratio.median >= NO_TRAINS)
    for name in (ours, f"sock --no-trains {size}"):
        mine, its = r.median(name, "loss"), r.median(beside, "loss")
        judge.say(f"{name}: loss {mine:.3f} %, iperf3 {its:.3f} %", mine <= its)


# --- TCP ---

def stream(env, receiver, sender):
    def once():
        with Program(receiver, ANSWER, quiet=True) as rx:
            kit.until(receiver[0], lambda: kit.bound(PORT, "tcp"))
            with Program(sender, ASK, quiet=True) as tx:
                f = Flood("IpExt:InOctets", 10000000, env.seconds)
                tx.end()
            rx.end()
        return {"rate": f.rate("IpExt:InOctets")}
    return once


def tcp(env, judge):
    """The same write and read sizes as iperf3's."""
    block = 131072
    r = Rounds({
        "sock": stream(env, [env.sock, "-s", "-i", "-A", "-r", str(block), TO, str(PORT)],
                       [env.sock, "-i", "-n", str(ENOUGH), "-w", str(block), TO, str(PORT)]),
        **({} if env.without("iperf3") else {
            "iperf3": stream(env, ["iperf3", "-s", "-1", "-B", TO, "-p", str(PORT)],
                             ["iperf3", "-c", TO, "-p", str(PORT), "-l", "128K", "-t", "10"])}),
    }, env.rounds)
    for name in r.got:
        print(f"    {name:<18} {r.median(name) / 1e9:8.2f} Gbyte/s on the wire")
    r.failures()
    if "iperf3" in r.got:
        ratio = r.ratio("sock", "iperf3")
        judge.say(f"source to sink against iperf3: {ratio}, not below {TCP_LIMIT}",
                  ratio.low >= TCP_LIMIT)
