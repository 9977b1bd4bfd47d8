#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A server of a signed zone: dns_signed_upstream.py ADDRESS PORT ORIGIN FILE

Names whose first label is "bogus" are told with an address that is not the signed one, "unsigned"
without signatures. Names outside of the zone are answered as dns_upstream.py does. Prints a line
"NAME TYPE" for each query.
"""

import socket
import sys

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone
import dns_upstream

WRONG = "198.51.100.66"
IN = dns.rdataclass.IN
SIGNATURE = dns.rdatatype.RRSIG


def add_set(section, zone, name, kind):
    """The set of a kind with its signatures, as far as it is there."""
    for covers, what in ((dns.rdatatype.NONE, kind), (kind, SIGNATURE)):
        found = zone.get_rdataset(name, what, covers)
        if not found:
            continue
        records = dns.rrset.RRset(name, IN, what)
        records.update(found)
        section.append(records)


def spoil(answer, first):
    if first == b"unsigned":
        answer.answer = [one for one in answer.answer if one.rdtype != SIGNATURE]
    if first == b"bogus":
        for one in answer.answer:
            if one.rdtype == dns.rdatatype.A:
                one.clear()
                one.add(dns.rdata.from_text(IN, dns.rdatatype.A, WRONG), 60)


def answer_of(zone, query):
    asked = query.question[0]
    print(asked.name, dns.rdatatype.to_text(asked.rdtype), flush=True)
    answer = dns.message.make_response(query, recursion_available=True)
    name = asked.name.canonicalize()
    add_set(answer.answer, zone, name, asked.rdtype)
    if not answer.answer:
        add_set(answer.authority, zone, zone.origin, dns.rdatatype.SOA)
        for owner in zone.nodes:  # all of them: the zone is small
            add_set(answer.authority, zone, owner, dns.rdatatype.NSEC)
        if name not in zone.nodes:
            answer.set_rcode(dns.rcode.NXDOMAIN)
    spoil(answer, asked.name[0].lower())
    return answer.to_wire(max_size=65535)


def main(address, port, origin, path):
    zone = dns.zone.from_file(path, origin, relativize=False, check_origin=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, int(port)))
        while True:
            octets, client = sock.recvfrom(4096)
            query = dns.message.from_wire(octets)
            if query.question[0].name.is_subdomain(zone.origin):
                sock.sendto(answer_of(zone, query), client)
                continue
            for answer in dns_upstream.answers(octets, False):
                sock.sendto(answer, client)


if __name__ == "__main__":
    main(*sys.argv[1:])
