# SPDX-License-Identifier: BSD-2-Clause
"""The other modes: the way back, balanced paths, many targets."""
import json
import tempfile

from pathbed import path, row
from tap import ok

LIST = "198.51.100.8/29\n203.0.113.200\n"


@row("reverse")
def reverse():
    r = path("--reverse", "--json", narrow=1290, to="198.51.100.77")
    end = r.of("summary")[0]
    ok(end.get("reverse_pmtu") == 1290 and end.get("pmtu") == 1500,
       "--reverse: the way back, to the byte, by the pieces that come", r.all)
    ok("reverse_pmtu" not in path("--json", narrow=1290).of("summary")[0],
       "without: it is not asked for")


@row("paths")
def paths():
    r = path("--paths", "--json", spread=True)
    seen = {n.get("by") for n in r.of("node")}
    ok({"10.0.2.1", "10.0.2.2"} <= seen, "--paths: both routers of a balanced hop", r.out)
    ok(len({p.sport for p in r.probes}) > 5, "--paths: by many flows", r.all)
    ok(len({p.sport for p in path(spread=True).probes}) == 1, "without: one flow")


@row("cycles", "interval")
def cycles():
    r = path("--cycles", 3, "--interval", "0.2", "--no-mtu")
    asked = [p.at for p in r.probes if p.ttl == 1]
    ok(r.status == 0 and len(asked) == 4, "--cycles: so often, once the hops are known", r.all)
    gaps = [b - a for a, b in zip(asked[1:], asked[2:])]
    ok(gaps and min(gaps) > 0.15 and max(gaps) < 1, "--interval: so far apart", gaps)


def many(*args, text=LIST, **how):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write(text)
        f.flush()
        return path("--targets", f.name, "--patience", "0.1", *args, to=None, **how)


def full(r):
    """Destinations in the order of their first packets."""
    return list(dict.fromkeys(p.dst for p in r.probes))


@row("targets")
def targets():
    r = many(mtu={2: 1400})
    want = {f"198.51.100.{i}" for i in range(9, 15)} | {"203.0.113.200"}
    ok({t["dst"] for t in r.of("target")} == want, "--targets: a record of each", r.all)
    ok({p.dst for p in r.probes} <= want | {"203.0.113.200"} and "198.51.100.8" not in full(r),
       "--targets: they are asked, network and broadcast are not", r.all)
    ok(all(t.get("pmtu") == 1400 for t in r.of("target") if t["dst"] != "203.0.113.200"),
       "--targets: and the path MTU of each", r.out)
    r = many(text="198.51.100.8\nnonsense\n")
    ok(r.status == 2 and not r.sent and "nonsense" in r.err and "2" in r.err,
       "--targets: a bad line is quoted, nothing leaves", r.all)


@row("seed")
def seed():
    a, b, c = (full(many("--seed", n, text="198.51.100.0/27\n")) for n in (1, 1, 2))
    ok(a == b and len(a) == 30, "--seed: the same order", f"{a}\n{b}")
    ok(a != c and set(a) == set(c), "--seed: another order of the same", f"{a}\n{c}")


@row("shard")
def shard():
    text = "198.51.100.0/27\n"
    parts = [set(full(many("--seed", 5, "--shard", f"{i}/3", text=text))) for i in (1, 2, 3)]
    whole = set(full(many("--seed", 5, text=text)))
    ok(sum(map(len, parts)) == len(whole) and set().union(*parts) == whole and all(parts),
       "--shard: the parts are the whole, and no target is in two", f"{parts}\n{whole}")


@row("rate")
def rate():
    slow = many("--rate", 40, "--seed", 1)
    took = slow.probes[-1].at - slow.probes[0].at
    ok(len(slow.probes) / 40 * 0.7 < took + 0.1, "--rate: no more probes a second",
       f"{len(slow.probes)} in {took}")


@row("resume")
def resume():
    first = many("--seed", 3)
    lines = first.out.splitlines()
    done_ = [r["dst"] for r in first.of("target")][:3]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write("\n".join(x for x in lines if '"type":"run"' in x or
                          any(f'"dst":"{d}"' in x for d in done_)) + "\n")
        f.flush()
        second = many("--seed", 3, "--resume", f.name)
        added = [json.loads(line) for line in open(f.name, encoding="utf-8")]
    told = [t["dst"] for t in added + second.records if t["type"] == "target"]
    ok(sorted(told) == sorted(r["dst"] for r in first.of("target")),
       "--resume: in the end each target is told once", f"{told}\n{second.all}")
    ok(not {p.dst for p in second.probes} & set(done_),
       "--resume: what is done is not asked again", second.all)


@row("hop-rate")
def hop_rate():
    text = "198.51.100.0/26\n"
    few, many_ = (many("--hop-rate", n, "--every-hop", "--seed", 1, text=text) for n in (1, 0))
    near = [sum(p.ttl == 1 for p in r.probes) for r in (few, many_)]
    ok(near[0] < near[1], "--hop-rate: a router is asked no more often", near)


@row("patience")
def patience():
    text = "198.51.100.0/27\n"
    a = many("--patience", "0.1", "--hop-rate", 1, "--every-hop", text=text)
    b = many("--patience", "1.5", "--hop-rate", 1, "--every-hop", text=text)
    ok(b.took > a.took + 0.5, "--patience: how long a target waits for it", f"{a.took} {b.took}")


@row("every-hop")
def every_hop():
    text = "198.51.100.0/29\n"
    every, shared = (many("--hop-rate", 0, *o, text=text) for o in (("--every-hop",), ()))
    near = [sum(p.ttl == 1 for p in r.probes) for r in (every, shared)]
    ok(near[0] >= 6 and near[1] < near[0], "--every-hop: nothing is shared", near)


@row("progress")
def progress():
    text = "198.51.100.0/28\n"
    told, not_ = (many("--rate", 20, "--progress", n, text=text) for n in ("100ms", "30s"))
    ok(told.err.count("\n") > not_.err.count("\n") + 2, "--progress: how often it is told",
       f"{told.err}\n--\n{not_.err}")
