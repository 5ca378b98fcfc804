# SPDX-License-Identifier: BSD-2-Clause
"""The cases of bench/path.py that are not one call and one answer."""
import json
import math
import os
import statistics

import path_labs
import path_tools
from path_judge import what_is_wrong

CUTS_MS = (4, 15, 30, 50, 80, 110, 140, 170)


def say(key, what):
    print(f"\n{key}: {what} (load {os.getloadavg()[0]:.2f})", flush=True)


def share(values, part):
    """The value that this part of them does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * part) - 1)]


def loss(env, judge):
    say("H", f"5 % of all packets lost each way, {env.seeds} seeds")
    runs = []
    for seed in range(1, env.seeds + 1):
        env.add(runs, path_labs.lossy(seed), env.ours(), 30)
    if not runs:
        judge.say("H: a result", False)
        return
    ends = [r.read.get("summary", {}) for r in runs]
    good = [e.get("pmtu") == 1006 and e.get("certainty") == "exact" for e in ends]
    holes = sum(e.get("limit") == "black-hole" for e in ends)
    trips = [r.trips for r in runs]
    wrong = [r for r in runs if what_is_wrong(r)]
    lost = sum(r["did"] == "lost" for run in runs for r in run.ledger)
    print(f"    {lost} packets lost; median {statistics.median(trips):.1f} R, most {max(trips):.1f} R; packets "
          f"{statistics.median(r.packets for r in runs):.0f}, at most "
          f"{max(r.packets for r in runs)}; all as the topology has it, hops too: "
          f"{len(runs) - len(wrong)} of {len(runs)}")
    judge.say(f"path MTU right in {sum(good)} of {env.seeds}", sum(good) >= 0.99 * env.seeds)
    judge.say(f"{holes} false black holes", holes == 0)
    judge.say(f"{share(trips, 0.99):.1f} round trips or less in 99 of 100, limit 20",
              share(trips, 0.99) <= 20)
    for seed, r in enumerate(runs, 1):
        if what_is_wrong(r) or r.trips > 20:
            print(f"        run {seed}: {r.trips:.1f} R; {what_is_wrong(r) or 'right'}")


def drawn(run):
    """Addresses, links between addresses, and MTUs of the branches."""
    records = run.read["records"]
    who = {r["node"]: r.get("by") for r in records if r["type"] == "node"}
    links = {(who.get(r["from"]), who.get(r["to"])) for r in records if r["type"] == "link"}
    return (set(who.values()) - {None}, {(a, b) for a, b in links if a and b},
            {r.get("pmtu") for r in records if r["type"] == "branch"})


def balanced(env, judge):
    say("F", f"two balanced paths, {env.seeds} runs")
    lab, runs = path_labs.diamond(), []
    for _ in range(env.seeds):
        env.add(runs, lab, env.ours("--paths"), 30)
    if not runs:
        judge.say("F: a result", False)
        return
    want = set().union(*lab.truth["hops"][1:3])
    seen = [drawn(r) for r in runs]
    good = sum(want <= nodes for nodes, _, _ in seen)
    false = sum(bool(links - lab.truth["links"]) for _, links, _ in seen)
    trips = statistics.median(r.trips for r in runs)
    packets = max(r.packets for r in runs)
    judge.say(f"{trips:.1f} round trips, limit 8", trips <= 8)
    judge.say(f"{packets} packets at most, limit 90", packets <= 90)
    judge.say(f"4 of 4 interfaces in {good} of {env.seeds}", good >= 0.95 * env.seeds)
    judge.say(f"false links in {false}", false == 0)


def branches(env, judge):
    say("F2", "two balanced paths, one of them 1400")
    lab, runs = path_labs.diamond(1400), []
    for _ in range(env.rounds * 2):
        env.add(runs, lab, env.ours("--paths"), 30)
    if not runs:
        judge.say("F2: a result", False)
        return
    good = sum(drawn(r)[2] == {1400, 1500} for r in runs)
    trips = statistics.median(r.trips for r in runs)
    judge.say(f"{trips:.1f} round trips, limit 10", trips <= 10)
    judge.say(f"both branches with their MTU in {good} of {len(runs)}", good == len(runs))


def way_back(env, judge):
    for title, lab in (("IPv4, 1290", path_labs.narrow_back(4, 1290)),
                       ("IPv6, 1390", path_labs.narrow_back(6, 1390)),
                       ("IPv4, 1290, no ping socket", path_labs.narrow_back(4, 1290, False))):
        say("reverse", f"1500 out, less back; {title}")
        runs = []
        for _ in range(env.rounds):
            env.add(runs, lab, env.ours("--reverse"), 30)
        runs = [r for r in runs if r.echoes()]
        if not runs:
            judge.say("reverse: a result", False)
            continue
        mtus = [r.read.get("summary", {}).get("reverse_pmtu") for r in runs]
        good = sum(m == lab.truth["back"] for m in mtus)
        judge.say(f"exact to the byte in {good} of {len(runs)} ({sorted(set(map(str, mtus)))})",
                  good == len(runs))
        trips = statistics.median((r.got["ended"] - r.at(r.echoes()[0])) / 1e9 / r.trip
                                  for r in runs)
        packets = max(len(r.echoes()) for r in runs)
        judge.say(f"{trips:.1f} round trips from the first of its packets, limit 4", trips <= 4)
        judge.say(f"{packets} packets of its own at most, limit 6", packets <= 6)


def live(env, judge):
    cycles = 70 if env.quick else 100
    say("I", f"ten times a second for {cycles / 10:.0f} s, nothing is lost")
    runs, lab = [], path_labs.LABS["A0"]()
    env.add(runs, lab, env.ours("--cycles", str(cycles), "--interval", "0.1"), 60)
    for t in env.peers if not env.alone else []:
        if t.name.startswith("mtr"):
            again = path_tools.Tool("mtr -i 0.1 (root)", ["mtr", "-4", "-n", "-u", "-j", "-i",
                                    "0.1", "-c", str(cycles), "DST"], t.read, root=True)
            for r in env.add([], lab, again, 60):
                print(f"    {again.name}: loss told at each hop, %: {r.read.get('loss')}")
    if not runs:
        judge.say("I: a result", False)
        return
    last = {r["hop"]: r for r in runs[0].read["records"] if r["type"] == "cycle"}
    loss_ = {hop: r["loss_ppm"] / 1e4 for hop, r in last.items()}
    print(f"    sockpath: {runs[0].packets} packets, loss told at each hop, %: "
          f"{list(loss_.values())}")
    judge.say(f"false loss {max(loss_.values(), default=100):.1f} % at most, limit 1",
              len(loss_) == 9 and max(loss_.values()) <= 1)
    known = [hop for hop, r in last.items() if r.get("limit_burst") == 6
             and 0.9e9 < r.get("limit_ns", 0) < 1.1e9]
    judge.say(f"told as limited, 6 and then one a second: {len(known)} of 9 hops",
              len(known) == 9)


def whole_lines(run):
    out = run.got["out"]
    return not out or out.endswith("\n")


def json_lines(run):
    try:
        return whole_lines(run) and all(json.loads(x)["v"] for x in run.got["out"].splitlines())
    except (ValueError, KeyError):
        return False


def told_end(run):
    """Ended by a signal it says so, or it had ended before."""
    ends = [r for r in map(json.loads, run.got["out"].splitlines()) if r["type"] == "summary"]
    return len(ends) == 1 and ends[0].get("stop") in ("interrupted", "reached")


def document(run):
    try:
        return isinstance(json.loads(run.got["out"]), dict)
    except ValueError:
        return False


def killed(env, judge):
    say("killed", "ended at any moment, in the network of B")
    lab = path_labs.LABS["B"]()
    text = env.ours(json_to="-4" if ":" not in lab.dst else "-6")
    ways = (("SIGKILL, text: whole lines", text, "SIGKILL", whole_lines),
            ("SIGKILL, --json: whole records", env.ours(), "SIGKILL", json_lines),
            ("SIGINT, --json: a summary that says so", env.ours(), "SIGINT",
             lambda r: json_lines(r) and told_end(r)),
            ("SIGINT, --json=document: one valid document",
             env.ours(json_to="--json=document"), "SIGINT", document))
    for title, tool, signal, good in ways:
        runs, cut = [], [ms / 1000 for ms in (CUTS_MS[::2] if env.quick else CUTS_MS)]
        for seconds in cut:
            env.add(runs, lab, tool, 30, cut=seconds, signal=signal)
        bad = [r for r in runs if not good(r)]
        judge.say(f"{title}: {len(runs) - len(bad)} of {len(cut)} moments",
                  not bad and len(runs) == len(cut))
        for r in bad[:2]:
            print("        " + repr(r.got["out"][-200:]))


def start(env, judge):
    say("start", "from before the program starts until its first packet has left")
    runs = []
    for _ in range(env.rounds * 2):
        env.add(runs, path_labs.LABS["A0"](), env.ours(), 30)
    first = [r.first_ms for r in runs if r.first_ms is not None]
    got = statistics.median(first) if first else float("nan")
    judge.say(f"{got:.1f} ms, limit 5", got <= 5)


PARTS = {"F": balanced, "F2": branches, "reverse": way_back, "H": loss, "I": live, "killed": killed, "start": start}
