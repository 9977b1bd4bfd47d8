# SPDX-License-Identifier: BSD-3-Clause
"""PCs of their own on the office's switch, with the DHCP clients of Debian."""

import contextlib
import os
import subprocess
import time

from lab import Outcome, wait_until

SCRIPT = """#!/bin/sh
# What a DHCP client does with a lease: dhclient and dhcpcd (reason) and udhcpc ($1) call it alike.
echo "$reason$1 ip=$ip$new_ip_address router=$router$new_routers domain=$domain$new_domain_name" \\
  "dns=$dns$new_domain_name_servers old=$old_ip_address time=$(date +%s.%N)" >> @LOG@
address=$ip$new_ip_address
case "$reason$1" in
BOUND | REBOOT | RENEW | REBIND | bound | renew)
  ip address replace "$address/24" dev eth0 ;;
EXPIRE | FAIL | STOP | RELEASE | PREINIT | deconfig)
  ip address flush dev eth0 ;;
esac
exit 0
"""

SETTINGS = """send host-name "@NAME@"; initial-interval 2; backoff-cutoff 4;
"""
LAUNCHER = """#!/bin/sh
mkdir -p /run/dhcpcd && mount -t tmpfs own /run/dhcpcd && mount -t tmpfs own /var/lib/dhcpcd &&
  exec dhcpcd "$@"
"""


class Pc:
    """A host with one wire to the switch of the office."""

    def __init__(self, lab, number):
        self.lab = lab
        self.mac = f"02:00:00:00:dc:{number:02x}"
        self.name = self.port = f"pc{number}"
        self.netns = f"{lab.name}-{self.name}"
        self.log = lab.scratch(self.port + ".log")
        self.script = self.write(".sh", SCRIPT.replace("@LOG@", self.log))
        self.settings = self.write(".conf", SETTINGS.replace("@NAME@", self.name))
        self.launcher = self.write("-dhcpcd.sh", LAUNCHER)

    def write(self, ending, text):
        """A file of this PC."""
        path = self.lab.scratch(self.port + ending)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def __enter__(self):
        subprocess.run(["ip", "netns", "delete", self.netns], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "add", self.netns], check=True)
        self.lab.host("lan").must(
            ["ip", "link", "add", self.port, "up", "master", "switch", "type", "veth"]
            + ["peer", "name", "eth0", "address", self.mac, "netns", self.netns]
        )
        self.run("ip link set eth0 up")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "delete", self.netns], check=False)

    def argv(self, command):
        return ["ip", "netns", "exec", self.netns] + command.split()

    def run(self, command, timeout=30):
        start = time.monotonic()
        done = subprocess.run(
            self.argv(command), capture_output=True, text=True, timeout=timeout, check=False
        )
        return Outcome(done.returncode, done.stdout + done.stderr, time.monotonic() - start)

    @contextlib.contextmanager
    def client(self, command):
        process = subprocess.Popen(
            self.argv(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            # dhcpcd now and then misses the signal when its script has just run.
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)

    def dhclient(self, words=""):
        """The command; its files are this PC's own."""
        return (
            f"dhclient -d -sf {self.script} -lf {self.log}.leases -pf {self.log}.pid "
            f"-cf {self.settings} {words} eth0"
        )

    def udhcpc(self, words=""):
        return f"udhcpc -f -i eth0 -s {self.script} -t 5 -T 1 {words}"

    def dhcpcd(self, words=""):
        """The command; its files lie where no other dhcpcd sees them. SIGALRM makes it release."""
        return f"{self.launcher} -B -4 -f /dev/null -c {self.script} {words} eth0"

    def events(self):
        """[(what, {ip, router, ...})] as the script was called."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.log, encoding="utf-8") as file:
                lines = [line.split() for line in file]
                return [(w[0], dict(x.split("=", 1) for x in w[1:])) for w in lines if w]
        return []

    def wait_for(self, words, count=1, seconds=20):
        """The last event of `words`, once there were so many."""

        def found():
            return [event for event in self.events() if event[0] in words]

        wait_until(lambda: len(found()) >= count, seconds, f"{words} in {self.events()}")
        return found()[-1][1]
