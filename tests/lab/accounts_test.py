# SPDX-License-Identifier: BSD-3-Clause
"""Accounts: the account file and its commands, imports, roles on the administration socket."""

import grp
import json
import os
import pwd
import subprocess
import sys

from lab import POSTERN, check

PASSWORD = "correct-horse1"
GROUP = "users"  # of Debian; nobody is in it

# Asks the daemon as another user: the socket is named from its directory, which is root's.
ASK_AS = """
import json, os, socket, struct, sys
directory, uid, gid, request = sys.argv[1:]
os.chdir(directory)
os.setgroups([])
os.setgid(int(gid))
os.setuid(int(uid))
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(20)
connection.connect("postern.sock")
connection.sendall(struct.pack(">I", len(request)) + request.encode())
length = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))[0]
answer = json.loads(connection.recv(length, socket.MSG_WAITALL))
print("ok" if answer["ok"] else answer["error"]["text"])
"""


def postern(lab, *words, typed=""):
    """Status and output, whatever the status."""
    done = subprocess.run(
        [POSTERN, "--run-dir", lab.directory + "/run", *words],
        input=typed, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def must(lab, *words, typed=""):
    status, out = postern(lab, *words, typed=typed)
    check(status == 0, f"{words}: {status}: {out}")
    return out


def ask_as(lab, user, command):
    """What the daemon says to a member of the socket's group."""
    request = json.dumps({"version": 1, "command": command})
    argv = [sys.executable, "-c", ASK_AS, lab.directory + "/run",
            str(pwd.getpwnam(user).pw_uid), str(grp.getgrnam(GROUP).gr_gid), request]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout or done.stderr).strip()


def names(lab):
    rows = json.loads(must(lab, "--json", "user", "list"))["users"]
    return {row["name"]: row for row in rows}


def account_file(lab):
    """Path of the file; the state directory is beside the run-time one."""
    for folder, _, files in os.walk(lab.directory):
        if "accounts.json" in files:
            return os.path.join(folder, "accounts.json")
    return None


def test_account_file(lab):
    """Accounts come, change and go by commands; passwords are judged, and kept as hashes for root
    alone (F60, F70)."""
    for weak in ("", "short-1", "no-digits-here", "nospecial123"):
        status, out = postern(lab, "user", "add", "carol", typed=weak + "\n")
        check(status != 0 and "password" in out, f"'{weak}' was taken: {out}")
    must(lab, "user", "group", "add", "staff")
    must(lab, "user", "group", "add", "bosses", "--group", "staff")
    must(lab, "user", "add", "carol", "--group", "bosses", "--role", "viewer",
         typed=PASSWORD + "\n")
    status, out = postern(lab, "user", "add", "carol", "--no-password")
    check(status == 3 and "in the account file already" in out, out)
    shown = json.loads(must(lab, "--json", "user", "show", "carol"))
    check(shown["member_of"] == ["bosses", "staff"], f"{shown}")
    path = account_file(lab)
    check(path and os.stat(path).st_mode & 0o777 == 0o600, f"{path} is not for root alone")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    check("$argon2id$" in text and PASSWORD not in text, "no hash, or the password in clear")
    status, out = postern(lab, "user", "group", "delete", "staff")
    check(status != 0 and "there is no group staff" in out, out)
    must(lab, "user", "disable", "carol")
    check(not names(lab)["carol"]["enabled"], "carol is not disabled")
    must(lab, "user", "delete", "carol")
    check("carol" not in names(lab), "carol is still there")


def test_import(lab):
    """500 people come in at once or not at all; bad lines are named (F70)."""
    path = lab.scratch("people.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("name,description,groups\n")
        file.writelines(f"person{i},Person {i},imported\n" for i in range(500))
        file.write("bad name,x,imported\n")
    status, out = postern(lab, "user", "import", path)
    check(status == 3 and f"{path}:502: 'bad name' is not a name" in out, out)
    check("person1" not in names(lab), "half a file was imported")
    must(lab, "user", "import", path, "--skip-bad", "--dry-run")
    check("person1" not in names(lab), "a dry run imported")
    out = must(lab, "user", "import", path, "--skip-bad")
    check("imported 500 accounts and 1 groups; 1 bad lines" in out, out)
    check(sum(name.startswith("person") for name in names(lab)) == 500, "not all are there")


def test_roles(lab):
    """Members of the socket's group do what their role permits, refused in clear words (F61)."""
    text = must(lab, "show", "config")
    path = lab.scratch("roles.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + f"\nadmin: {{ socket: {{ group: {GROUP}, role: viewer }} }}\n")
    must(lab, "apply", path, "--no-confirm")
    check(ask_as(lab, "daemon", "status") == "ok", ask_as(lab, "daemon", "status"))
    told = ask_as(lab, "daemon", "dns flush")
    check(told == "`dns flush` takes the role operator; yours is viewer", told)
    must(lab, "user", "add", "games", "--no-password", "--role", "operator")
    check(ask_as(lab, "games", "show captures") == "ok", "no captures for an operator")
    told = ask_as(lab, "games", "confirm")
    check(told == "`confirm` takes the role admin; yours is operator", told)
    must(lab, "user", "disable", "games")
    told = ask_as(lab, "games", "status")
    check(told == "`status` takes the role viewer; yours is none", told)
    original = lab.scratch("before.yaml")
    with open(original, "w", encoding="utf-8") as file:
        file.write(text)
    must(lab, "apply", original, "--no-confirm")
