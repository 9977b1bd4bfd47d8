# SPDX-License-Identifier: BSD-3-Clause
"""The DHCP server with real clients: PCs of their own on the office's switch."""

import contextlib
import os
import random
import re
import signal
import subprocess
import time

from lab import Failure, check, first_rule, wait_until

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
SCRIPT = """#!/bin/sh
# What a DHCP client does with a lease: dhclient (reason) and udhcpc ($1) call it alike.
echo "$reason$1 ip=$ip$new_ip_address router=$router$new_routers domain=$domain$new_domain_name" \\
  "dns=$dns$new_domain_name_servers old=$old_ip_address time=$(date +%s.%N)" >> @LOG@
address=$ip$new_ip_address
case "$reason$1" in
BOUND | REBOOT | RENEW | REBIND | bound | renew)
  ip address replace "$address/24" dev eth0 ;;
EXPIRE | FAIL | STOP | RELEASE | PREINIT | deconfig)
  ip address flush dev eth0 ;;
esac
exit 0
"""


def config(lab, lease="1h", addresses="192.168.1.100-192.168.1.199"):
    return lab.config() + SERVICES.format(time=lease, range=addresses)


class Pc:
    """A host with one wire to the switch of the office."""

    def __init__(self, lab, number):
        self.lab = lab
        self.mac = f"02:00:00:00:dc:{number:02x}"
        self.name = f"{lab.name}-pc{number}"
        self.port = f"pc{number}"
        self.log = lab.scratch(self.port + ".log")
        self.script = lab.scratch(self.port + ".sh")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(SCRIPT.replace("@LOG@", self.log))
        os.chmod(self.script, 0o755)

    def __enter__(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.lab.host("lan").must(
            ["ip", "link", "add", self.port, "up", "master", "switch", "type", "veth"]
            + ["peer", "name", "eth0", "address", self.mac, "netns", self.name]
        )
        self.run("ip link set eth0 up")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "delete", self.name], check=False)

    def argv(self, command):
        return ["ip", "netns", "exec", self.name] + command.split()

    def run(self, command, timeout=30):
        return subprocess.run(
            self.argv(command), capture_output=True, text=True, timeout=timeout, check=False
        )

    @contextlib.contextmanager
    def client(self, command):
        process = subprocess.Popen(
            self.argv(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)

    def dhclient(self, words=""):
        """The command; its files are this PC's own."""
        return (
            f"dhclient -d -sf {self.script} -lf {self.log}.leases -pf {self.log}.pid "
            f"-cf /dev/null {words} eth0"
        )

    def udhcpc(self, words=""):
        return f"udhcpc -f -i eth0 -s {self.script} -t 5 -T 1 {words}"

    def events(self):
        """[(what, {ip, router, ...})] as the script was called."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.log, encoding="utf-8") as file:
                lines = [line.split() for line in file]
                return [(w[0], dict(x.split("=", 1) for x in w[1:])) for w in lines if w]
        return []

    def wait_for(self, words, count=1, seconds=20):
        """The last event of `words`, once there were so many."""

        def found():
            return [event for event in self.events() if event[0] in words]

        wait_until(lambda: len(found()) >= count, seconds, f"{words} in {self.events()}")
        return found()[-1][1]


def lease_of(lab, mac):
    rows = [row for row in lab.ask("show", "leases")["leases"] if row["client"] == mac]
    return rows[0] if rows else None


def test_gives_a_lease_in_under_a_second(lab):
    """dhclient gets an address, router, domain and name server in under a second, renews it, and
    gives it back (F46)."""
    lab.apply(config(lab, "1m"))
    with Pc(lab, 1) as pc:
        start = time.time()
        with pc.client(pc.dhclient()):
            got = pc.wait_for(("BOUND", "REBOOT"))
            check(float(got["time"]) - start < 1.5, f"{float(got['time']) - start:.2f} s")
            check(POOL.match(got["ip"]), got)
            check(got["router"] == "192.168.1.1" and got["domain"] == "office.example", got)
            check(got["dns"] == "192.0.2.53", got)
            check(lease_of(lab, pc.mac)["state"] == "bound", "no lease is shown")
            check(" 0% packet loss" in pc.run("ping -c 2 -i 0.2 192.168.1.1").stdout, "ping")
            renewed = pc.wait_for(("RENEW",), seconds=50)
            check(renewed["ip"] == got["ip"], renewed)
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
            check(printer.wait_for(("bound",))["ip"] == "192.168.1.77", printer.events())
        with pc.client(pc.udhcpc("-R")):
            address = pc.wait_for(("bound",))["ip"]
            lab.postern("lease", "reserve", address, "--no-save")
            lab.applied = "with a reservation"
        wait_until(lambda: lease_of(lab, pc.mac)["state"] == "released", 5, "not released (-R)")
        with pc.client(pc.udhcpc()):
            check(pc.wait_for(("bound",), count=2)["ip"] == address, pc.events())
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
    lab.apply(first_rule(lab.config() + services, rule))
    with Pc(lab, 9) as pc:

        def dig(words):
            return pc.run("dig @192.168.1.1 +short +tries=1 +time=2 " + words).stdout.strip()

        with pc.client(pc.udhcpc("-R -x hostname:desk9")):
            got = pc.wait_for(("bound",))
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
            first = pc.wait_for(("bound",))["ip"]
            lab.apply(config(lab, addresses="192.168.1.200-192.168.1.209"))
            process.send_signal(signal.SIGUSR1)  # renew now
            second = pc.wait_for(("bound",), count=2)["ip"]
            check(second.startswith("192.168.1.20") and second != first, (first, second))


def test_skips_a_squatter(lab):
    """An address that somebody uses without a lease is not given out, and that is logged (P22)."""
    lab.apply(config(lab, addresses="192.168.1.120-192.168.1.121"))
    before = lab.ask("show", "leases")["counters"]["conflicts"]
    with Pc(lab, 4) as squatter, Pc(lab, 5) as pc:
        squatter.run("ip address add 192.168.1.120/24 dev eth0")
        with pc.client(pc.udhcpc("-r 192.168.1.120")):
            check(pc.wait_for(("bound",))["ip"] == "192.168.1.121", pc.events())
    shown = lab.ask("show", "leases")
    check(shown["counters"]["conflicts"] == before + 1, shown["counters"])
    rows = {row["address"]: row["state"] for row in shown["leases"]}
    check(rows["192.168.1.120"] == "declined", rows)
    with open(lab.directory + "/state/log/error.log", encoding="utf-8") as file:
        check("192.168.1.120 is in use by 02:00:00:00:dc:04" in file.read(), "it is not logged")


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


class Exchanges:
    """Clients beyond number, each with a whole exchange through a relay's eyes: what was promised
    to whom. It goes on while the server is killed."""

    CODE = """
        import os, random, socket, struct, sys, time
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("192.168.1.11", 67)); sock.settimeout(0.3)
        def ask(kind, client, address=None):
            mac = struct.pack("!HI", 0x0200, client)
            head = struct.pack("!BBBBIHH", 1, 1, 6, 1, client, 0, 0) + bytes(12) + \\
                socket.inet_aton("192.168.1.11") + mac + bytes(10) + bytes(192)
            options = bytes([99, 130, 83, 99, 53, 1, kind])
            if address:
                options += bytes([50, 4]) + address + bytes([54, 4]) + \\
                    socket.inet_aton("192.168.1.1")
            sock.sendto(head + options + bytes([255]), ("192.168.1.1", 67))
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                try:
                    data = sock.recv(2048)
                except OSError:
                    return None
                if struct.unpack("!I", data[4:8])[0] == client:
                    return data[242], data[16:20]
        end = time.monotonic() + float(sys.argv[1]); client = int(sys.argv[2])
        while time.monotonic() < end:
            client += 1
            offer = ask(1, client)
            if not offer or offer[0] != 2:
                continue
            ack = ask(3, client, offer[1])
            if ack and ack[0] == 5:
                print(client, socket.inet_ntoa(ack[1]), flush=True)
    """


def test_kill_loses_no_lease(lab):
    """kill -9 between random exchanges, many times over, loses no acknowledged lease, and no
    address is given to two clients (F46)."""
    text = config(lab).replace("192.168.1.0/24\n", "192.168.1.0/24\n        probe: false\n")
    text = text.replace("192.168.1.100-192.168.1.199", "192.168.0.1-192.168.3.254")
    text = text.replace("192.168.1.0/24\n        probe", "192.168.0.0/22\n        probe")
    text = text.replace("192.168.1.1/24, 172", "192.168.1.1/22, 172")
    lab.restart_with(text)
    promised = {}
    seed = random.Random(7)
    for turn in range(6):
        code = "\n".join(line[8:] for line in Exchanges.CODE.splitlines())
        running = lab.client2.start(
            ["/usr/bin/python3", "-c", code, "3", str((turn + 1) * 100000)]
        )
        time.sleep(1 + seed.random() * 1.5)
        lab.signal(signal.SIGKILL)
        wait_until(lambda: lab.pid() is None, 5, "posternd lives on")
        lab.restart()
        lab.applied = text
        running.wait(15)
        for line in running.out().splitlines():
            client, address = line.split()
            check(address not in promised, f"{address} was given twice: {line}")
            promised[address] = int(client)
    rows = {r["address"]: r for r in lab.ask("show", "leases")["leases"] if r["state"] == "bound"}
    lost = [a for a, client in promised.items()
            if a not in rows or rows[a]["client"] != mac_text(client)]
    if lost:
        raise Failure(f"{len(lost)} of {len(promised)} leases are lost: {lost[:3]}")
    check(len(promised) > 200, f"{len(promised)} exchanges only")


def mac_text(client):
    return "02:00:" + ":".join(f"{byte:02x}" for byte in client.to_bytes(4, "big"))
