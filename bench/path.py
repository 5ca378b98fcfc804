#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sockpath beside tracepath, traceroute, mtr and scamper: time in round trips, and
packets, until the path is known; and whether it is right.

Each run has a network of its own (path_labs.py): chains of kernels that forward,
with Linux's default limits of ICMP errors, 20 ms away. Programs run as an ordinary
user, but for those marked (root), which cannot. Their turns alternate. Time is
from before the program starts to after it ends, in round trips measured just before
by a UDP echo; packets are counted by the router next to the sender. Right is what
the topology says: every hop's address, the MTU to the byte, the hop that sets it.

Status 4: a limit was not met.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import path_labs  # noqa: E402
import path_more  # noqa: E402
import path_run  # noqa: E402
import path_tools  # noqa: E402
from path_judge import Judge, cell, what_is_wrong  # noqa: E402

# case: limit in round trips, in packets, in ms; slow: some peers take very long
ROWS = {
    "A0": ("8 routers, 1500 all the way", 2.5, 13, None, False),
    "A": ("three MTU steps, all told", 5, 20, None, False),
    "A30": ("30 routers, two steps", 4, 40, None, False),
    "B": ("a step, then a black hole", 10, 60, 400, True),
    "GB": ("the same, IPv6", 10, 60, 400, True),
    "MRU": ("a receiver that takes less than is sent to it", 10, 60, 400, True),
    "C": ("one silent router", 5, 18, None, True),
    "C3": ("three silent routers", 5, 18, None, True),
    "D": ("the destination drops UDP", 12, 33, None, True),
    "D2": ("the destination drops everything", 12, 33, None, True),
    "E": ("a router tells MTU 0", 8, 40, None, False),
    "E2": ("a router lies about its MTU", 8, 40, None, False),
    "G": ("IPv6, two steps", 5, 20, None, False),
    "poisoned": ("the kernel has a wrong path MTU cached", 5, 20, None, False),
}


def row(env, judge, key):
    title, trips, packets, ms, slow = ROWS[key]
    lab = path_labs.LABS[key]()
    tools = [env.ours()] + ([] if env.alone else env.peers)
    got = {t.name: [] for t in tools}
    print(f"\n{key}: {title} (load {os.getloadavg()[0]:.2f})", flush=True)
    for r in range(env.rounds):
        for t in tools if r % 2 == 0 else reversed(tools):
            if t is tools[0] or r == 0 or not slow:
                env.add(got[t.name], lab, t, env.patience if t is not tools[0] else 30)
    for t in tools:
        print(cell(t.name, got[t.name], lab), flush=True)
    mine = got[tools[0].name]
    if not mine:
        judge.say(f"{key}: a result", False)
        return
    median = statistics.median(r.trips for r in mine)
    judge.say(f"{median:.1f} round trips, limit {trips:g}", median <= trips)
    most = max(r.packets for r in mine)
    judge.say(f"{most} packets at most, limit {packets}", most <= packets)
    if ms:
        median = statistics.median(r.seconds for r in mine) * 1e3
        judge.say(f"{median:.0f} ms, limit {ms}", median <= ms)
    wrong = [w for w in map(what_is_wrong, mine) if w]
    judge.say(f"right in {len(mine) - len(wrong)} of {len(mine)}", not wrong)
    for w in sorted(set(wrong)):
        print("        " + w)


class Env:
    def __init__(self, args):
        self.place = path_run.Place(args.build)
        self.build = self.place.build
        self.quick, self.alone = args.quick, args.alone
        self.rounds = args.rounds or (2 if args.quick else 5)
        self.seeds = args.seeds or (10 if args.quick else 100)
        self.patience = 3 if args.quick else args.patience
        self.peers = []
        for t in path_tools.PEERS:
            why = t.missing()
            if why:
                print(f"skipped: {t.name}: {why}")
            else:
                self.peers.append(t)

    def ours(self, *options, **more):
        return path_tools.ours(self.build, *options, **more)

    def add(self, to, lab, tool, timeout, **job):
        try:
            to.append(self.place.run(lab, tool, timeout, **job))
        except (path_run.Failed, subprocess.TimeoutExpired) as e:
            print(f"    {tool.name}: no run: {e}")
        return to


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f
                    if line.startswith("model name")), os.uname().machine)
    return (f"{cpu}, {os.cpu_count()} processors, Linux {os.uname().release}, "
            f"load {os.getloadavg()[0]:.2f}")


def arguments():
    a = argparse.ArgumentParser(prog="bench/path.py", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("build", help="the directory that was built in")
    a.add_argument("--quick", action="store_true",
                   help="2 rounds, 10 seeds, 3 s for slow peers")
    a.add_argument("--rounds", type=int, help="5")
    a.add_argument("--seeds", type=int, help="100, of the lossy and balanced paths")
    a.add_argument("--patience", type=float, default=12,
                   help="seconds after which a peer is killed (12)")
    a.add_argument("--alone", action="store_true", help="without the peers")
    a.add_argument("--only", action="append", choices=[*ROWS, *path_more.PARTS],
                   help="this case")
    return a.parse_args()


def main():
    args = arguments()
    env = Env(args)
    if not os.path.exists(env.ours().program):
        sys.exit(f"bench/path: '{env.ours().program}' is not there: not built?")
    print(machine())
    print(f"{env.rounds} rounds; peers are killed after {env.patience:g} s; medians")
    judge, start = Judge(), time.monotonic()
    for key in ROWS:
        if not args.only or key in args.only:
            row(env, judge, key)
    for key, part in path_more.PARTS.items():
        if not args.only or key in args.only:
            part(env, judge)
    print(f"\n{judge.failed} of {judge.said} limits not met; "
          f"{time.monotonic() - start:.0f} s", flush=True)
    return judge.status()


if __name__ == "__main__":
    sys.exit(main())
