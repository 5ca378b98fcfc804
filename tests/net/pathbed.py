# SPDX-License-Identifier: BSD-2-Clause
"""sockpath in networks of routers of ours, and what is true of them."""
import json
import os
import re
import subprocess
import sys
import tempfile

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
sys.path.insert(0, SRC + "/tests")
from tap import skip_all  # noqa: E402

SOCKNET = BUILD + "/prog/socknet/socknet"
SOCKPATH = BUILD + "/prog/sockpath/sockpath"
ENV = dict(os.environ, TZ="UTC", LC_ALL="C")


def need_namespaces():
    if subprocess.run([SOCKNET, "run", "-H", "client", "pair", "--", "true"], env=ENV,
                      stdin=subprocess.DEVNULL, capture_output=True).returncode:
        skip_all("namespaces are not allowed here")


def chain(more="", n=8):
    return 'lab "x"\ninclude chain-%d\n%s' % (n, more)


def narrow(link, mtu, manner=""):
    """A second way from router link to the next one, that packets to d take."""
    return ("link r{0} r{1} 10.1.{0}.1/24 10.1.{0}.2/24 fd01:{0}::1/64 fd01:{0}::2/64 mtu {2}\n"
            "route r{0} 10.0.8.2 via 10.1.{0}.2\nroute r{0} fd00:8::2 via fd01:{0}::2\n"
            .format(link, link + 1, mtu) +
            ("router r%d toward r%d_2 %s\n" % (link, link + 1, manner) if manner else ""))


def hops(family=4, n=8):
    """Who answers at each hop of the chain: the side that faces s."""
    shape = "10.0.%d.2" if family == 4 else "fd00:%x::2"
    return [(shape % i).replace("fd00:0::", "fd00::") for i in range(n + 1)]


class Ran:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err
        self.all = "status %d\n%s%s" % (status, out, err)
        try:
            self.records = [json.loads(line) for line in out.splitlines() if line[:1] == "{"]
        except ValueError:
            self.records = []
        self.summary = next((r for r in self.records if r["type"] in ("summary", "path")), {})
        self.hops = [r for r in self.records if r["type"] == "hop"] or self.summary.get("hops", [])

    def addresses(self):
        return [h.get("by") for h in self.hops]


def socknet(text, *words, timeout=60):
    with tempfile.NamedTemporaryFile("w", suffix=".lab", encoding="ascii") as f:
        f.write(text)
        f.flush()
        words = [f.name if w is None else w for w in words]
        p = subprocess.run([SOCKNET, *words], env=dict(ENV, PATH="%s:%s" % (
            os.path.dirname(SOCKPATH), ENV["PATH"])), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False)
    return p.returncode, p.stdout, p.stderr


def sockpath(text, *args, host="s", program=SOCKPATH):
    """As an ordinary user on a host of the lab; JSON lines unless args say else."""
    return Ran(*socknet(text, "-H", host, "run", None, "--", program, *args))


def steps(text, host="s"):
    """Lab steps of which the first is what matters: 'run s root sockpath ...'."""
    status, out, err = socknet(text, "-v", "run", None)
    r = Ran(status, out, err)
    shown = re.search(r"status (\d+)", out)
    r.told = int(shown[1]) if shown else None
    return r
