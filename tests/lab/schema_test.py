# SPDX-License-Identifier: BSD-3-Clause
"""What `postern --json` prints, held against the schemas of doc/schema."""

import json
import os
import re
import subprocess
import sys
import time

import portal_test
from lab import HERE, POSTERN, SECOND, WEB, check, first_rule, wait_until

sys.path.insert(0, os.path.join(HERE, "../schema"))

# Commands are run as they are; those that take arguments, or are worth more than one run, stand
# here, in the order in which they run, behind all others. {same}, {changed}, {bad}, {dhcp}, {http},
# {shadowed}, {failing}, {remote}: configurations; {leases}: leases of dnsmasq; {leased}: a host;
# {revision}: one that is kept; {people}: accounts; {key}: a public key; {own_key}: where a secret
# one goes. Behind < stands the file that the command reads, as in a shell. "at the page" somebody
# logs in with a password; `login` runs at the host that does so. "by mail" a host inside sends a
# message that stays in the queue.
PACKET = "explain --in lan --src 192.168.1.10 --dst 198.51.100.10 --proto tcp --sport 4000 --dport "
RUNS = (
    "apply {http}",
    "check {same}",
    "check {bad}",
    "check {shadowed}",
    "check {failing}",
    "doctor --config {same}",
    "support-bundle {bundle}",
    "top --once",
    "top --count 2 --interval 1",
    "trace --count 4",
    "trace --dropped --count 2",
    "trace nonsense --seconds 1",
    "log",
    "log security -n 3",
    "log --follow",
    "cache recreate",
    "show cache",
    "cache purge http://www.example.com/",
    "cache clear",
    "by mail: joe@away.example",
    "show mail",
    "show mail queue",
    "show mail queue {queued}",
    "show mail queue nonsense",
    "show mail fetch",
    "mail retry all",
    "mail hold {queued}",
    "mail retry {queued}",
    "mail retry nonsense",
    "mail delete {queued}",
    "mail hold {queued}",
    "mail fetch",
    "mail fetch nobody",
    "status",
    "log --since nonsense",
    "passwd-hash < {password}",
    "passwd-hash",
    "user hash --mib 19 < {password}",
    "user group add crew --description people",
    "user group add chiefs --group crew",
    "user add anna --no-password --role viewer --description Anna",
    "user add berta --group crew < {password}",
    "user add berta --no-password",
    "user set anna --role operator",
    "user passwd anna < {password}",
    "user passwd anna",
    "user disable anna",
    "user enable anna",
    "user group join anna chiefs",
    "user key add anna {key}",
    "user show anna",
    "user show nobody",
    "user list",
    "user group list",
    "user key delete anna {key}",
    "user group leave anna chiefs",
    "user import {people} --dry-run",
    "user import {people}",
    "user import {bad}",
    "apply {remote}",
    "at the page: anna wrong",
    "user lockouts",
    "user unlock anna",
    "user unlock anna",
    "at the page: anna correct-horse1",
    "show logins",
    "login {page} --user anna --password-file {bad} --ca {certificate}",
    "login {page} --user anna --password-file {password} --ca {certificate} --once",
    "login {page} --ca {certificate} --out",
    "login {page} --user anna --password-file {password} --ca {certificate}",
    "at the page: anna correct-horse1",
    "logout anna",
    "logout nobody",
    "show remote",
    "user delete anna",
    "user delete berta",
    "user delete carla",
    "user group delete chiefs",
    "user group delete crew",
    "key generate --out {own_key}",
    "key generate --out {own_key}",
    "key show {own_key}",
    "apply {same}",
    "show drops --all",
    "show config --revision {revision}",
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
    "plan {failing}",
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
    "rollback {revision} --save",
    "rollback 99",
    "apply {shadowed}",
    "apply {failing}",
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

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + 43 * "A" + " nobody"
REMOTE = f"""
users: {{ accounts: {{ alice: {{ role: admin, keys: "{KEY}" }} }} }}
admin: {{ remote: {{}} }}
"""
HTTP = """services:
  http: { listen: lan, cache: { size: 16MiB } }
  mail:
    domains: office.example
    postmaster: alice
    relay: { hosts: [ { host: 198.51.100.99 } ] }
    fetch: [ { name: isp, host: 198.51.100.99, user: acme, token_command: [/bin/false] } ]
"""
PORTAL = "services:\n  portal: { listen: lan, port: 4443 }\n"
TEST = """
tests:
  - name: wrong
    in: lan
    protocol: tcp
    from: 192.168.1.10
    to: 198.51.100.10:80
    verdict: drop
"""


def files(lab):
    """Of the configurations and leases that RUNS names."""
    own = lab.config()
    route = "routes:\n  - { to: default, via: 203.0.113.1 }\n"
    texts = {
        "same": own,
        "changed": first_rule(own, "{ name: other, in: lan, service: udp/1, action: drop }"),
        "bad": own + "\nnonsense: 1\n",
        "shadowed": first_rule(own, "{ name: all, action: drop }"),
        "failing": own + TEST,
        "dhcp": own.replace("address: 203.0.113.2/24", "address: dhcp").replace(route, ""),
        "http": re.sub("^services:\n", HTTP, own, flags=re.MULTILINE),
        "remote": re.sub("^services:\n", PORTAL, own, flags=re.MULTILINE) + REMOTE,
        "leases": f"{int(time.time()) + 3600} 02:00:00:00:00:77 192.168.1.177 pc *\n",
        "people": "name,password\ncarla,correct-horse1\n",
        "password": "correct-horse1\n",
    }
    found = {"lab": lab.name, "leased": "192.168.1.177", "key": KEY}
    found["bundle"] = lab.scratch("bundle")
    found["revision"] = lab.ask("history")["in_force"]  # the first ones may be gone
    found["own_key"] = lab.scratch("own-key")
    found["page"] = portal_test.PAGE
    found["certificate"] = lab.directory + "/state/portal/certificate.pem"
    for name, text in texts.items():
        found[name] = lab.scratch(name)
        with open(found[name], "w", encoding="utf-8") as file:
            file.write(text)
    return found


def send(lab, recipient):
    """Its id in the queue."""
    mail = f"'alice@office.example', ['{recipient}'], 'Subject: hello\\r\\n\\r\\nGood day.\\r\\n'"
    program = f"import smtplib; smtplib.SMTP('192.168.1.1', timeout=10).sendmail({mail})"
    lab.client.must(["python3", "-c", program])
    return lab.ask("show", "mail", "queue")["messages"][0]["id"]


def documents(lab, words):
    """What the command prints: one object after the other."""
    argv = [POSTERN, "--run-dir", lab.directory + "/run", "--json", *words]
    typed = os.devnull
    if "<" in words:
        typed = argv.pop()
        argv.remove("<")
    if words[0] == "login":
        runtime = lab.directory + "/scratch/runtime"
        os.makedirs(runtime, 0o700, exist_ok=True)
        program = ["env", "XDG_RUNTIME_DIR=" + runtime, POSTERN, "--json"]
        argv = lab.client.argv([*program, *words])
    stays = words[0] == "login" and not {"--once", "--out"} & set(words)
    if "--follow" in words:
        argv = ["timeout", "--signal", "INT", "2", *argv]
    with open(typed, encoding="utf-8") as stdin, subprocess.Popen(
        argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline() if stays else ""
        if stays:
            process.terminate()  # it has said who is logged in, or why nobody is
        out, err = process.communicate(timeout=30)
    check(not err, f"{' '.join(words)}: {err}")
    printed, rest = [], (first + out).strip()
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        printed.append(document)
        rest = rest[end:].lstrip()
    return printed


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
        page = portal_test.Browser(lab, lab.client)
        for run in runs:
            if run.startswith("at the page: "):
                page.log_in(*run.split()[3:])
                continue
            if run.startswith("by mail: "):
                found["queued"] = send(lab, run.split()[2])
                continue
            words = [word.format(**found) for word in run.split()]
            name = next(name for name in names if (run + " ").startswith(name + " "))
            for document in documents(lab, words):
                if "error" not in document:
                    seen.add(name)
                fault = validator.wrong(name, document)
                if fault:
                    wrong.append(f"postern {run}: {fault}")
    lab.applied = "another one"
    lab.write_config(lab.config())
    check(not wrong, "; ".join(wrong))
    check(not set(names) - seen, f"nothing was printed by {set(names) - seen}")
