# SPDX-License-Identifier: BSD-3-Clause
"""Sessions and NAT events as the flow collectors of others read them (P20)."""

import json
import os
import subprocess

from lab import GATEWAY, HERE, WEB, check, wait_until

COLLECTOR = "192.168.1.10"
HOST = "192.168.1.11"  # that speaks
SERVER = "10.9.0.10"


def exporting(lab, ipfix):
    """The lab's configuration with a flow collector, and sessions that end soon."""
    text = lab.config().replace(
        "system:\n", "system:\n  timeouts: { tcp_transitory: 1s, udp: 1s }\n", 1
    )
    check("logging:\n" not in text, "the lab's configuration has a section logging")
    return text + "\nlogging:\n  ipfix: " + ipfix + "\n"


class Nfcapd:
    """The collector of nfdump, by UDP."""

    def __init__(self, lab, port):
        self.directory = lab.scratch("nfcapd")
        os.mkdir(self.directory)
        words = ["-w", self.directory, "-b", COLLECTOR, "-p", str(port), "-t", "3600"]
        self.running = lab.client.serve(["nfcapd", *words], port, "udp")

    def rows(self):
        """Ends it; what it has read."""
        self.running.stop()
        told = self.running.out()
        check("Sequence Errors: 0, Bad Packets: 0" in told, told[-400:])
        rows = []
        for name in sorted(os.listdir(self.directory)):
            done = subprocess.run(
                ["nfdump", "-r", self.directory + "/" + name, "-o", "json"],
                capture_output=True,
                text=True,
                check=True,
            )
            rows += json.loads(done.stdout or "[]")
        return rows


def ipfix_status(lab):
    return lab.ask("status")["ipfix"] or {}


def settled(lab):
    """Nothing of the host is left in the table, and all records have arrived."""
    status = ipfix_status(lab)
    return (
        status.get("state") == "up"
        and status["records_waiting"] == 0
        and not lab.lists("sessions", HOST)
    )


def all_told(lab):
    """Each record is on its way or there; other hosts may begin sessions meanwhile."""
    status = lab.ask("status")
    told = status["ipfix"]
    return told["records_sent"] + told["records_waiting"] == status["counters"]["flow_records"]


def of_host(rows, event):
    return [
        row for row in rows if row.get("src4_addr") == HOST and row.get("nat_event", "") == event
    ]


def test_a_collector_reads_sessions(lab):
    """nfcapd gets the create and the delete of a translated session, with the outside address and
    the port that the packets outside had, and packets and bytes of both directions; one that is not
    translated is a plain flow, and a mapping has events of its own (P20)."""
    collector = Nfcapd(lab, 4739)
    lab.apply(exporting(lab, f"{{ collector: {COLLECTOR}, records: [sessions, mappings] }}"))
    with lab.sniff("outside", f"tcp and host {WEB}") as wire:
        lab.client2.must(f"curl -sS -m 5 -o /dev/null --interface {HOST} http://{WEB}/bytes/20000")
        lab.client2.must(f"curl -sS -m 5 -o /dev/null --interface {HOST} http://{SERVER}:44333/")
        wait_until(lambda: settled(lab), 12, f"not all is told: {ipfix_status(lab)}")
        sent = len(wire.packets(f"src host {GATEWAY} and dst host {WEB}"))
        ports = {
            packet.partition(GATEWAY + ".")[2].partition(" ")[0]
            for packet in wire.packets(f"src host {GATEWAY} and tcp[tcpflags] & tcp-syn != 0")
        }
    check("ipfix          udp 192.168.1.10:4739 up" in lab.postern("status"), "postern status")
    rows = collector.rows()
    (begin,) = of_host(rows, "NAT44 session create")
    (end,) = of_host(rows, "NAT44 session delete")
    for row in (begin, end):
        told = (row["dst4_addr"], row["dst_port"], row["proto"], row["src4_xlt_ip"])
        check(told == (WEB, 80, 6, GATEWAY), f"{row}")
        check({row["src_xlt_port"]} == ports, f"{row}: outside it was {ports}")
        check((row["input_snmp"], row["output_snmp"]) == (2, 1), f"{row}")
    check(begin["src_port"] == end["src_port"], "two sessions")
    check(end["in_packets"] == sent, f"{sent} packets went out, told: {end['in_packets']}")
    check(end["out_bytes"] > 20000 > end["in_bytes"] > 0, f"{end}")
    for event in ("NAT44 BIB create", "NAT44 BIB delete"):
        (mapping,) = of_host(rows, event)
        check({mapping["src_xlt_port"]} == ports, f"{mapping}")
    (plain,) = [row for row in of_host(rows, "") if row["dst4_addr"] == SERVER]
    check(plain["dst_port"] == 44333 and "src4_xlt_ip" not in plain, f"{plain}")
    wait_until(lambda: all_told(lab), 5, f"records are missing: {lab.ask('status')}")
    check(ipfix_status(lab)["records_lost"] == 0, f"{ipfix_status(lab)}")


SPEAK = f"""
import socket
for i in range(40):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("{HOST}", 30000 + i))
    s.sendto(b"x", ("{WEB}", 9))
    s.close()
"""


def test_a_reload_to_another_collector_loses_nothing(lab):
    """While a collector by TCP is away the status says so and records wait; all of them reach the
    one that a reload names instead (P20)."""
    lab.apply(exporting(lab, f'{{ collector: "{COLLECTOR}:4740", transport: tcp }}'))
    lab.client2.python(SPEAK)
    wait_until(
        lambda: f"ipfix: tcp {COLLECTOR}:4740: Connection refused" in lab.postern("status"),
        8,
        "the status does not say that the collector is away",
    )
    check(ipfix_status(lab)["records_waiting"] >= 40, f"{ipfix_status(lab)}")
    collector = Nfcapd(lab, 4741)
    lab.apply(exporting(lab, f'{{ collector: "{COLLECTOR}:4741" }}'))
    wait_until(lambda: settled(lab), 12, f"not all is told: {ipfix_status(lab)}")
    rows = collector.rows()
    for event in ("NAT44 session create", "NAT44 session delete"):
        ports = sorted(row["src_port"] for row in of_host(rows, event) if row["dst_port"] == 9)
        check(ports == list(range(30000, 30040)), f"{event}: {ports}")


def test_by_tcp_into_tshark(lab):
    """What Wireshark reads from the connection to a collector by TCP: the templates once, events
    with their names, no octet that it does not understand (P20)."""
    got = lab.scratch("got")
    lab.client.serve(
        ["/usr/bin/python3", HERE + "/log_collector.py", "tcp", "4742", got], 4742, "tcp"
    )
    with lab.sniff("inside", "tcp port 4742", snaplen=0) as wire:
        lab.apply(exporting(lab, f'{{ collector: "{COLLECTOR}:4742", transport: tcp, domain: 7 }}'))
        lab.client2.python(SPEAK)
        lab.client2.must(f"ping -c 1 -I {HOST} {WEB}")
        lab.apply(lab.config())
        wait_until(lambda: not ipfix_status(lab), 5, "it exports still")
    argv = ["tshark", "-n", "-r", wire.path, "-d", "tcp.port==4742,cflow"]
    told = subprocess.run([*argv, "-V"], capture_output=True, text=True, check=True).stdout
    check("Malformed" not in told and "Unknown" not in told, "tshark does not understand it")
    check("Unexpected flow sequence" not in told, "a gap in the sequence numbers")
    check(told.count("Observation Domain Id: 7") > 0, "the observation domain")
    check(told.count("Template (Id = 256,") == 1, "the templates came more than once")
    check(told.count("Nat Event: NAT44 session create (4)") >= 41, "events are missing")
    check(told.count(f"Post NAT Source IPv4 Address: {GATEWAY}") >= 41, "outside addresses")
    check("ICMP Type: 0x0800" in told, "the ping")
