# SPDX-License-Identifier: BSD-3-Clause
"""Starts with a configuration that does not come up."""

from changes_test import postern, write
from lab import WEB, check

MISSING = '"kernel:no-such-port"'


def warnings(lab):
    return " ".join(lab.ask("status")["warnings"])


def test_missing_port(lab):
    """A file whose port is not there gives way to the last good configuration, which says so; the
    start after that takes the file again (C03, F02)."""
    broken = lab.config().replace('"kernel:dmz0"', MISSING)
    lab.restart_with(lab.config())
    before = lab.ask("history")["revisions"]
    lab.restart_with(broken)
    try:
        status = lab.ask("status")
        check(lab.postern("show", "config") == lab.config(), "not what ran before")
        check(status["configuration"]["source"] == "last-good", str(status["configuration"]))
        told = warnings(lab)
        check("gateway.yaml did not come up: " in told and "no-such-port" in told, told)
        check("the last good configuration runs" in told, told)
        with open(lab.directory + "/state/log/error.log", encoding="utf-8") as file:
            check("starting anew, with the last good" in file.read(), "not in the log")
        check(lab.client.run(f"ping -c 1 -W 2 {WEB}").ok, "nothing crosses")
        check(len(lab.ask("history")["revisions"]) == len(before), "it is in the history")
    finally:
        lab.restart_with(lab.config())
    check("did not come up" not in warnings(lab), "still warned")
    check(lab.ask("status")["configuration"]["source"] == "file", "not the file")


def test_missing_group(lab):
    """A group for the socket that the machine does not have is a warning, at a change and at a
    start (C03)."""
    text = lab.config() + "\nadmin: { socket: { group: no-such-group } }\n"
    remark = "no group `no-such-group` on this machine; the socket is for root alone"
    status, told = postern(lab, "apply", write(lab, text), "--no-confirm")
    lab.applied = "changed"
    check(status == 0 and "warning: admin.socket.group: " + remark in told, told)
    lab.restart_with(text)
    try:
        check(remark in warnings(lab), warnings(lab))
        check(lab.ask("status")["configuration"]["source"] == "file", "not the file")
    finally:
        lab.restart_with(lab.config())
