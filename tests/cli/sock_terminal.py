#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock on a terminal: colours, progress, and neither anywhere else."""
import os
import pty
import subprocess

import sockbed
from sockbed import SOCK, closed, discard, sock
from tap import done, ok

sockbed.enter()
dead = closed("127.0.0.1")
discard("127.0.0.1", 9)


def on_terminal(*args, env=None):
    """What sock writes on a terminal as standard error."""
    main, sub = pty.openpty()
    e = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    p = subprocess.Popen([SOCK] + [str(a) for a in args], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=sub, env=dict(e, **(env or {})))
    os.close(sub)
    text = b""
    try:
        while chunk := os.read(main, 65536):
            text += chunk
    except OSError:
        pass		# the other side is closed
    p.wait()
    os.close(main)
    return text


t = on_terminal("-u", "-i", "-n1", "127.0.0.1", dead)
ok(b"\033[31m" in t and b"\033[m" in t, "a bad fate is red on a terminal", t)
for args, env, name in ((("--no-colour",), None, "--no-colour"), ((), {"NO_COLOR": "1"}, "NO_COLOR")):
    t = on_terminal("-u", "-i", "-n1", *args, "127.0.0.1", dead, env=env)
    ok(b"\033" not in t and b"refused" in t, "no colours with " + name, t)
r = sock("-u", "-i", "-n1", "127.0.0.1", dead)
ok("\033" not in r.err and "refused" in r.err, "no colours into a pipe", r.err)
t = on_terminal("-u", "-i", "-n30", "-p50ms", "--wait", "0", "127.0.0.1", "9")
ok(b" of 30 sent" in t and b"\r\033[K" in t, "progress of a long run on a terminal", t)
ok(t.rpartition(b"\r\033[K")[2].startswith(b"destination"), "it is wiped before the summary", t)
r = sock("-u", "-i", "-n30", "-p50ms", "--wait", "0", "127.0.0.1", "9")
ok(" of 30 sent" not in r.err, "none into a pipe", r.err)
t = on_terminal("-u", "-i", "-n3", "-p1ms", "--wait", "0", "127.0.0.1", "9")
ok(b" of 3 sent" not in t, "none in a short run", t)
done()
