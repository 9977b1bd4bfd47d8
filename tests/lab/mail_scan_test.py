# SPDX-License-Identifier: BSD-3-Clause
"""Mail is shown to scanners before it goes on (F54)."""

import os

from lab import GATEWAY, HERE, check, wait_until
from mail_bed import GATEWAY_INSIDE, Isp, Office, from_outside, new_tag, send, swaks

# In two pieces, so that who looks for viruses lets this file alone.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SCANNED_AGAIN_S = 80  # what could not be scanned is scanned once a minute
COMMAND = """#!/bin/sh
# A scanner: exit 1 with a name where the test string is, 75 without its database.
[ -e {database} ] || exit 75
if grep -q EICAR-STANDARD-ANTIVIRUS; then
  echo Eicar-Test-Signature
  exit 1
fi
"""


def milter(lab, path):
    running = lab.gateway.start(["/usr/bin/python3", "-B", HERE + "/mail_milter.py", path])
    wait_until(lambda: "ready" in running.out(), 10, f"the milter: {running.out()}")
    return running


def is_held(office):
    return [one["is_held"] for one in office.queue()]


def test_mail_milter(lab):
    """A milter stops the EICAR test string, from outside and on its way out, with a line in the
    mail log; what is clean goes on with its field; what it wants held waits (F54)."""
    office, isp = Office(lab), Isp(lab)
    path = lab.scratch("milter.sock")
    with isp.relay(), milter(lab, path) as running:
        office.start(isp.relay_keys() + f'\nscan: {{ milters: "unix:{path}" }}')
        for host, server, to in ((lab.internet, GATEWAY, "anna@office.example"),
                                 (lab.client, GATEWAY_INSIDE, "joe@else.example")):
            code, said = swaks(host, server, "sue@else.example", to, "--body", EICAR)
            check(code == "550" and "Eicar-Test-Signature" in said, f"{to}: {said[-300:]}")
        check(office.log("event=refused", "Eicar-Test-Signature"), "no line in the mail log")
        tag = new_tag("clean")
        from_outside(lab, "anna@office.example,bert@office.example", tag)
        send(lab.client, GATEWAY_INSIDE, "anna@office.example", "joe@else.example", tag=tag)
        office.wait_for_empty()
        for user in ("anna", "bert"):
            clean = [one for one in office.files(user) if one["X-Tag"] == tag]
            check([one["X-Scanned"] for one in clean] == ["clean"], f"{user}: {clean}")
        check("X-Scanned: clean\r\n" in isp.got(tag)[0]["text"], "relayed without its field")
        held = new_tag("held")
        from_outside(lab, "anna@office.example", held, "--body", "please hold this")
        wait_until(lambda: is_held(office) == [True], 10, f"not held: {office.queue()}")
        check(office.log("event=held", "somebody should look"), "no line of what is held")
        lab.postern("mail", "retry", office.queue()[0]["id"])
        office.wait_for("anna", held)
        check(running.out().count("infected") == 2, f"the milter: {running.out()}")


def test_mail_milter_away(lab):
    """While the scanner is away mail waits, and is scanned when it is back; or it passes, where
    that is configured. The mail log tells both (F54)."""
    office = Office(lab)
    path = lab.scratch("milter.sock")
    scan = f'scan: {{ milters: "unix:{path}", timeout: 5s, infected: hold'
    office.start(scan + " }")
    tags = [new_tag("unscanned") for _ in range(3)]
    from_outside(lab, "anna@office.example", tags[0])
    from_outside(lab, "anna@office.example", tags[1], "--body", EICAR)
    wait_until(lambda: len(office.queue()) == 2, 10, f"in the queue: {office.queue()}")
    check(office.count("anna", tags[0]) == 0, "it passed unscanned")
    check(len(office.log("event=unscanned", path)) >= 2, "no line each in the mail log")
    with milter(lab, path) as running:
        office.wait_for("anna", tags[0], SCANNED_AGAIN_S)
        wait_until(lambda: "infected" in running.out(), 10, "the other one was not scanned")
        check(office.count("anna", tags[1]) == 0, "the infected one was delivered")
        wait_until(lambda: is_held(office) == [True], 10, f"not held: {office.queue()}")
    lab.postern("mail", "delete", office.queue()[0]["id"])
    before = len(office.log("event=unscanned"))
    office.start(scan + ", unavailable: pass }")
    from_outside(lab, "anna@office.example", tags[2])
    office.wait_for("anna", tags[2])
    check(len(office.log("event=unscanned")) > before, "it passed without a line in the log")


def test_mail_scan_command(lab):
    """A command that reads the message stops the test string; without its database it says so, and
    mail waits (F54)."""
    office = Office(lab)
    database, command = lab.scratch("database"), lab.scratch("scan.sh")
    with open(command, "w", encoding="ascii") as file:
        file.write(COMMAND.format(database=database))
    os.chmod(command, 0o755)
    with open(database, "w", encoding="ascii"):
        pass
    office.start(f"scan: {{ command: {command}, infected: discard }}")
    tags = [new_tag("command") for _ in range(3)]
    from_outside(lab, "anna@office.example", tags[0])
    office.wait_for("anna", tags[0])
    from_outside(lab, "anna@office.example", tags[1], "--body", EICAR)
    office.wait_for_empty()
    check(office.count("anna", tags[1]) == 0, "the infected one was delivered")
    check(office.log("event=discarded", "Eicar-Test-Signature"), "no line of what is gone")
    os.unlink(database)
    from_outside(lab, "anna@office.example", tags[2])
    wait_until(lambda: office.log("event=unscanned", "exit code 75"), 10, "no line of the fault")
    check(office.count("anna", tags[2]) == 0, "it passed unscanned")
    with open(database, "w", encoding="ascii"):
        pass
    office.wait_for("anna", tags[2], SCANNED_AGAIN_S)
