# SPDX-License-Identifier: BSD-3-Clause
"""FTP by the HTTP proxy, and how browsers find the proxy."""

import os

import http_test
from http_test import PROXY, curl, fetch, http_log, show, start
from lab import HERE, WEB, check, wait_until
from pc import Pc

SITE = f"ftp://{WEB}"
SIZE = 300_000
OUT = "    - { name: ftp-out, in: gateway, out: wan, service: tcp, action: permit }\n"
NO_FTP = f"    - {{ name: no-ftp, in: lan, from: 192.168.1.11, to: {WEB}, action: deny }}\n"
SCRIPT = '#!/bin/sh\n[ "$1" = bound ] && echo "wpad=$wpad"\nexit 0\n'


def config(lab, more="", rules=""):
    return http_test.config(lab, more, rules=rules + OUT)


def files(lab):
    place = lab.scratch("ftp")
    for folder in ("public/docs", "secret"):
        os.makedirs(f"{place}/{folder}", exist_ok=True)
    for path, text in (("public/big.bin", "0123456789abcdef" * (SIZE // 16)),
                       ("public/docs/<odd> & name.txt", "odd\n"), ("secret/plan.txt", "plan\n")):
        with open(f"{place}/{path}", "w", encoding="ascii") as file:
            file.write(text)
        os.utime(f"{place}/{path}", (1_700_000_000, 1_700_000_000))
    return place


def ftp(lab):
    return lab.internet.serve(f"/usr/bin/python3 -B {HERE}/ftp_upstream.py {WEB} 21 {files(lab)}",
                              21)


def test_http_ftp_files(lab):
    """A file from an FTP server comes whole, in part, and the second time from the cache; a folder
    is a page of links (F56)."""
    start(lab, config(lab))
    with ftp(lab) as server:
        big = fetch(lab, f"{SITE}/big.bin", "-D", lab.scratch("head"))
        check(big == "0123456789abcdef" * (SIZE // 16), f"{len(big)} bytes")
        with open(lab.scratch("head"), encoding="ascii") as file:
            head = file.read()
        check(f"Content-Length: {SIZE}" in head, head)
        check("Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT" in head, head)
        wait_until(lambda: show(lab)["cache"]["store"]["stored"] >= 1, 5, "not stored")
        asked = server.out().count("USER")
        check(fetch(lab, f"{SITE}/big.bin") == big, "another file from the cache")
        check(server.out().count("USER") == asked, "asked again")
        page = fetch(lab, f"{SITE}/docs/")
        check('href="%3Codd%3E%20%26%20name.txt"' in page and "<odd>" not in page, page)
        status, _ = curl(lab.client, f"{SITE}/docs")
        check(status == "301", f"a folder without a slash: {status}")
        odd = f"{SITE}/docs/%3Codd%3E%20%26%20name.txt"
        status, part = curl(lab.client, odd, "-r", "1-2")
        check(status == "206" and part == "dd", f"a range: {status}: {part}")
        status, _ = curl(lab.client, f"{SITE}/none")
        check(status == "404", f"what is not there: {status}")
        check(any(f"{SITE}/big.bin" in line for line in http_log(lab)), "not in the log")


def test_http_ftp_users(lab):
    """A wrong password is asked for again, a right one opens, and neither is in the log; who may
    not reach the server gets nothing (F56, F58)."""
    start(lab, config(lab, rules=NO_FTP))
    with ftp(lab):
        for user, wanted in (("anna:wrong", "401"), ("anna:geheim", "200")):
            status, body = curl(lab.client, f"ftp://{user}@{WEB}/plan.txt")
            check(status == wanted, f"{user}: {status}: {body}")
        status, _ = curl(lab.client, f"{SITE}/plan.txt")
        check(status == "404", f"anonymous: {status}")
        status, _ = curl(lab.client2, f"{SITE}/big.bin")
        check(status == "403", f"denied by the filter: {status}")
        told = "\n".join(http_log(lab))
        check("geheim" not in told and "anna:" not in told, "a password is in the log")


def test_http_wpad(lab):
    """The proxy gives its settings to browsers by itself, and DHCP tells where (F46, F56)."""
    more = "    wpad: true\n  dhcp:\n    scopes:\n      - { interface: lan, subnet: 192.168.1.0/24,"
    start(lab, config(lab, more + " range: 192.168.1.100-192.168.1.199 }\n"))
    for path in ("/proxy.pac", "/wpad.dat"):
        told = lab.client.run(["curl", "-s", "-m", "5", "-D", "-", PROXY + path]).out
        check("application/x-ns-proxy-autoconfig" in told, told)
        check('return "PROXY 192.168.1.1:3128";' in told, told)
    with Pc(lab, 3) as pc:
        script = pc.write("-wpad.sh", SCRIPT)
        told = pc.run(f"udhcpc -f -i eth0 -n -q -O wpad -s {script}", timeout=20).out
        check("wpad=http://192.168.1.1:3128/wpad.dat" in told, told)
