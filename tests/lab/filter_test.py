# SPDX-License-Identifier: BSD-3-Clause
"""The ordered rules on real packets: what passes, what does not, and what is answered."""

import re
import time

from lab import GATEWAY, GATEWAY_MAC, SECOND, SERVER, WEB, check, first_rule, wait_until


# A configuration whose rules are exactly those given.
def with_rules(lab, *rules):
    head, _ = lab.config().split("  rules:\n", 1)
    return head + "  rules:\n" + "".join(f"    - {rule}\n" for rule in rules)


def rule_packets(lab, name):
    for rule in lab.ask("show", "rules")["rules"]:
        if rule["name"] == name:
            return rule["packets"]
    return None


def connects(host, address, port, source=None):
    bind = f"-s {source}" if source else ""
    return host.run(f"nc -z -w 1 {bind} {address} {port}").ok


def test_deny_answers(lab):
    """Deny answers a TCP SYN with RST whose ack is seq+1, other packets with ICMP 3/13, and neither
    ICMP errors nor later fragments nor broadcasts (F20)."""
    lab.apply(with_rules(lab, "{ name: all, action: deny }"))
    with lab.sniff("inside", "ip and dst host 192.168.1.10", "in") as inside:
        lab.client.scapy(
            f"""
            to = IP(src="192.168.1.10", dst="{WEB}")
            send(to / TCP(sport=5001, dport=80, flags="S", seq=1000))
            send(to / UDP(sport=5002, dport=80) / b"x" * 1)
            send(IP(src="192.168.1.10", dst="{WEB}", proto=89) / Raw(b"x" * 20))
            send(to / ICMP(id=7) / b"ping")
            """
        )
        resets = inside.packets("tcp")
        check(
            len(resets) == 1 and "Flags [R.]" in resets[0] and "ack 1001" in resets[0],
            f"TCP: {resets}",
        )
        prohibited = inside.count("icmp[icmptype] = 3 and icmp[icmpcode] = 13")
        check(
            prohibited == 3, f"{prohibited} ICMP answers to UDP, OSPF and ping: {inside.packets()}"
        )
    with lab.sniff("inside", "ip and dst host 192.168.1.10", "in") as inside:
        lab.client.scapy(
            f"""
            send(IP(src="192.168.1.10", dst="{WEB}") / ICMP(type=3, code=3)
                 / IP(src="{WEB}", dst="192.168.1.10") / UDP(sport=9, dport=9))
            send(IP(src="192.168.1.10", dst="{WEB}", frag=100, proto=17) / Raw(b"x" * 40))
            sendp(Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="192.168.1.10", dst="192.168.1.255")
                  / UDP(sport=9, dport=9), iface="eth0")
            sendp(Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="192.168.1.10", dst="{WEB}")
                  / UDP(sport=9, dport=9), iface="eth0")
            """
        )
        time.sleep(0.3)
        check(inside.count() == 0, f"answered: {inside.packets()}")


def test_only_chosen_protocols(lab):
    """Of all ICMP types and some IP protocols only those named by a rule cross (F18)."""
    lab.apply(
        with_rules(
            lab,
            "{ name: ping, in: lan, service: [icmp/echo-request, icmp/13, gre, esp], "
            "action: permit }",
        )
    )
    with lab.sniff("outside", f"dst host {WEB}", "in") as outside:
        lab.client.scapy(
            f"""
            to = IP(src="192.168.1.10", dst="{WEB}")
            for kind in range(19):
                send(to / ICMP(type=kind, id=kind) / (b"x" * 28))
            for protocol in (2, 47, 50, 51, 89, 132):
                send(IP(src="192.168.1.10", dst="{WEB}", proto=protocol) / Raw(b"x" * 20))
            """
        )
        crossed = outside.packets()
        kinds = [kind for kind in range(19) if outside.count(f"icmp[0] = {kind}")]
        protocols = [p for p in (2, 47, 50, 51, 89, 132) if outside.count(f"ip proto {p}")]
    check(kinds == [8, 13], f"ICMP types {kinds}: {crossed}")
    check(protocols == [47, 50], f"protocols {protocols}")


def test_scattered_list(lab):
    """A rule with a list of scattered hosts admits these and not their neighbours (F16, F17)."""
    text = with_rules(lab, "{ name: some, from: chosen, to: [web-hosts], action: permit }")
    lab.apply(
        text.replace(
            "  addresses:\n",
            "  addresses:\n    chosen: [192.168.1.10, nested]\n"
            "    nested: [172.16.5.10, 10.9.0.10]\n"
            f"    web-hosts: [{WEB}, {SECOND}]\n",
        )
    )
    tried = {
        source: connects(host, WEB, 80, source)
        for host, source in (
            (lab.client, "192.168.1.10"),
            (lab.client, "172.16.5.10"),
            (lab.dmz, "10.9.0.10"),
            (lab.client2, "192.168.1.11"),
            (lab.client, "192.168.1.12"),
            (lab.dmz, "10.9.0.9"),
        )
    }
    check(list(tried.values()) == [True] * 3 + [False] * 3, f"{tried}")


def test_first_match_wins(lab):
    """Two rules swapped flip the verdict, and only one of them counts (F21)."""
    permit = "{ name: may, in: lan, service: tcp/80, action: permit }"
    deny = "{ name: may-not, in: lan, to: 198.51.100.0/24, action: deny }"
    for rules, passes, silent in (
        ((permit, deny), True, "may-not"),
        ((deny, permit), False, "may"),
    ):
        lab.apply(with_rules(lab, *rules))
        before = rule_packets(lab, silent)
        check(connects(lab.client, WEB, 80) == passes, f"{rules}: not {passes}")
        check(rule_packets(lab, silent) == before, f"{rules}: {silent} counts")


def test_outgoing_rule(lab):
    """A rule on the way out keeps a packet off the wire outside, and counts it (F15)."""
    lab.apply(
        first_rule(lab.config(), "{ name: no-agents, out: wan, service: udp/31338, action: drop }")
    )
    with lab.sniff("inside", "port 31338") as inside, lab.sniff("outside", "port 31338") as outside:
        lab.client.must(["sh", "-c", f"echo x | nc -u -w 1 {WEB} 31338"])
        check(
            (inside.count(), outside.count()) == (1, 0),
            "inside and outside: " f"{inside.count()}, {outside.count()}",
        )
    wait_until(lambda: rule_packets(lab, "no-agents") == 1, 3, "the rule did not count one packet")


def test_established_is_known(lab):
    """Segments without a session do not pass, not even to a port that is permitted (F19)."""
    with lab.sniff("dmz", "dst port 44333 or dst port 80") as dmz:
        lab.internet.scapy(
            f"""
            for flags in ("A", "FA", "RA", "PA", "R", "F", "SF", "", "FPU", "SR"):
                for to, port in (("{GATEWAY}", 5555), ("{SERVER}", 80)):
                    send(IP(src="{WEB}", dst=to) / TCP(sport=4004, dport=port, flags=flags, ack=1))
            """
        )
        check(dmz.count() == 0, f"{dmz.packets()}")
        check(lab.internet.run(f"curl -sS -m 5 http://{GATEWAY}:5555/").ok, "the port is not open")


def test_answers_need_no_rule(lab):
    """Answers to what went out pass; from the same server to another port nothing does (F25)."""
    lab.apply(with_rules(lab, "{ name: out, in: lan, action: permit }"))
    check(lab.client.run(f"curl -sS -m 5 http://{WEB}/").ok, "no answer by TCP")
    check(lab.client.run("dig +time=2 +tries=1 web.example").ok, "no answer by UDP")
    with lab.sniff("inside", f"src host {WEB} and udp", "in") as inside:
        lab.client.must(["sh", "-c", f"echo x | nc -u -w 1 -p 4444 {WEB} 7"])
        lab.internet.scapy(
            f"""
            for port in (4443, 4445, 53, 1024):
                send(IP(src="{WEB}", dst="{GATEWAY}") / UDP(sport=7, dport=port) / b"unasked")
            """
        )
        check(inside.count() == 1, f"{inside.packets()}")


def test_windows_sharing(lab):
    """One switch keeps NetBIOS and SMB from crossing, whatever a rule says (F30)."""
    text = with_rules(lab, "{ name: all, in: [lan, gateway], action: permit }")
    wan = "    address: 203.0.113.2/24\n"
    lab.apply(text.replace(wan, wan + "    windows_sharing: block\n"))
    with lab.sniff("outside", "port 445 or portrange 135-139", "in") as outside:
        for port in (135, 137, 138, 139, 445):
            lab.client.run(f"nc -z -w 1 {WEB} {port}", timeout=3)
            lab.client.run(["sh", "-c", f"echo x | nc -u -w 0 {WEB} {port}"])
        check(outside.count() == 0, f"{outside.packets()}")
    check(connects(lab.client, WEB, 80), "another port does not cross")


def test_cut_off(lab):
    """In posture cut_off nothing crosses after a second, but for the emergency rule (F22)."""
    with lab.client.start(f"ping -i 0.02 {WEB}") as ping, lab.client.start(
        f"nc {WEB} 19"
    ), lab.sniff("outside", f"host {WEB}", "in") as outside:
        wait_until(lambda: "icmp_seq=5" in ping.out(), 5, "no ping")
        text = lab.config().replace("filter:\n", "filter:\n  posture: cut_off\n")
        lab.apply(
            first_rule(
                text,
                f"{{ name: lifeline, in: lan, to: {SECOND}, service: tcp/80, "
                "action: permit, emergency: true }",
            )
        )
        applied = time.time()
        time.sleep(2)
        late = outside.packets(since=applied + 1)
    check(not late, f"{len(late)} packets after a second: {late[:2]}")
    check(connects(lab.client, SECOND, 80), "the emergency rule is not in force")


def test_spoofed_sources(lab):
    """Forged sources cross neither way, and the log names the port (F26)."""
    marker = 31000 + int(time.time()) % 1000
    with lab.sniff("outside", f"port {marker}", "in") as outside, lab.sniff(
        "inside", f"port {marker}", "in"
    ) as inside:
        lab.client.scapy(
            f"""
            for source in ("8.8.8.8", "{WEB}", "10.9.0.10", "{GATEWAY}", "127.0.0.1", "0.0.0.0"):
                sendp(Ether(dst="{GATEWAY_MAC['inside']}") / IP(src=source, dst="{SECOND}")
                      / UDP(sport={marker}, dport=7) / b"forged", iface="eth0")
            """
        )
        lab.isp.scapy(
            f"""
            for source in ("192.168.1.11", "172.16.5.77", "10.9.0.10", "192.168.1.1", "127.0.0.1"):
                for to in ("192.168.1.10", "{GATEWAY}"):
                    sendp(Ether(dst="{GATEWAY_MAC['outside']}") / IP(src=source, dst=to)
                          / UDP(sport={marker}, dport=7008) / b"forged", iface="wan0")
            """
        )
        time.sleep(0.3)
        check(outside.count() == 0, f"outside: {outside.packets()}")
        check(inside.count() == 0, f"inside: {inside.packets()}")
    for source, port in (("8.8.8.8", "lan"), ("192.168.1.11", "wan")):
        wait_until(
            lambda: any(
                re.search(rf"\b{port}\b", line)
                for line in lab.security_log()
                if source in line and str(marker) in line
            ),
            3,
            f"the log does not say that {source} came in by {port}",
        )


# --- from outside


def test_scan_sees_mapped_ports(lab):
    """nmap from outside finds open what is mapped and served, and nothing else answers."""
    told = lab.internet.must(
        f"nmap -sS -Pn -n -T4 --max-retries 1 --host-timeout 60s -e eth0 "
        f"-p 1-130,443,3470-3480,5550-5560,6999-7011,8080,31337,44333 {GATEWAY}",
        timeout=70,
    )
    found = dict(re.findall(r"^(\d+)/tcp +(\S+)", told, re.MULTILINE))
    check(
        [port for port, state in found.items() if state == "open"] == ["5555", "7008", "8080"], told
    )
    answered = {int(port) for port, state in found.items() if state in ("open", "closed")}
    check(answered <= {5555, 8080, *range(7000, 7011)}, told)


def test_invisible(lab):
    """With no service mapped and a drop at the end, no scan gets an answer (F03, F23)."""
    text = with_rules(
        lab,
        "{ name: out, in: [lan, gateway], action: permit }",
        "{ name: cleanup, action: drop, log: true }",
    )
    lab.apply(re.sub(r"  port_maps:\n(    .*\n)+", "  port_maps: []\n", text))
    before = len(lab.security_log())
    with lab.sniff("outside", "not arp", "in") as outside:
        for how in (
            "-sS -p 20-25,53,80,443,5555,44333",
            "-sA -p 20-25,80,5555",
            "-sU -p 53,67,123,161,500",
            "-sO -p 0-17,47,50,51,89,132",
            "-sF -p 22,80",
            "-sX -p 22,80",
            "-sN -p 22,80",
        ):
            lab.internet.must(
                f"nmap {how} -Pn -n -T4 --max-retries 0 --host-timeout 20s -e eth0 "
                f"{GATEWAY} {SERVER}",
                timeout=50,
            )
        lab.internet.run(f"ping -c 2 -i 0.2 -W 1 {GATEWAY}")
        check(outside.count() == 0, f"it answered: {outside.packets()[:4]}")
    wait_until(lambda: len(lab.security_log()) > before + 50, 5, "the probes are not in the log")
