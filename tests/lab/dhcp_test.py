# SPDX-License-Identifier: BSD-3-Clause
"""The DHCP server with real clients: PCs of their own on the office's switch."""

import contextlib
import datetime
import random
import re
import signal
import time

from lab import HERE, check, first_rule, wait_until
from pc import Pc

CLIENTS = ("dhclient", "udhcpc", "dhcpcd")
EXCHANGES = 1200
KILLS = 10
EVERYBODY = "255.255.255.255"
UNREACHABLE = "ip neighbor replace 192.168.1.1 lladdr 02:00:00:00:00:ff dev eth0 nud permanent"
RELEASE = {"udhcpc": signal.SIGUSR2, "dhcpcd": signal.SIGALRM}
BOUND = ("BOUND", "REBOOT", "bound")
POOL = re.compile(r"192\.168\.1\.1\d\d$")
SERVICES = """
services:
  dhcp:
    lease_time: {time}
    scopes:
      - interface: lan
        subnet: 192.168.1.0/24
        range: {range}
        options: {{ domain-name: office.example, domain-name-servers: 192.0.2.53 }}
        reservations:
          - {{ name: printer, mac: "02:00:00:00:dc:77", address: 192.168.1.77 }}
"""


def config(lab, lease="1h", addresses="192.168.1.100-192.168.1.199"):
    return lab.plain_config() + SERVICES.format(time=lease, range=addresses)


def lease_of(lab, mac):
    rows = [row for row in lab.ask("show", "leases")["leases"] if row["client"] == mac]
    return rows[0] if rows else None


def test_gives_a_lease_in_under_a_second(lab):
    """dhclient gets an address, router, domain and name server in under a second, and gives it back
    (F46)."""
    lab.apply(config(lab))
    with Pc(lab, 1) as pc:
        start = time.time()
        with pc.client(pc.dhclient()):
            got = pc.wait_for(BOUND)
            check(float(got["time"]) - start < 1.5, f"{float(got['time']) - start:.2f} s")
            check(POOL.match(got["ip"]), got)
            check(got["router"] == "192.168.1.1" and got["domain"] == "office.example", got)
            check(got["dns"] == "192.0.2.53", got)
            check(lease_of(lab, pc.mac)["state"] == "bound", "no lease is shown")
            check(" 0% packet loss" in pc.run("ping -c 2 -i 0.2 192.168.1.1").out, "ping")
        pc.run(pc.dhclient("-r"))
        wait_until(
            lambda: lease_of(lab, pc.mac)["state"] == "released", 5, "the lease is not released"
        )
        counters = lab.ask("show", "leases")["counters"]
        check(counters["naks"] == 0 and counters["commits"] > 0, counters)


def test_udhcpc_and_reservations(lab):
    """udhcpc gets what is reserved for its MAC; a lease becomes a reservation in one step (F46)."""
    lab.apply(config(lab))
    with Pc(lab, 0x77) as printer, Pc(lab, 2) as pc:
        with printer.client(printer.udhcpc()):
            check(printer.wait_for(BOUND)["ip"] == "192.168.1.77", printer.events())
        with pc.client(pc.udhcpc("-R")):
            address = pc.wait_for(BOUND)["ip"]
            lab.postern("lease", "reserve", address, "--no-save")
            lab.applied = "with a reservation"
        wait_until(lambda: lease_of(lab, pc.mac)["state"] == "released", 5, "not released (-R)")
        with pc.client(pc.udhcpc()):
            check(pc.wait_for(BOUND, count=2)["ip"] == address, pc.events())
        lab.postern("lease", "release", address)
        check(lease_of(lab, pc.mac)["state"] == "released", "not released")


def test_lease_has_its_name(lab):
    """What the gateway serves is told with the lease: itself as name server, its domain; the name
    of the client resolves at once, both ways, and no more when the lease is given back (C09)."""
    services = """
services:
  dns: { domain: office.example }
  dhcp: { scopes: [ { interface: lan, range: 192.168.1.200-192.168.1.219 } ] }
"""
    rule = "{ name: dns, in: lan, out: gateway, service: tcp+udp/53, action: permit }"
    lab.apply(first_rule(lab.plain_config() + services, rule))
    with Pc(lab, 9) as pc:

        def dig(words):
            return pc.run("dig @192.168.1.1 +short +tries=1 +time=2 " + words).out.strip()

        with pc.client(pc.udhcpc("-R -x hostname:desk9")):
            got = pc.wait_for(BOUND)
            check(got["dns"] == "192.168.1.1" and got["domain"] == "office.example", got)
            check(dig("desk9.office.example") == got["ip"], dig("desk9.office.example"))
            check(dig("-x " + got["ip"]) == "desk9.office.example.", dig("-x " + got["ip"]))
        wait_until(lambda: lease_of(lab, pc.mac)["state"] == "released", 5, "not released (-R)")
        pc.run("ip address add 192.168.1.240/24 dev eth0")
        wait_until(lambda: dig("desk9.office.example") == "", 5, "the name is still there")


def test_rebinds_and_moves(lab):
    """A client whose address is no longer given out is told so at once and moves (F46)."""
    lab.apply(config(lab))
    with Pc(lab, 3) as pc:
        with pc.client(pc.udhcpc()) as process:
            first = pc.wait_for(BOUND)["ip"]
            lab.apply(config(lab, addresses="192.168.1.200-192.168.1.209"))
            process.send_signal(signal.SIGUSR1)  # renew now
            second = pc.wait_for(BOUND, count=2)["ip"]
            check(second.startswith("192.168.1.20") and second != first, (first, second))


def seconds_left(lab, mac):
    ends = lease_of(lab, mac)["ends"].rstrip("Z") + "+00:00"
    return datetime.datetime.fromisoformat(ends).timestamp() - time.time()


def test_every_client_through_a_lease(lab):
    """dhclient, udhcpc and dhcpcd lease, renew by asking the server, rebind by asking everybody
    when it cannot be reached, and release (F46)."""
    lab.apply(config(lab, "1m"))
    with contextlib.ExitStack() as stack:
        wire = stack.enter_context(lab.sniff("inside", "udp port 67", snaplen=600))
        running, address = {}, {}
        pcs = {  # (client, whom it asks for more time) -> PC
            (name, to): stack.enter_context(Pc(lab, 0x20 + 2 * i + (to == EVERYBODY)))
            for i, name in enumerate(CLIENTS)
            for to in ("192.168.1.1", EVERYBODY)
        }
        for (name, to), pc in pcs.items():
            running[name, to] = stack.enter_context(pc.client(getattr(pc, name)()))
        for (name, to), pc in pcs.items():
            address[name, to] = pc.wait_for(BOUND)["ip"]
            if to == EVERYBODY:
                pc.run(UNREACHABLE)
        check(len(set(address.values())) == len(pcs), address)
        for (name, to), pc in pcs.items():
            asks = f"src host {address[name, to]} and dst host {to}"
            wait_until(lambda pc=pc, asks=asks: wire.count(asks) and seconds_left(lab, pc.mac) > 45,
                       70, f"{name} does not ask {to} for more time")
            check(pc.events()[-1][1]["ip"] == address[name, to], pc.events())
            pc.run("ip neighbor delete 192.168.1.1 dev eth0")
        for (name, to), pc in pcs.items():
            # A client that goes away does not wait for ARP to have told who the server is.
            pc.run("ping -c 1 -W 1 192.168.1.1")
            if name == "dhclient":
                pc.run(pc.dhclient("-r"))
            else:
                running[name, to].send_signal(RELEASE[name])
            wait_until(lambda pc=pc: lease_of(lab, pc.mac)["state"] == "released", 5,
                       f"{name} does not release")


def test_skips_a_squatter(lab):
    """An address that somebody uses without a lease is given to no client, and that is logged
    (P22)."""
    squatters = ("192.168.1.120", "192.168.1.122", "192.168.1.124")
    lab.apply(config(lab, addresses="192.168.1.120-192.168.1.125"))
    before = lab.ask("show", "leases")["counters"]["conflicts"]
    wanted = {"dhclient": "", "udhcpc": "-r {}", "dhcpcd": "-A -r {}"}
    got = {}
    with Pc(lab, 4) as squatter:
        for address in squatters:
            squatter.run(f"ip address add {address}/24 dev eth0")
        for i, (name, address) in enumerate(zip(CLIENTS, squatters)):
            with Pc(lab, 0x30 + i) as pc:
                with pc.client(getattr(pc, name)(wanted[name].format(address))):
                    got[name] = pc.wait_for(BOUND)["ip"]
    check(not set(got.values()) & set(squatters) and len(set(got.values())) == 3, got)
    shown = lab.ask("show", "leases")
    check(shown["counters"]["conflicts"] >= before + 2, shown["counters"])
    rows = {row["address"]: row["state"] for row in shown["leases"]}
    check(rows["192.168.1.122"] == rows["192.168.1.124"] == "declined", rows)
    with open(lab.directory + "/state/log/error.log", encoding="utf-8") as file:
        check("192.168.1.122 is in use by 02:00:00:00:dc:04" in file.read(), "it is not logged")


def test_relayed_clients(lab):
    """Behind a relay, too, an address that somebody uses is not given out: it answers echo
    (P22)."""
    route = "  - { to: 192.168.50.0/24, via: 192.168.1.11 }\n"
    text = config(lab).replace("routes:\n", "routes:\n" + route)
    lab.apply(text + "      - { subnet: 192.168.50.0/24, range: 192.168.50.20-192.168.50.35 }\n")
    lab.client2.must("ip address add 192.168.50.1/32 dev lo")
    try:
        for last in range(20, 32):
            lab.client2.must(f"ip address add 192.168.50.{last}/32 dev lo")
        told = lab.client2.must(
            f"/usr/bin/python3 -B {HERE}/dhcp_exchanges.py 192.168.50.1 192.168.1.1 4 10"
        )
        got = re.findall(r"^ack \d+ (\S+)$", told, re.MULTILINE)
        check(sorted(got) == [f"192.168.50.{last}" for last in range(32, 36)], told)
        # Another host of the LAN that calls itself that relay.
        before = lab.ask("show", "leases")["counters"]["unknown_relay"]
        lab.client.scapy("""
            send(IP(dst="192.168.1.1") / UDP(sport=67, dport=67) /
                 BOOTP(giaddr="192.168.50.1", hops=1, chaddr=b"\\2\\0\\0\\0\\x99\\x09") /
                 DHCP(options=[("message-type", "discover"), "end"]))
        """)
        wait_until(lambda: lab.ask("show", "leases")["counters"]["unknown_relay"] > before, 5,
                   "a stranger relays")
    finally:
        lab.client2.run("ip address flush dev lo to 192.168.50.0/24")
    states = [r["state"] for r in lab.ask("show", "leases")["leases"] if ".50." in r["address"]]
    check(states.count("declined") >= 1 and states.count("bound") == 4, states)


def test_takes_a_decline(lab):
    """A client that finds out that somebody else has its address says so, and gets another one
    (P22)."""
    text = config(lab, addresses="192.168.1.130-192.168.1.131")
    lab.apply(text.replace("192.168.1.0/24\n", "192.168.1.0/24\n        probe: false\n"))
    with Pc(lab, 6) as squatter, Pc(lab, 7) as pc:
        squatter.run("ip address add 192.168.1.130/24 dev eth0")
        with pc.client(pc.dhcpcd("-r 192.168.1.130")):
            check(pc.wait_for(BOUND, seconds=40)["ip"] == "192.168.1.131", pc.events())
    rows = {row["address"]: row["state"] for row in lab.ask("show", "leases")["leases"]}
    check(rows["192.168.1.130"] == "declined", rows)


def test_is_silent_outside(lab):
    """From the outside and where it does not serve there is no answer (F46, F53)."""
    lab.apply(config(lab))
    for host, device, wanted in (
        (lab.client, "eth0", "answer"),
        (lab.isp, "wan0", "silence"),
        (lab.dmz, "eth0", "silence"),
    ):
        told = host.scapy(f"""
            conf.checkIPaddr = False  # the answer comes from another address than was asked
            ask = Ether(src="02:00:00:00:99:01", dst="ff:ff:ff:ff:ff:ff") / \\
                IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / \\
                BOOTP(chaddr=b"\\x02\\0\\0\\0\\x99\\x01", xid=7) / \\
                DHCP(options=[("message-type", "discover"), "end"])
            got = srp1(ask, iface="{device}", timeout=2, filter="udp port 68")
            print("answer" if got and got.haslayer(DHCP) else "silence")
        """)
        check(told.strip() == wanted, f"{host.name}: {told}")


def test_kill_loses_no_lease(lab):
    """kill -9 at random moments among more than 1,000 exchanges loses no acknowledged lease, and no
    address is offered or given to two clients (F46)."""
    text = config(lab, addresses="192.168.2.1-192.168.15.254")
    text = text.replace("192.168.1.0/24\n", "192.168.0.0/20\n        probe: false\n")
    lab.restart_with(text.replace("192.168.1.1/24, 172", "192.168.1.1/20, 172"))
    running = lab.client2.start(
        f"/usr/bin/python3 -B {HERE}/dhcp_exchanges.py 192.168.1.11 192.168.1.1 {EXCHANGES} 60"
    )

    def told(word):
        rows = re.findall(rf"^{word} (\d+) (\S+)\n", running.out(), re.MULTILINE)
        return {address: int(client) for client, address in rows}

    seed = random.Random()
    for count in sorted(seed.sample(range(1, EXCHANGES - 100), KILLS)):
        wait_until(
            lambda: len(told("ack")) >= count or not running.runs(), 40, f"fewer than {count}"
        )
        time.sleep(seed.random() * 0.02)
        lab.signal(signal.SIGKILL)
        wait_until(lambda: lab.pid() is None, 5, "posternd lives on")
        lab.restart()
        lab.applied = text
    ended = running.wait(60)
    check(ended.ok, ended.out[-400:])
    promised = told("ack")
    rows = {r["address"]: r for r in lab.ask("show", "leases")["leases"] if r["state"] == "bound"}
    lost = [a for a, client in promised.items()
            if a not in rows or rows[a]["client"] != mac_text(client)]
    check(not lost, f"{len(lost)} of {len(promised)} leases are lost: {lost[:3]}")
    check(not told("nak"), f"refused: {told('nak')}")
    check(not told("twice"), f"given twice: {told('twice')}")
    check(len(promised) >= EXCHANGES, f"{len(promised)} exchanges only")
    check(len(told("again")) >= EXCHANGES / 10, f"{len(told('again'))} clients came back only")


def mac_text(client):
    return "02:00:" + ":".join(f"{byte:02x}" for byte in client.to_bytes(4, "big"))
