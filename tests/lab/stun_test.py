# SPDX-License-Identifier: BSD-3-Clause
"""Two STUN testers that know nothing of each other tell how the gateway maps and filters: coturn's
turnutils_natdiscovery (RFC 5780) and the classic stun of stun-client (RFC 3489). Each has a server
of its own kind outside, on two addresses and two ports."""

import contextlib

from lab import GATEWAY, SECOND, WEB, check, wait_until

TURN_PORT, STUN_PORT = 13478, 23478
SERVERS = (
    f"turnserver -n --no-cli --no-tls --no-dtls --no-tcp --stun-only -L {WEB} -L {SECOND} "
    f"-p {TURN_PORT} --alt-listening-port={TURN_PORT + 1} --log-file=stdout --pidfile=/dev/null",
    f"stund -h {WEB} -a {SECOND} -p {STUN_PORT} -o {STUN_PORT + 1}",
)
WORDS = {
    "endpoint_independent": ("Endpoint Independent", "Independent"),
    "address_dependent": ("Address Dependent", "Address Dependent"),
    "address_and_port_dependent": ("Address and Port Dependent", "Port Dependent"),
}
# (mapping, filtering). The classic tester stops at a mapping that depends on the remote.
BEHAVIOURS = (
    ("endpoint_independent", "endpoint_independent"),
    ("endpoint_independent", "address_dependent"),
    ("endpoint_independent", "address_and_port_dependent"),
    ("address_dependent", "address_and_port_dependent"),
    ("address_and_port_dependent", "address_and_port_dependent"),
)
# Ports of the client: one that nobody else has, and one that is taken outside by another host.
# Below those that systems give out: of these, other tests may have left some in use outside.
FREE, TAKEN = 20000, 21000


@contextlib.contextmanager
def servers(lab):
    with lab.internet.start(SERVERS[0]), lab.internet.start(SERVERS[1]):
        for port in (TURN_PORT, STUN_PORT):
            wait_until(
                lambda port=port: f"{SECOND}:{port + 1} " in lab.internet.run("ss -lnu").out,
                10,
                f"no STUN server listens on {port + 1}",
            )
        yield


# Another host takes the numbers outside that the client would like to have.
def take_ports(lab, ports):
    lab.client2.python(
        f"""
        import socket
        for port in {ports}:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(3)
            s.bind(("192.168.1.11", port))
            s.sendto(b"mine", ("{WEB}", 3478))
            assert s.recv(100).decode().strip() == "{GATEWAY}:%d" % port
        """
    )


def test_behaviour(lab):
    """Both testers report the mapping and filtering that are configured, with ports that are kept
    and with ports that another host has already (RFC4787-REQ1, REQ8, REQ8a, REQ11)."""
    with servers(lab):
        for number, (mapping, filtering) in enumerate(BEHAVIOURS):
            words = f"\nnat:\n  mapping: {mapping}\n  filtering: {filtering}\n"
            lab.apply(lab.config().replace("\nnat:\n", words))
            runs = {}
            taken = [TAKEN + 100 * number + at for at in range(4)]
            take_ports(lab, taken)
            for kept in (True, False):
                first = FREE + 100 * number if kept else taken[0]
                natdiscovery = f"turnutils_natdiscovery -p {TURN_PORT} -L 192.168.1.10 -l"
                runs["mapping", kept] = lab.client.start(f"{natdiscovery} {first} -m {WEB}")
                runs["filtering", kept] = lab.client.start(f"{natdiscovery} {first + 1} -f {WEB}")
                runs["stun", kept] = lab.client.start(
                    f"stun {WEB}:{STUN_PORT} -v -i 192.168.1.10 -p {first + 2}"
                )
            for (what, kept), running in runs.items():
                told = running.wait(30).out
                case = f"mapping {mapping}, filtering {filtering}, {what}, kept: {kept}: "
                judge(what, mapping, filtering, case, told)
                if mapping == "endpoint_independent" and what != "stun":
                    check_kept(told, kept, case)


def judge(what, mapping, filtering, case, told):
    if what == "mapping":
        wanted = f"NAT with {WORDS[mapping][0]} Mapping!"
    elif what == "filtering":
        wanted = f"NAT with {WORDS[filtering][0]} Filtering!"
    elif mapping == "endpoint_independent":
        wanted = f"Independent Mapping, {WORDS[filtering][1]} Filter"
    else:
        wanted = "Dependent Mapping"
    check(wanted in told, f"{case}{told[-400:]}")
    wrong = what == "stun" and mapping != "endpoint_independent" and "Independent Mapping" in told
    check(not wrong, f"{case}{told[-400:]}")


def check_kept(told, kept, case):
    """Whether the tester saw its own port outside, or another one."""
    seen = [line.rsplit(":", 1)[1] for line in told.splitlines() if "UDP reflexive addr" in line]
    own = [line.rsplit(":", 1)[1] for line in told.splitlines() if "Local addr" in line]
    check(seen and own and (seen[0] == own[0]) == kept, f"{case}{own} became {seen}")


def test_collision(lab):
    """Two inside endpoints with one port number get two outside, as the tester for collisions sees;
    hairpins reach whom they name, and keep the sender's endpoint (RFC4787-REQ3, REQ9, REQ9a)."""
    lab.apply(lab.config().replace("\nnat:\n", "\nnat:\n  filtering: endpoint_independent\n"))
    with servers(lab):
        client = f"turnutils_natdiscovery -p {TURN_PORT} -L 192.168.1.10 -l"
        told = lab.client.run(f"{client} 22000 -c -A 172.16.5.10 {WEB}", 30).out
        seen = [line.split()[-1] for line in told.splitlines() if "UDP reflexive addr" in line]
        check(len(set(seen)) == 2, f"{seen}: {told[-300:]}")
        told = lab.client.run(f"stun {WEB}:{STUN_PORT} -v -i 192.168.1.10 -p 22100", 30).out
        check("hairpin = 1" in told and "preserver port = 1" in told, told[-300:])
