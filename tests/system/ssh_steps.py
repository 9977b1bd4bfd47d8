# SPDX-License-Identifier: BSD-3-Clause
"""Steps of tests/system/run: administrators by SSH whose forced command is the shell of Postern."""

import json
import os
import shutil
import subprocess

from container import check, run

GATEWAY = "192.168.1.1"
EXAMPLE = "/usr/share/doc/postern/examples/ssh/postern.conf"
# Accounts of login names; who has none may do nothing.
ACCOUNTS = """users:
  accounts:
    anna: { role: admin }
    victor: { role: viewer }
"""


class Login:
    """An SSH login from the client of the container."""

    def __init__(self, box, user):
        self.box = box
        self.user = user

    def ssh(self, *words):
        return ["ssh", "-F", "none", "-i", self.box.directory + "/login",
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", *words]

    def run(self, *words, stdin="", options=()):
        """(exit status, standard output, standard error)"""
        argv = self.ssh(*options, f"{self.user}@{GATEWAY}", *words)
        done = subprocess.run(
            ["ip", "netns", "exec", self.box.namespace("client"), *argv],
            input=stdin, capture_output=True, text=True, errors="replace", timeout=60,
            check=False)
        return done.returncode, done.stdout, done.stderr

    def expect(self, code, *words, **options):
        result = self.run(*words, **options)
        check(result[0] == code, f"{self.user}: {words}: {result}, not {code}")
        return result[1] + result[2]


def add_logins(box):
    """A Unix user for each account, whose home only root may write, and one key for all."""
    box.must("groupadd --system postern-admin")
    key = box.directory + "/login"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    for user in ("anna", "victor", "nobody-here"):
        box.must(["useradd", "--no-create-home", "--home-dir", "/home/" + user, "--shell",
                  "/bin/bash", "--groups", "postern,postern-admin", user])
        os.makedirs(f"{box.root}/home/{user}/.ssh")
        shutil.copy(key + ".pub", f"{box.root}/home/{user}/.ssh/authorized_keys")
    shutil.copy(box.root + EXAMPLE, box.root + "/etc/ssh/sshd_config.d/postern.conf")
    box.must("sshd -t")
    box.must("systemctl restart ssh")


def administers_by_ssh(box, config):
    """`ssh anna@gateway` is the shell of Postern, with a command and without; anna, an admin,
    changes the gateway, victor looks and may change nothing, and neither gets at any other
    program, any file or any other port of the gateway."""
    box.must("tee /etc/postern/new.yaml", stdin=config + ACCOUNTS)
    box.must("postern apply --save --no-confirm /etc/postern/new.yaml")
    add_logins(box)
    anna, victor = Login(box, "anna"), Login(box, "victor")
    may_run_commands(anna, victor)
    may_change(box, anna, victor)
    has_a_prompt(anna)
    is_closed(box, anna, victor)
    told = Login(box, "nobody-here").expect(5, "status")
    check("takes the role viewer; yours is none" in told, told)
    box.must("postern apply --save --no-confirm -", stdin=config)
    box.must("rm /etc/ssh/sshd_config.d/postern.conf")
    box.must("systemctl restart ssh")


def may_run_commands(anna, victor):
    for login in (anna, victor):
        told = login.expect(0, "show", "sessions", "--json")
        check("sessions" in json.loads(told), told)
        check(json.loads(login.expect(0, "postern --json status"))["state"] == "live", "status")
        login.expect(3, "check -", stdin="nonsense: 1\n")
        login.expect(2, "show nonsense")
        told = login.expect(2, stdin="status\nshow rules\nnonsense\n", options=("-T",))
        check("generation" in told and "outbound" in told, told)


def may_change(box, anna, victor):
    rule = "    - { name: by-ssh, in: lan, service: udp/27015, action: drop }\n"
    with_rule = box.must("postern show config").replace("  rules:\n", "  rules:\n" + rule)
    told = victor.expect(5, "apply --no-confirm -", stdin=with_rule)
    check("takes the role admin; yours is viewer" in told, told)
    for line in ("logout 192.168.1.10", "capture -n 1 -w -", "confirm", "rollback 1",
                 "user add mallory --role admin --no-password", "user set victor --role admin"):
        told = victor.expect(5, line)
        check("yours is viewer" in told, f"{line}: {told}")
    check("by-ssh" not in box.must("postern show rules"), "a viewer has changed the gateway")
    anna.expect(0, "apply --no-confirm --comment 'no \"games\"' -", stdin=with_rule)
    check("by-ssh" in box.must("postern show rules"), "the rule is not in force")
    told = box.must("postern history")
    check("anna" in told and 'no "games"' in told, told)


def has_a_prompt(anna):
    told = anna.expect(0, stdin="show rules\nexit\n", options=("-tt",))
    check("> " in told and "by-ssh" in told, told)


def is_closed(box, anna, victor):
    """Neither by words, nor by subsystems, forwarding or the environment."""
    box.must(["sh", "-c", "echo secret-of-postern > /etc/readable && chmod 644 /etc/readable"])
    lines = (
        "id", "sh", "bash -i", "/usr/bin/id", "status; id", "status | id", "status && id",
        "$(id)", "`id`", "status\nid", "postern lab exec client id", "shell", "' id",
        "cat /etc/readable", "check /etc/readable", "explain --config /etc/readable --in lan",
        "diff /etc/readable -", "capture -w /tmp/x -n 1", "support-bundle", "support-bundle /tmp/x",
        "key generate --out /tmp/x", "key show /etc/readable", "postern --run-dir /tmp status",
        "postern --host 127.0.0.1 status", "scp -t /tmp", "scp -f /etc/readable",
        "rsync --server . /tmp",
    )
    for login in (anna, victor):
        for line in lines:
            code, out, err = login.run(line)
            check(code in (2, 5), f"{line}: {code}: {out} {err}")
            check("uid=" not in out + err and "secret-of" not in out + err, f"{line}: {out} {err}")
        check(not box.exists("/tmp/x"), "a file was written")
        code, out, err = login.run("sftp", options=("-s",))
        check(code != 0, f"sftp: {code}: {out} {err}")
        code, out, err = login.run(options=("-W", "127.0.0.1:22"))
        check(code != 0 and "SSH-2.0" not in out, f"a port is forwarded: {out} {err}")
        code, out, err = login.run("status", options=("-A", "-R", "0:127.0.0.1:22", "-o",
                                                      "ExitOnForwardFailure=yes"))
        check(code != 0, f"a port is forwarded back: {out} {err}")
