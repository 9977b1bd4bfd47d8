# SPDX-License-Identifier: BSD-3-Clause
"""postern capture on the running gateway: before the filter, after it, and what is dropped."""

import json
import signal
import subprocess

from lab import GATEWAY, POSTERN, WEB, Running, check, wait_until


def start_capture(lab, *words):
    """A capture that runs, once the daemon has it."""
    before = len(lab.ask("show", "captures")["captures"])
    argv = [POSTERN, "--run-dir", lab.directory + "/run", *words]
    running = Running(argv, lab.scratch("capture.out"))
    lab.started.append(running)
    wait_until(
        lambda: len(lab.ask("show", "captures")["captures"]) > before or not running.runs(),
        10,
        "the capture does not start",
    )
    return running


def frames_of(running):
    """The frames of a capture with --json that has ended."""
    running.stop(signal.SIGINT)
    return [json.loads(line) for line in running.out().splitlines() if line.startswith("{")]


def test_dropped_syn(lab):
    """A capture of dropped packets shows a SYN that a rule refused, with the reason and the name of
    the rule (P13), and one that fell to the logging clean-up rule, too (F23)."""
    capture = start_capture(lab, "capture", "--at", "dropped", "--where", "tcp")
    lab.client.run(f"nc -z -w 1 {WEB} 31337")
    lab.internet.run(f"nc -z -w 1 {GATEWAY} 8081")
    capture.stop(signal.SIGINT)
    for words in (
        (" lan dropped tcp 192.168.1.10:", f"> {WEB}:31337 SYN ", "reason filter_drop",
         "rule no-trojan"),
        (" wan dropped tcp ", f"> {GATEWAY}:8081 SYN ", "reason filter_drop", "rule cleanup"),
    ):
        told = [line for line in capture.out().splitlines() if all(w in line for w in words)]
        check(told, f"no line with {words}: {capture.out()}")


def test_before_and_after_translation(lab):
    """The same packet has its inside address where it was received and the gateway's where it was
    sent (P13)."""
    where = f"icmp and host {WEB}"
    capture = start_capture(lab, "--json", "capture", "--where", where)
    lab.client.must(f"ping -c 1 {WEB}")
    frames = frames_of(capture)
    told = [(f["interface"], f["stage"], f["source"], f["destination"]) for f in frames]
    expected = [
        ("lan", "received", "192.168.1.10", WEB),
        ("wan", "sent", GATEWAY, WEB),
        ("wan", "received", WEB, GATEWAY),
        ("lan", "sent", WEB, "192.168.1.10"),
    ]
    check(sorted(told) == sorted(expected), f"{told}")


def test_pcapng(lab):
    """tcpdump reads a capture file: the frames of all stages; comments tell the stage (P13)."""
    path = lab.scratch("capture.pcapng")
    where = f"host {WEB} and proto icmp or tcp and port 31337"
    capture = start_capture(lab, "capture", "--where", where, "--out", path, "--count", "6")
    lab.client.must(f"ping -c 1 {WEB}")
    lab.client.run(f"nc -z -w 1 {WEB} 31337")
    outcome = capture.wait(15)
    check(outcome.ok and "6 frames" in outcome.out, outcome.out)
    told = subprocess.run(["tcpdump", "-nn", "-r", path], capture_output=True, text=True,
                          check=True).stdout
    check(told.count("ICMP echo request") == 2 and told.count("ICMP echo reply") == 2, told)
    check(told.count(f"> {WEB}.31337: Flags [S]") == 2, told)
    with open(path, "rb") as file:
        data = file.read()
    check(data[:4] == bytes.fromhex("0a0d0d0a"), "no section header")
    check(b"dropped: filter_drop, rule no-trojan" in data, "no reason and rule of the drop")


def test_client_that_goes_away(lab):
    """A capture whose client is killed ends by itself, within seconds (P13)."""
    capture = start_capture(lab, "capture", "--interface", "lan")
    capture.stop(signal.SIGKILL)
    wait_until(
        lambda: not lab.ask("show", "captures")["captures"], 15, "the capture goes on for nobody"
    )


def test_bad_words(lab):
    """Each wrong option is one clear line and exit code 2 (P13)."""
    for words, says in (
        (["--interface", "lam"], "--interface: no interface 'lam'; one of wan, lan, dmz"),
        (["--at", "recieved"], "--at: 'recieved' is no stage"),
        (["--where", "udp port 53"], "`and` or `or` is due"),
        (["--snaplen", "1"], "--snaplen: 14 to"),
        (["--out", "/nowhere/x"], "/nowhere/x: No such file"),
    ):
        argv = [POSTERN, "--run-dir", lab.directory + "/run", "capture", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
        check(done.returncode in (1, 2) and done.stderr.count("\n") == 1, f"{words}: {done}")
        check(says in done.stderr, f"{words}: {done.stderr}")
