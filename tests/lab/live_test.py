# SPDX-License-Identifier: BSD-3-Clause
"""postern top, show talkers, status and support-bundle on the running gateway."""

import os
import pty
import subprocess
import tarfile
import time

from lab import POSTERN, WEB, check


def postern(lab, *words):
    argv = [POSTERN, "--run-dir", lab.directory + "/run", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)


def test_top_once(lab):
    """One look of top has the load of workers, rates of interfaces, the host that talks, rules by
    hits and drops (F63)."""
    pings = lab.client.start(f"ping -i 0.02 -c 150 {WEB}")
    time.sleep(0.5)
    look = lab.ask("top", "--once")
    pings.wait(20)
    check(look["seconds"] > 0.5, f"{look['seconds']} s")
    rates = {row["name"]: row["rx_packets_per_s"] for row in look["interfaces"]}
    check(rates["lan"] > 20 and rates["wan"] > 20, f"{rates}")
    check("192.168.1.10" in [row["host"] for row in look["talkers"]], f"{look['talkers']}")
    check(all(0 <= row["busy_share"] <= 1 for row in look["workers"]), f"{look['workers']}")
    check(max(row["packets_per_s"] for row in look["rules"]) > 20, f"{look['rules']}")
    text = postern(lab, "top", "--once").stdout
    check("talkers" in text and "*RX-BIT/S" in text, text)


def test_top_on_terminals(lab):
    """On a terminal top draws a screen, whatever its size, and `q` ends it; where it cannot be
    drawn on there are tables without control sequences (F63)."""
    for columns, lines in ((80, 24), (20, 5), (3, 2)):
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm", COLUMNS=str(columns), LINES=str(lines))
            os.execv(POSTERN, [POSTERN, "--run-dir", lab.directory + "/run", "top"])
        time.sleep(1)
        os.write(fd, b"2s/lan\nq")
        screen = b""
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            screen += data
        _, status = os.waitpid(pid, 0)
        check(status == 0, f"{columns}x{lines}: status {status}")
        check(b"\x1b[" in screen, f"{columns}x{lines}: no screen")
    argv = [POSTERN, "--run-dir", lab.directory + "/run", "top", "-n", "1", "--interval", "1"]
    dumb = subprocess.run(argv, env={"TERM": "dumb"}, capture_output=True, check=True, timeout=20)
    check(b"\x1b" not in dumb.stdout and b"interfaces" in dumb.stdout, f"{dumb.stdout}")


def test_support_bundle(lab):
    """A support bundle has the state of the daemon and no secret of the configuration (F63)."""
    path, config = lab.scratch("bundle.tar.gz"), lab.scratch("secret.yaml")
    with open(config, "w", encoding="utf-8") as file:
        file.write("version: 1\nadmin:\n  password: planted-1  # planted-2\n  keys: [ planted-3,\n"
                   "    planted-4 ]\n")
    done = postern(lab, "support-bundle", path, "--config", config)
    check(done.returncode == 0 and "daemon/status.json" in done.stdout, f"{done}")
    with tarfile.open(path) as bundle:
        members = {m.name.split("/", 1)[1]: bundle.extractfile(m).read()
                   for m in bundle.getmembers() if m.isfile()}
    check(b'"state": "live"' in members["daemon/status.json"], f"{members.keys()}")
    check(b"(redacted)" in members["configuration.yaml"], f"{members['configuration.yaml']}")
    check(not any(b"planted" in text for text in members.values()), "a secret is in the bundle")
    check(os.stat(path).st_mode & 0o077 == 0, "others may read it")


def test_status_is_one_screen(lab):
    """Status begins with the health and shows every interface with its link, in one screen."""
    text = postern(lab, "status").stdout
    check("health" in text.splitlines()[1] and text.count("link up") >= 3, text)
    check(len(text.splitlines()) < 24, text)
