# SPDX-License-Identifier: BSD-3-Clause
"""The DNS service as hosts see it: inside it answers, outside it does not exist."""

import os
import re
import time

from lab import GATEWAY, HERE, Failure, check, first_rule, wait_until

SERVER = "198.51.100.53"
SECOND_SERVER = "198.51.100.20"
DEAD_SERVER = "198.51.100.99"  # nobody has it
PORT = 5300
ASK = "192.168.1.1"


def config(lab, servers=f"[\"{SERVER}:{PORT}\"]", more=""):
    hosts = lab.directory + "/hosts"
    if not os.path.exists(hosts):
        write_hosts(lab, "192.168.1.7 printer")
    text = lab.plain_config() + f"""
services:
  dns:
    domain: office.example
    hosts: {hosts}
    servers: {servers}
    records: [ {{ name: nas, address: 192.168.1.5 }} ]
    queries_per_client: 0
""" + more
    return first_rule(
        text,
        "{ name: dns, in: [lan, dmz], out: gateway, service: tcp+udp/53, action: permit }",
    )


def write_hosts(lab, text):
    with open(lab.directory + "/hosts", "w", encoding="utf-8") as file:
        file.write(text + "\n")


def upstream(lab, address=SERVER):
    command = f"/usr/bin/python3 -B {HERE}/dns_upstream.py {address} {PORT}"
    return lab.internet.serve(command, PORT, "udp")


def dig(host, name, *options, server=ASK, tries=1, seconds=3):
    """(status, [(name, TTL, type, data)], text, seconds) of one query."""
    command = f"dig @{server} {name} +tries={tries} +time={seconds} " + " ".join(options)
    outcome = host.run(command, timeout=20)
    status = re.search(r"status: (\w+)", outcome.out)
    rows = re.findall(r"^([^;\s]\S*)\s+(\d+)\s+IN\s+(\w+)\s+(.+)$", outcome.out, re.MULTILINE)
    return (status[1] if status else None, rows, outcome.out, outcome.seconds)


def addresses(host, name, *options, **more):
    return [row[3] for row in dig(host, name, *options, **more)[1] if row[2] == "A"]


def asked(server, name):
    """How often the server was asked for a name, in any spelling."""
    return len(re.findall(rf"^\w+ {re.escape(name)} ", server.out(), re.MULTILINE | re.IGNORECASE))


def counter(lab, name):
    return lab.ask("show", "dns")["counters"][name]


def test_dns_cache(lab):
    """The second answer comes from the cache with a TTL that has fallen; flush empties it (F47)."""
    lab.apply(config(lab))
    with upstream(lab) as server:
        first = dig(lab.client, "www.example")
        time.sleep(2.1)
        second = dig(lab.client, "WWW.example")
        check(first[1] and second[1], f"no answer: {first[2]} {second[2]}")
        check(first[1][0][3] == "198.51.100.10", f"answer: {first[1]}")
        check(second[1][0][0] == "WWW.example.", f"not as it was asked: {second[1]}")
        fallen = int(first[1][0][1]) - int(second[1][0][1])
        check(2 <= fallen <= 4, f"the TTL has fallen by {fallen}")
        check(asked(server, "www.example") == 1, f"asked: {server.out()}")
        lab.postern("dns", "flush", "--below", "example")
        check(addresses(lab.client, "www.example") == ["198.51.100.10"], "no answer after flush")
        check(asked(server, "www.example") == 2, "flush had no effect")


def test_dns_negative(lab):
    """A name that does not exist is kept as its SOA says (F47)."""
    lab.apply(config(lab))
    with upstream(lab) as server:
        for _ in range(3):
            status = dig(lab.client, "missing.example")[0]
            check(status == "NXDOMAIN", f"status {status}")
        check(asked(server, "missing.example") == 1, f"asked: {server.out()}")


def test_dns_local_names(lab):
    """Hosts files and records answer, forward and reverse, with and without the domain; a change of
    the file is seen within two seconds; nothing of it is asked for outside (F48)."""
    write_hosts(lab, "192.168.1.7 printer")
    lab.apply(config(lab))
    with upstream(lab) as server:
        for name in ("printer", "printer.office.example"):
            check(addresses(lab.client, name) == ["192.168.1.7"], f"{name} is not known")
        check(addresses(lab.client, "nas") == ["192.168.1.5"], "the record is not known")
        reverse = dig(lab.client, "-x 192.168.1.7")[1]
        check(reverse and reverse[0][3] == "printer.office.example.", f"reverse: {reverse}")
        for name in ("other.office.example", "single", "9.1.168.192.in-addr.arpa", "x.local"):
            kind = "PTR" if "arpa" in name else "A"
            status = dig(lab.client, name, kind)[0]
            check(status == "NXDOMAIN", f"{name}: {status}")
        write_hosts(lab, "192.168.1.8 printer")
        wait_until(lambda: addresses(lab.client, "printer") == ["192.168.1.8"], 3, "old address")
        check(dig(lab.client, "-x 192.168.1.7")[0] == "NXDOMAIN", "the old address has a name")
        check(not server.out(), f"asked outside: {server.out()}")


def test_dns_outside(lab):
    """From outside there is no answer, by UDP or TCP, to the gateway's addresses (F48, F53)."""
    lab.apply(first_rule(config(lab),
                         "{ name: open, in: wan, out: gateway, action: permit }"))
    with upstream(lab):
        check(addresses(lab.client, "nas") == ["192.168.1.5"], "inside there is no answer")
        for address in (GATEWAY, ASK):
            for option in ("+notcp", "+tcp"):
                status = dig(lab.isp, "nas.office.example", option, server=address, seconds=1)[0]
                check(status is None, f"{address} answers outside: {status}")
                status = dig(lab.internet, "www.example", option, server=address, seconds=1)[0]
                check(status is None, f"{address} answers the internet: {status}")


def test_dns_over_tcp(lab):
    """What does not fit into a datagram is fetched by TCP, and told to clients that come by TCP
    (F47)."""
    lab.apply(config(lab))
    with upstream(lab):
        found = addresses(lab.client, "big.example", "+tcp")
        check(len(found) == 200, f"{len(found)} addresses by TCP")
        cut = dig(lab.client, "big.example", "+ignore")
        check(" tc " in cut[2] and not cut[1], f"not cut: {cut[2][:400]}")
        check(len(addresses(lab.client, "big.example")) == 200, "dig does not come by TCP")
        check(counter(lab, "over_tcp") == 1, "asked by TCP more than once")


def test_dns_stale(lab):
    """With the server gone, names that were asked before are answered still, others fail within two
    seconds (F47, P25)."""
    lab.apply(config(lab, more="    cache: { max_ttl: 1s }\n"))
    with upstream(lab):
        check(addresses(lab.client, "www.example") == ["198.51.100.10"], "no answer")
    time.sleep(1.5)
    status, rows, text, took = dig(lab.client, "www.example")
    check([row[3] for row in rows] == ["198.51.100.10"], f"{status}, {text}")
    check(rows[0][1] == "30", f"TTL {rows[0][1]}")
    check("EDE: 3" in text, "the client is not told that it is stale")
    check(took < 2.2, f"took {took:.1f} s")
    status, _, _, took = dig(lab.client, "new.example")
    check(status == "SERVFAIL" and took < 2.2, f"{status} after {took:.1f} s")
    again = dig(lab.client, "www.example")
    check(again[3] < 0.5, f"the second stale answer took {again[3]:.1f} s")


def test_dns_rebind(lab):
    """A private address for a public name is refused, one from a server of its own is not (P25)."""
    more = f"    forward: [ {{ zone: corp.example, servers: \"{SERVER}:{PORT}\" }} ]\n"
    lab.apply(config(lab, more=more))
    with upstream(lab):
        status, rows, _, _ = dig(lab.client, "inside.example")
        check(status == "REFUSED" and not rows, f"{status} {rows}")
        check(addresses(lab.client, "inside.corp.example") == ["192.168.1.5"], "not told inside")
        check(counter(lab, "rebind") >= 1, "not counted")


def test_dns_lies(lab):
    """Answers with a wrong ID or question, and records of other names, reach neither client nor
    cache; a server that refuses EDNS is asked without (RFC 5452)."""
    lab.apply(config(lab))
    with upstream(lab) as server:
        check(addresses(lab.client, "liar.example") == ["198.51.100.10"], "a lie was told")
        check(addresses(lab.client, "foreign.example") == ["198.51.100.10"], "a foreign record")
        check(addresses(lab.client, "victim.example") == ["198.51.100.10"], "the cache was spoilt")
        check(asked(server, "victim.example") == 1, "the cache had it already")
        check(addresses(lab.client, "plain.example") == ["198.51.100.10"], "EDNS refused")
        spelled = set(re.findall(r"^udp (\S+) ", server.out(), re.MULTILINE))
        check(any(name != name.lower() for name in spelled), f"no mixed case: {spelled}")


def test_dns_forward(lab):
    """Names of a domain, and reverse names of a network, are asked of their servers only (P24)."""
    more = f"    forward: [ {{ zone: [corp.example, 10.20.0.0/16], servers: " \
           f"\"{SECOND_SERVER}:{PORT}\" }} ]\n"
    lab.apply(config(lab, more=more))
    with upstream(lab) as usual, upstream(lab, SECOND_SERVER) as corp:
        dig(lab.client, "www.corp.example")
        dig(lab.client, "-x 10.20.3.4")
        dig(lab.client, "www.example")
        check(asked(corp, "www.corp.example") == 1, f"corp: {corp.out()}")
        check(asked(corp, "4.3.20.10.in-addr.arpa") == 1, f"corp: {corp.out()}")
        check(asked(corp, "www.example") == 0, f"corp: {corp.out()}")
        check("corp" not in usual.out().lower(), f"usual: {usual.out()}")
        check("arpa" not in usual.out().lower(), f"usual: {usual.out()}")


def test_dns_dead_server(lab):
    """A dead first server costs a client less than two seconds, and soon nothing; a server that is
    stopped is replaced by the other one (C11)."""
    lab.apply(config(lab, servers=f"[\"{DEAD_SERVER}:{PORT}\", \"{SERVER}:{PORT}\"]"))
    with upstream(lab):
        slowest = 0
        for i in range(8):
            status, rows, _, took = dig(lab.client, f"w{i}.example")
            check(rows, f"w{i}.example: {status}")
            slowest = max(slowest, took)
        check(slowest < 2, f"slowest {slowest:.1f} s")
        check(took < 0.3, f"the dead server still costs {took:.1f} s")
        states = {row["server"]: row["state"] for row in lab.ask("show", "dns")["servers"]}
        check(states[f"{DEAD_SERVER}:{PORT}"] == "down", f"states: {states}")


def test_dns_reload(lab):
    """Reloads lose no query and keep what the cache has."""
    lab.apply(config(lab))
    with upstream(lab) as server:
        check(addresses(lab.client, "www.example"), "no answer")
        with lab.client.start("sh -c 'for i in $(seq 150); do dig @192.168.1.1 www.example +short "
                              "+tries=1 +time=2 || echo LOST; done; echo done'") as asking:
            for i in range(6):
                lab.apply(config(lab) + f"    local_ttl: {i + 1}s\n")
                time.sleep(0.2)
            told = asking.wait(60).out
        check("LOST" not in told and "timed out" not in told, f"lost: {told[-300:]}")
        check(asked(server, "www.example") == 1, "the cache was lost")


def test_dns_bad_requests(lab):
    """Unknown EDNS versions, opcodes, classes and several questions get their errors, and signed
    queries (RFC 6891, RFC 8945, RFC 9619)."""
    lab.apply(config(lab))
    check(dig(lab.client, "nas", "+edns=1", "+noednsneg")[0] == "BADVERS", "no BADVERS")
    check(dig(lab.client, "nas", "+opcode=2")[0] == "NOTIMP", "no NOTIMP")
    told = dig(lab.client, "nas", "-y hmac-sha256:key:c2VjcmV0")
    check(told[0] == "NOTAUTH" and "BADKEY" in told[2], f"a signed query: {told[2]}")
    check(dig(lab.client, "version.bind", "TXT", "CH")[0] == "REFUSED", "class CH answered")
    status = lab.client.python("""
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(2)
        q = b"\\3nas\\0\\0\\1\\0\\1"
        s.sendto(b"\\1\\2\\1\\0\\0\\2\\0\\0\\0\\0\\0\\0" + q + q, ("192.168.1.1", 53))
        print(s.recv(512)[3] & 15)
        """)
    check(status.strip() == "1", f"two questions: rcode {status}")


def test_dns_off(lab):
    """Without services.dns nothing listens."""
    lab.apply(config(lab))
    check(addresses(lab.client, "nas") == ["192.168.1.5"], "no answer")
    lab.apply(lab.plain_config())
    if ":53 " in lab.gateway.run("ss -lun").out:
        raise Failure("still listening")
