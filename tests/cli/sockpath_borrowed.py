#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sockpath installed set-user-ID root, called by nobody: what only root may read or
write stays so. Everything goes to loopback."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sockbed  # noqa: E402, F401
from tap import done, ok, skip_all  # noqa: E402

NOBODY = 65534
BUILD = os.environ["SOCKEYE_BUILD"]


def call(*argv):
    p = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False,
                       user=NOBODY, group=NOBODY, extra_groups=[])
    return p.returncode, p.stdout, p.stderr


def begin(where):
    """A copy that lends root's rights, and a list that only root may read."""
    program, listed = where + "/sockpath", where + "/list"
    os.chmod(where, 0o755)
    shutil.copy(BUILD + "/prog/sockpath/sockpath", program)
    os.chmod(program, 0o4755)
    with open(listed, "w", encoding="ascii") as f:
        f.write("root:secret\n")
    os.chmod(listed, 0o600)
    return program, listed


def lends(where):
    """Does a set-user-ID program get another user here at all?"""
    probe = where + "/id"
    shutil.copy(shutil.which("id"), probe)
    os.chmod(probe, 0o4755)
    return call(probe, "-u")[1].strip() == "0"


def main():
    with tempfile.TemporaryDirectory() as where:
        program, listed = begin(where)
        try:
            if not lends(where):
                skip_all("no borrowed users here")
        except OSError:
            skip_all("needs root, to become nobody")
        status, _, err = call(program, "--targets", listed)
        ok(status == 2 and "Permission denied" in err and "secret" not in err,
           "a list of another user is not read", err)
        status, _, err = call(program, "--json=" + where + "/out", "127.0.0.1")
        ok(status == 1 and "Permission denied" in err and not os.path.exists(where + "/out"),
           "a file of another user is not written", err)
        status, out, err = call(program, "-n", "--raw", "127.0.0.1")
        ok(status == 0 and "reached at hop 1" in out, "a raw socket is still lent", out + err)


main()
done()
