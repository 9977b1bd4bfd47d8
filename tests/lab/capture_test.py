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


def test_into_tshark(lab):
    """What Wireshark reads from `postern capture -i IF -f EXPR --dropped -w -`: a dropped SYN with
    the reason and the rule as its comment (P13)."""
    path = lab.scratch("dropped.pcapng")
    capture = start_capture(lab, "capture", "-i", "lan", "-f", "tcp and port 31337", "--dropped",
                            "-n", "1", "-w", path)
    lab.client.run(f"nc -z -w 1 {WEB} 31337")
    check(capture.wait(15).ok, capture.out())
    fields = ["frame.interface_name", "ip.dst", "tcp.dstport", "tcp.flags.syn", "frame.comment"]
    argv = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=|"]
    for field in fields:
        argv += ["-e", field]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    check(told == f"lan|{WEB}|31337|1|dropped: filter_drop, rule no-trojan", told)


def traced(lab, *words):
    """A trace that runs."""
    return start_capture(lab, "--json", "trace", *words)


def test_trace(lab):
    """A packet is followed from where it comes in to where it leaves, and one that is refused to
    the rule that refuses it, with the rule's line and the policy's generation (P13, C04, C07)."""
    trace = traced(lab, f"icmp and host {WEB}", "-n", "2")
    lab.client.must(f"ping -c 1 {WEB}")
    check(trace.wait(15).ok, trace.out())
    request, reply = [json.loads(line) for line in trace.out().splitlines()]
    way = [(s["stage"], s["interface"], s["source"]) for s in request["stages"]
           if s["stage"] in ("received", "sent")]
    check(way == [("received", "lan", "192.168.1.10"), ("sent", "wan", GATEWAY)], f"{request}")
    rules = {r["name"]: r["line"] for r in lab.ask("show", "rules")["rules"]}
    check(request["line"] == rules[request["rule"]], f"{request}")
    check(request["generation"] == lab.ask("status")["configuration"]["generation"], f"{request}")
    check([s["stage"] for s in request["decision"]][-1] == "source-nat", f"{request}")
    check(reply["verdict"] == "forwarded" and reply["stages"][-1]["destination"] == "192.168.1.10",
          f"{reply}")
    trace = traced(lab, "tcp and port 31337", "-n", "1", "--dropped")
    lab.client.run(f"nc -z -w 1 {WEB} 31337")
    check(trace.wait(15).ok, trace.out())
    syn = json.loads(trace.out().splitlines()[0])
    told = (syn["verdict"], syn["reason"], syn["rule"], syn["line"])
    check(told == ("dropped", "filter_drop", "no-trojan", rules["no-trojan"]), f"{syn}")


def test_explain_is_what_happens(lab):
    """What `explain` says of a packet is what the running gateway does with it: ports and addresses
    of all kinds, permitted, refused, without a route, for the gateway itself (C04)."""
    targets = [(WEB, 80), (WEB, 31337), (WEB, 25), (WEB, 23), ("10.99.0.1", 80), (GATEWAY, 80),
               ("192.168.1.1", 22), ("255.255.255.255", 80), ("240.0.0.1", 80)]
    # Nobody there answers an answer with a reset.
    flows = [(source, *to) for to in targets for source in ("192.168.1.77", "198.51.100.99")]
    interfaces = lab.ask("show", "interfaces")["interfaces"]
    mac = next(i["mac"] for i in interfaces if i["name"] == "lan")
    trace = traced(lab, "tcp and src port 40000", "-i", "lan", "-n", str(len(flows)), "--brief",
                   "--seconds", "20")
    lab.client.scapy(
        f"""
        for source, to, port in {flows}:
            sendp(Ether(dst="{mac}") / IP(src=source, dst=to) / TCP(sport=40000, dport=port),
                  iface="eth0")
        """
    )
    trace.wait(30)
    seen = [json.loads(line) for line in trace.out().splitlines() if line.startswith("{")]
    told = [packet["stages"][0]["destination"] for packet in seen]
    check(len(seen) == len(flows), f"{told}")
    check({"forwarded", "dropped"} < {packet["verdict"] for packet in seen}, trace.out())
    for packet in seen:
        first = packet["stages"][0]
        told = lab.ask("explain", "--in", "lan", "--src", first["source"], "--dst",
                       first["destination"], "--proto", "tcp")
        check(told.get("reason", "") == packet.get("reason", ""), f"{told} {packet}")
        if "rule" in packet:  # what opens no session and is not refused names none
            check(told.get("rule", "default") == packet["rule"], f"{told} {packet}")
        refused = ("dropped", "answered")
        verdict = {"forward": ("forwarded",), "host": ("delivered",), "deny": refused,
                   "drop": refused}[told["verdict"]]
        check(packet["verdict"] in verdict, f"{told} {packet}")


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
