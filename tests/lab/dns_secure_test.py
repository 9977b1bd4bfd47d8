# SPDX-License-Identifier: BSD-3-Clause
"""What makes the DNS service safe: servers over TLS, signed answers, names that are blocked."""

import subprocess
import time

from dns_test import PORT, SECOND_SERVER, SERVER, addresses, config, counter, dig, upstream
from lab import HERE, check, wait_until

NAME = "dns.example"


def certificate(lab, name=NAME):
    """(certificate, key, pin) for a name, made now."""
    place = lab.scratch("tls")
    key, cert = place + ".key", place + ".pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec",
         "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=" + name,
         "-addext", "subjectAltName=DNS:" + name],
        check=True, capture_output=True)
    command = f"openssl pkey -in {key} -pubout -outform der | openssl dgst -sha256 -binary | base64"
    pin = subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
    return cert, key, pin.strip()


def tls_upstream(lab, cert, key, address=SERVER, port=853):
    command = f"/usr/bin/python3 -B {HERE}/dns_tls_upstream.py {address} {port} {cert} {key}"
    return lab.internet.serve(command, port)


def test_dns_tls(lab):
    """A server over TLS is asked by its name, padded, and nothing leaves in the clear (P25)."""
    cert, key, _ = certificate(lab)
    lab.apply(config(lab, f"[\"{SERVER}#{NAME}\"]", f"    tls_ca: {cert}\n"))
    with tls_upstream(lab, cert, key) as server, lab.sniff("outside", "udp port 53") as wire:
        for i in range(10):
            check(addresses(lab.client, f"w{i}.example") == ["198.51.100.10"], f"no answer: w{i}")
        check(len(addresses(lab.client, "big.example", "+tcp")) == 200, "no long answer")
        lengths = {int(line.split()[1]) for line in server.out().splitlines() if "tls" in line}
        check(lengths == {128}, f"lengths of queries: {lengths}")
        check(wire.count() == 0, f"in the clear: {wire.packets()[:2]}")
        peers = {row["server"]: row for row in lab.ask("show", "dns")["tls"]}
        check(peers[f"{SERVER}#{NAME}"]["connections"] == 1, f"connections: {peers}")


def test_dns_tls_identity(lab):
    """A server that is not who it should be is told nothing, one whose key is pinned is asked, and
    one that has gone costs no client two seconds (P25, C11)."""
    cert, key, pin = certificate(lab, "other.example")
    with tls_upstream(lab, cert, key) as server:
        lab.apply(config(lab, f"[\"{SERVER}#{NAME}\"]", f"    tls_ca: {cert}\n"))
        status, _, _, took = dig(lab.client, "www.example")
        check(status == "SERVFAIL" and took < 2.2, f"{status} after {took:.1f} s")
        check("tls" not in server.out(), f"it was asked: {server.out()}")
        told = lab.ask("show", "dns")["tls"][0]["error"]
        check("hostname mismatch" in told, f"error: {told}")
        wrong = "A" * 43 + "="
        lab.apply(config(lab, f"[\"{SERVER}#sha256/{wrong}\"]"))
        check(dig(lab.client, "www.example")[0] == "SERVFAIL", "a wrong key was taken")
        lab.apply(config(lab, f"[\"{SERVER}#sha256/{wrong},sha256/{pin}\"]"))
        check(addresses(lab.client, "www.example") == ["198.51.100.10"], "no answer by its pin")
    with upstream(lab, SECOND_SERVER):
        servers = f"[\"{SERVER}#sha256/{pin}\", \"{SECOND_SERVER}:{PORT}\"]"
        lab.apply(config(lab, servers))
        for i in range(5):
            status, rows, _, took = dig(lab.client, f"gone{i}.example")
            check(rows and took < 2, f"gone{i}: {status} after {took:.1f} s")


def write_list(lab, name, text):
    path = f"{lab.directory}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def test_dns_blocked(lab):
    """Names on block lists do not exist for clients, by each format, with exceptions; a change of a
    list is seen within seconds (P25)."""
    hosts = write_list(lab, "block-hosts", "# list\n0.0.0.0 ads.example tracker.example\n")
    rules = write_list(lab, "block-rules", "||adblock.example^\n@@||good.adblock.example^\n"
                       "plain.example\nhttp://bad.example/line\n")
    more = f"    block: {{ lists: [{hosts}, {rules}], allow: allowed.plain.example }}\n"
    lab.apply(config(lab, more=more))
    with upstream(lab) as server:
        wait_until(lambda: dig(lab.client, "ads.example")[0] == "NXDOMAIN", 5, "not blocked")
        for name in ("tracker.example", "adblock.example", "x.y.adblock.example",
                     "a.plain.example"):
            status, rows, text, _ = dig(lab.client, name)
            check(status == "NXDOMAIN", f"{name}: {status} {rows}")
            check("EDE: 15" in text, f"{name}: the client is not told why")
        for name in ("sub.ads.example", "good.adblock.example", "allowed.plain.example",
                     "www.example"):
            check(addresses(lab.client, name) == ["198.51.100.10"], f"{name} is blocked")
        check("tracker" not in server.out(), "a blocked name was asked for")
        check(counter(lab, "blocked") >= 5, "not counted")
        lists = {row["file"]: row for row in lab.ask("show", "dns")["block_lists"]}
        check(lists[rules]["first_bad"].startswith(f"{rules}:4: "), f"lists: {lists}")
        write_list(lab, "block-hosts", "0.0.0.0 new.example\n")
        wait_until(lambda: dig(lab.client, "new.example")[0] == "NXDOMAIN", 15, "change not seen")
        check(addresses(lab.client, "ads.example") == ["198.51.100.10"], "still blocked")


ZONE = """$ORIGIN signed.example.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 198.51.100.53
good A 198.51.100.10
bogus A 198.51.100.10
unsigned A 198.51.100.10
"""


def signed_zone(lab):
    """(file of the signed zone, file of its trust anchor)."""
    place = lab.scratch("zone")
    with open(place, "w", encoding="utf-8") as file:
        file.write(ZONE)
    directory = place.rsplit("/", 1)[0]
    made = subprocess.run(
        ["ldns-keygen", "-k", "-a", "ED25519", "signed.example"],
        cwd=directory, check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["ldns-signzone", place, f"{directory}/{made}"], check=True, capture_output=True)
    return place + ".signed", f"{directory}/{made}.key"


def signed_upstream(lab, zone):
    command = (f"/usr/bin/python3 -B {HERE}/dns_signed_upstream.py {SERVER} {PORT} "
               f"signed.example {zone}")
    return lab.internet.serve(command, PORT, "udp")


def is_authentic(text):
    return " ad" in text.split("flags:")[1].split(";")[0]


def test_dns_dnssec(lab):
    """Signed answers are told as authentic, forged and stripped ones are refused, and zones without
    an anchor are answered (P25)."""
    zone, anchor = signed_zone(lab)
    lab.apply(config(lab, more=f"    dnssec: {{ anchors: {anchor} }}\n"))
    with signed_upstream(lab, zone) as server:
        status, rows, text, _ = dig(lab.client, "www.example", "+adflag")
        check(rows and not is_authentic(text), f"unsigned: {text}")
        status, rows, text, _ = dig(lab.client, "good.signed.example", "+adflag")
        check(rows and rows[0][3] == "198.51.100.10", f"good: {status} {server.out()}")
        check(is_authentic(text), f"not authentic: {text}")
        check("RRSIG" not in text, "signatures for a client that has not asked for them")
        text = dig(lab.client, "good.signed.example", "+dnssec")[2]
        check("RRSIG" in text and is_authentic(text), f"with DO: {text}")
        status, _, text, _ = dig(lab.client, "missing.signed.example", "+dnssec")
        check(status == "NXDOMAIN" and is_authentic(text), text)
        for name in ("bogus", "unsigned"):
            status, rows, text, _ = dig(lab.client, name + ".signed.example")
            check(status == "SERVFAIL" and not rows, f"{name}: {status} {rows}")
            check("EDE: 6" in text, f"{name}: the client is not told why: {text}")
        check(addresses(lab.client, "bogus.signed.example", "+cd") == ["198.51.100.66"], "no CD")
        check(dig(lab.client, "bogus.signed.example")[0] == "SERVFAIL", "told from the cache")
        check(counter(lab, "bogus") >= 2, "not counted")


def test_dns_dnssec_late(lab):
    """Where validation begins before servers can be reached, names are there soon after (C11)."""
    zone, anchor = signed_zone(lab)
    lab.apply(config(lab, more=f"    dnssec: {{ anchors: {anchor} }}\n"))
    check(dig(lab.client, "good.signed.example")[0] == "SERVFAIL", "an answer from nowhere")
    with signed_upstream(lab, zone):
        start = time.monotonic()
        wait_until(lambda: addresses(lab.client, "good.signed.example"), 10, "no answer")
        check(time.monotonic() - start < 8, "it took too long")
