# SPDX-License-Identifier: BSD-3-Clause
"""What `postern --json` prints, held against the schemas of doc/schema."""

import json
import os
import subprocess
import sys
import time

from lab import HERE, POSTERN, SECOND, WEB, check, first_rule, wait_until

sys.path.insert(0, os.path.join(HERE, "../schema"))

# Commands are run as they are; those that take arguments, or are worth more than one run, stand
# here, in the order in which they run, behind all others. {same}, {changed}, {bad}, {dhcp}:
# configurations; {leases}: leases of dnsmasq; {leased}: an address.
PACKET = "explain --in lan --src 192.168.1.10 --dst 198.51.100.10 --proto tcp --sport 4000 --dport "
RUNS = (
    "check {same}",
    "check {bad}",
    "show drops --all",
    "show config --revision 1",
    "show config --revision 99",
    "show sessions --protocol icmp",
    "show sessions --host nonsense",
    PACKET + "80",
    PACKET + "23",
    PACKET + "80 --config {bad}",
    "explain --in wan --src 198.51.100.10 --dst 203.0.113.2 --proto icmp --icmp 8",
    "capture --at dropped --count 2 --seconds 5",
    "lab status --name {lab}",
    "plan {same}",
    "plan {changed} --diff",
    "plan {bad}",
    "diff {changed}",
    "apply {bad}",
    "apply --check {changed} --diff",
    "apply {changed} --confirm 60s --diff",
    "status",
    "history",
    "confirm",
    "revert",
    "apply {same} --confirm 60s",
    "revert",
    "rollback 1 --save",
    "rollback 99",
    "lease import {leases}",
    "show leases",
    "lease reserve {leased} --no-save",
    "lease release {leased}",
    "lease release 192.168.1.1",
    "apply {dhcp}",
    "dhcp renew wan",
    "show interfaces",
    "dhcp release wan",
    "dhcp renew lan",
    "history",
)


def files(lab):
    """Of the configurations and leases that RUNS names."""
    own = lab.config()
    route = "routes:\n  - { to: default, via: 203.0.113.1 }\n"
    texts = {
        "same": own,
        "changed": first_rule(own, "{ name: other, in: lan, service: udp/1, action: drop }"),
        "bad": own + "\nnonsense: 1\n",
        "dhcp": own.replace("address: 203.0.113.2/24", "address: dhcp").replace(route, ""),
        "leases": f"{int(time.time()) + 3600} 02:00:00:00:00:77 192.168.1.177 pc *\n",
    }
    found = {"lab": lab.name, "leased": "192.168.1.177"}
    for name, text in texts.items():
        found[name] = lab.scratch(name)
        with open(found[name], "w", encoding="utf-8") as file:
            file.write(text)
    return found


def documents(lab, words):
    """What the command prints: one object, or one a line."""
    argv = [POSTERN, "--run-dir", lab.directory + "/run", "--json", *words]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
    )
    check(not done.stderr, f"{' '.join(words)}: {done.stderr}")
    if words[0] == "capture":
        return [json.loads(line) for line in done.stdout.splitlines()]
    return [json.loads(done.stdout)]


def test_json_fits_its_schema(lab):
    """What every command prints with --json is what its schema in doc/schema says, no more and no
    less; every command has one."""
    import schemas  # pylint: disable=import-outside-toplevel # it lies beside the lab

    names = [name for name in schemas.commands(POSTERN) if name not in schemas.WITHOUT]
    started = {name for run in RUNS for name in names if (run + " ").startswith(name + " ")}
    runs = [name for name in names if name not in started or name in ("show drops", "status")]
    runs += ["show sessions", "show interfaces", "show config", *RUNS]
    validator = schemas.Validator()
    found = files(lab)
    wrong, seen = [], set()
    with lab.client.start(f"ping -i 0.2 {WEB}") as ping, lab.client.start(
        f"hping3 -q --udp -p 31337 -i u100000 {SECOND}"
    ), lab.client.start(["sh", "-c", f"nc {WEB} 19"]):
        lab.client.run("dig +time=1 +tries=1 web.example @192.168.1.1")
        wait_until(lambda: "icmp_seq=2" in ping.out(), 5, "no ping")
        for run in runs:
            words = run.format(**found).split()
            name = next(name for name in names if (run + " ").startswith(name + " "))
            for document in documents(lab, words):
                seen.add(name)
                fault = validator.wrong(name, document)
                if fault:
                    wrong.append(f"postern {run}: {fault}")
    lab.applied = "another one"
    lab.write_config(lab.config())
    check(not wrong, "; ".join(wrong))
    check(not set(names) - seen, f"nothing was printed by {set(names) - seen}")
