#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock beside iperf3, sockperf, socat and ncat, on loopback alone.

In each round every program has its turn, the order reversed every other time.
What is compared are the ratios of one round, by their median and its 95 %
interval of order statistics, which supposes nothing about the noise.

Datagrams are counted by the kernel while the programs run, in an interval that
begins after the flood has begun and ends before it does. A train of sock is one
to those counters: there, it is the bytes that came by IP, of which as many were
delivered as the sink, which counts each datagram, says to have read; both
numbers are shown.

A missing program is skipped, and said so. Status 4: a limit was not met.
"""
import argparse
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers_answer  # noqa: E402
import peers_flood  # noqa: E402
import peers_kit as kit  # noqa: E402

PARTS = {
    "udp": (peers_flood.udp, "one sends datagrams, one receives them"),
    "trip": (peers_answer.trip, "the time until an answer comes, UDP"),
    "tcp": (peers_flood.tcp, "one TCP connection"),
    "connect": (peers_answer.connect, "a TCP connection for each request"),
    "crowd": (peers_answer.crowd, "very many TCP connections at once"),
    "echo": (peers_answer.echo, "datagrams answered, 64 at once on their way"),
}


class Env:
    def __init__(self, args):
        self.build = os.path.abspath(args.build)
        self.sock = self.build + "/prog/sock/sock"
        self.rounds = args.rounds or (3 if args.quick else 9)
        self.seconds = 0.15 if args.quick else 0.4
        self.said = set()

    def bench(self, name):
        return f"{self.build}/bench/{name}"

    def without(self, program):
        why = kit.missing(program)
        if why and program not in self.said:
            print(f"    skipped: {why}")
        self.said.add(program)
        return why

    @staticmethod
    def call(argv):
        """A program that places itself."""
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=60, check=False)
        return p.stdout


def arguments():
    a = argparse.ArgumentParser(prog="bench/peers.py", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("build", help="the directory that was built in")
    a.add_argument("--quick", action="store_true",
                   help="3 short rounds: no intervals, and no limit is judged")
    a.add_argument("--rounds", type=int, help="9; at least 6 for intervals")
    a.add_argument("--only", choices=PARTS, action="append", help="this part")
    return a.parse_args()


def main():
    args = arguments()
    env = Env(args)
    for needed in (env.sock, env.bench("bench-load"), env.bench("bench-udp")):
        if not os.path.exists(needed):
            sys.exit(f"bench/peers: '{needed}' is not there: not built?")
    kit.own_network()
    kit.Program.fifo = kit.can_fifo()
    print(kit.machine(kit.Program.fifo))
    print(f"{env.rounds} rounds of {env.seconds:g} s; ratios: median [95 % interval]"
          + ("; --quick: too short to judge" if args.quick else ""), flush=True)
    judge = kit.Judge(strict=not args.quick)
    start = time.monotonic()
    for name in args.only or PARTS:
        run, what = PARTS[name]
        print(f"\n{name}: {what} (load {os.getloadavg()[0]:.2f})", flush=True)
        run(env, judge)
    print(f"\n{judge.failed} limits not met; {time.monotonic() - start:.0f} s", flush=True)
    return judge.status()


if __name__ == "__main__":
    sys.exit(main())
