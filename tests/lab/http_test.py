# SPDX-License-Identifier: BSD-3-Clause
"""The HTTP proxy and its cache, with curl for a browser."""

import os
import re
import subprocess
import time

import portal_test
from lab import HERE, POSTERN, SECOND, WEB, check, wait_until

PORT = 8088
PROXY = "http://192.168.1.1:3128"
SITE = f"http://{WEB}:{PORT}"
# The lab's internet has addresses for documentation, which are not public ones.
PUBLIC = "[198.51.100.0/24, 203.0.113.0/24]"

TUNNELLED = f"""
import socket
listener = socket.create_server(("{WEB}", 443))
while True:
    connection = listener.accept()[0]
    connection.sendall(b"tunnelled")
    connection.close()
"""
OPEN_DOOR = """    - { name: door, in: [wan, dmz, lan], out: gateway, service: tcp/3128,
        action: permit }
"""


def config(lab, more="", cache="{ size: 32MiB }", rules=""):
    """A proxy for the office; `rules` stand above those of the filter."""
    head, tail = lab.plain_config().split("filter:\n", 1)
    tail = tail.replace("  rules:\n", "  rules:\n" + rules, 1)
    return head + f"""
services:
  dns: {{ servers: 198.51.100.53, rebind_guard: false }}
  http:
    listen: lan
    from: 192.168.1.0/24
    allow_private: {PUBLIC}
    cache: {cache}
{more}
filter:
{tail}"""


def curl(host, url, *words):
    """(status, body) by the proxy; status 000: no answer."""
    argv = ["curl", "-s", "-m", "10", "-x", PROXY, "-w", "\n%{http_code}", *words, url]
    body, _, status = host.run(argv, timeout=15).out.rpartition("\n")
    return status.strip(), body


def web(lab):
    return lab.internet.serve(f"/usr/bin/python3 -B {HERE}/http_upstream.py {WEB} {PORT}", PORT)


def show(lab):
    return lab.ask("show", "cache")


def start(lab, text):
    """Puts it in force, and waits for the cache."""
    lab.apply(text)
    wait_until(lambda: show(lab)["cache"]["state"] != "opening", 20, "the cache does not open")


def fetch(lab, url, *words):
    status, body = curl(lab.client, url, *words)
    check(status == "200", f"{url}: status {status}: {body[-300:]}")
    return body


def http_log(lab):
    path = lab.directory + "/state/log/http.log"
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def error_log(lab):
    with open(lab.directory + "/state/log/error.log", encoding="utf-8") as file:
        return file.read().splitlines()


def test_http_second_fetch(lab):
    """The second fetch of a page costs no packet outside, also for another client, for a range of
    it, and after a restart; what must not be kept is not (F55, F56, P28)."""
    start(lab, config(lab))
    with web(lab) as server:
        first = fetch(lab, f"{SITE}/file/300000")
        check(len(first) == 300000, f"{len(first)} bytes")
        wait_until(lambda: show(lab)["cache"]["store"]["stored"] >= 1, 5, "not stored")
        with lab.sniff("outside", f"tcp port {PORT}") as wire:
            for host in (lab.client, lab.client2):
                status, again = curl(host, f"{SITE}/file/300000")
                check(status == "200" and again == first, f"from the cache: {status}")
            status, part = curl(lab.client, f"{SITE}/file/300000", "-r", "1000-1999")
            check(status == "206" and part == first[1000:2000], f"a range: {status}")
            check(wire.count() == 0, f"packets outside: {wire.packets()[:3]}")
        for _ in range(2):
            fetch(lab, f"{SITE}/private")
        check(server.out().count("/private") == 2, f"kept: {server.out()}")
        counted = show(lab)
        check(counted["counters"]["hits"] >= 3 and counted["hit_percent"] > 0, f"{counted}")
        check(counted["saved_bytes"] >= 601000, f"saved: {counted['saved_bytes']}")
        lab.restart_with(config(lab))
        wait_until(lambda: show(lab)["cache"]["state"] == "ready", 20, "not ready after a restart")
        asked = server.out().count("/file/300000")
        check(fetch(lab, f"{SITE}/file/300000") == first, "another file after a restart")
        check(server.out().count("/file/300000") == asked, "fetched again after a restart")


def browse(lab, host, url, *proxy):
    """What a browser with an empty profile shows."""
    done = host.run(["/usr/bin/python3", "-B", HERE + "/http_chromium.py", url,
                     lab.scratch(f"chromium-{time.monotonic_ns()}"), *proxy], timeout=60)
    return done.out


def test_http_browser(lab):
    """A browser gets a page with its script and image by the proxy; another browser gets it without
    a packet outside (F56)."""
    start(lab, config(lab))
    with web(lab) as server:
        for host in (lab.client, lab.client2):
            told = browse(lab, host, f"{SITE}/site", PROXY)
            check("title seen script and image" in told and "Hello" in told, f"it shows: {told}")
        for path in ("/site", "/code.js", "/dot.gif"):
            check(server.out().count(f"GET {path} ") == 1, f"{path}: {server.out()}")


def test_http_purge(lab):
    """What an administrator purges is fetched again, by URL, by pattern and all (F55)."""
    start(lab, config(lab))
    with web(lab) as server:
        for name in ("a", "b", "c"):
            fetch(lab, f"{SITE}/page-{name}")
        wait_until(lambda: show(lab)["cache"]["store"]["stored"] >= 3, 5, "not stored")
        done = lab.ask("cache", "purge", f"{SITE}/page-a")
        check(done["removed"] == 1, f"purge: {done}")
        check(lab.ask("cache", "purge", f"{SITE}/nothing")["removed"] == 0, "nothing was removed")
        fetch(lab, f"{SITE}/page-a")
        fetch(lab, f"{SITE}/page-b")
        asked = server.out()
        check(asked.count("/page-a") == 2 and asked.count("/page-b") == 1, asked)
        wait_until(lambda: show(lab)["cache"]["store"]["stored"] >= 4, 5, "not stored")
        done = lab.ask("cache", "purge", "*/page-*")
        check(done["removed"] == 3, f"purge by pattern: {done}")
        fetch(lab, f"{SITE}/page-b")
        check(server.out().count("/page-b") == 2, server.out())
        lab.ask("cache", "clear")
        fetch(lab, f"{SITE}/page-b")
        check(server.out().count("/page-b") == 3, server.out())


def test_http_connect(lab):
    """CONNECT leads to port 443 and to no other; the names of both are looked up (P27)."""
    start(lab, config(lab))
    with lab.internet.serve(["/usr/bin/python3", "-c", TUNNELLED], 443):
        ask = "CONNECT web.example:{} HTTP/1.1\\r\\nHost: web.example:{}\\r\\n\\r\\n"
        for port, answer in ((443, "200"), (25, "403")):
            text = ask.format(port, port)
            told = lab.client.run(["sh", "-c", f"printf '{text}' | nc -w 2 192.168.1.1 3128"]).out
            check(told.startswith(f"HTTP/1.1 {answer}"), f"port {port}: {told[:200]}")
            check(("tunnelled" in told) == (port == 443), f"port {port}: {told[:200]}")


def test_http_outside(lab):
    """There is no proxy for anybody outside, in the DMZ, or beyond `from`, whatever rules let in
    (F53, F58)."""
    start(lab, config(lab, rules=OPEN_DOOR))
    ask = ["curl", "-s", "-m", "3", f"{SITE}/page", "-x"]
    with web(lab):
        fetch(lab, f"{SITE}/page")
        for host, address in ((lab.internet, "203.0.113.2"), (lab.dmz, "10.9.0.1")):
            done = host.run(ask + [f"http://{address}:3128"])
            check(not done.ok, f"{host.name} was served: {done.out}")
        lab.client.run("ip address add 172.16.5.10/24 dev port0")
        stranger = lab.client.run(ask + [PROXY, "--interface", "172.16.5.10"])
        check(not stranger.ok, f"served beyond from: {stranger.out}")


def test_http_filter(lab):
    """A site that the filter denies to a client directly is denied to it by the proxy, and not to
    another client; no other address than public ones is reached (F58)."""
    rule = f"    - {{ name: no-second, in: lan, from: 192.168.1.10, to: {SECOND}, action: deny }}\n"
    start(lab, config(lab, rules=rule))
    directly = lab.client.run(["curl", "-s", "-m", "3", f"http://{SECOND}/"])
    check(not directly.ok, "not denied directly")
    for _ in range(2):
        status, body = curl(lab.client, f"http://{SECOND}/")
        check(status == "403", f"denied directly, by the proxy: {status}: {body}")
        status, body = curl(lab.client2, f"http://{SECOND}/")
        check(status == "200", f"for another client: {status}: {body}")
    for place in ("10.9.0.9", "192.168.1.11", "127.0.0.1", "192.168.1.1", "169.254.169.254"):
        status, body = curl(lab.client, f"http://{place}/")
        check(status == "403", f"{place}: {status}: {body}")
    refused = [line for line in http_log(lab) if f"http://{SECOND}/" in line and " 403 " in line]
    check(len(refused) == 2 and all(line.startswith("192.168.1.10 ") for line in refused), refused)


def test_http_rules(lab):
    """A URL rule refuses with its message; one for a group asks for a name and a password, lets its
    members through and nobody else, and the log has the user (F57)."""
    secret = subprocess.run([POSTERN, "passwd-hash", "--mib", "19"], input=portal_test.PASSWORD,
                            capture_output=True, text=True, timeout=60, check=False).stdout
    secret = re.search(r"\$argon2id\S+", secret)[0]
    more = """    login: optional
    rules:
      - { name: hr, paths: /page-hr, users: "group:hr", action: permit }
      - { name: others, paths: /page-hr, action: deny }
      - { name: games, paths: /page-games, action: deny, message: Games are for the evening. }
users:
  lockout: { free_attempts: 3, delay: 100ms }
  accounts:
"""
    more += f'    anna: {{ password: "{secret}", groups: [hr] }}\n'
    more += f'    bert: {{ password: "{secret}" }}\n  groups: {{ hr: {{}} }}\n'
    start(lab, config(lab, more))
    with web(lab):
        status, body = curl(lab.client, f"{SITE}/page-games")
        check(status == "403" and "Games are for the evening." in body, f"{status}: {body}")
        status, _ = curl(lab.client, f"{SITE}/page-hr")
        check(status == "407", f"nobody: {status}")
        right = portal_test.PASSWORD
        for user, password, wanted in (("anna", right, "200"), ("anna", "wrong", "407"),
                                       ("bert", right, "403")):
            status, body = curl(lab.client, f"{SITE}/page-hr", "-U", f"{user}:{password}")
            check(status == wanted, f"{user}, {password}: {status}: {body}")
        wait_until(lambda: any(" anna [" in line for line in http_log(lab)), 3, "anna is not in it")
        fields = lab.ask("log", "http", "-n", "1")["lines"][0]["fields"]
        check(fields["source"] == "192.168.1.10" and fields["method"] == "GET", f"{fields}")


def test_http_lifetimes(lab):
    """What the configuration says of some pages holds for them alone: one kind is never kept, of
    another the server is asked each time (F55)."""
    more = "{ size: 32MiB, lifetimes: [ { paths: /page-never*, never: true }, " \
           "{ contains: page-ask, always_revalidate: true } ] }"
    start(lab, config(lab, cache=more))
    with web(lab) as server:
        for page, times in (("page-never1", 3), ("page-ask", 3), ("page-other", 1)):
            for _ in range(3):
                fetch(lab, f"{SITE}/{page}")
            asked = server.out().count(f"/{page} ")
            check(asked == times, f"{page}: asked {asked} times, not {times}: {server.out()}")


def test_http_held_back(lab):
    """While the parent's password cannot be read nothing is permitted, the rest of a change holds,
    and the status says why, also when the cache is ready (F56, C19)."""
    missing = lab.directory + "/no-such-password"
    parent = f"    parent: {{ host: {WEB}, user: office, password_file: {missing} }}\n"
    start(lab, config(lab, parent))
    with web(lab) as server:
        wait_until(lambda: show(lab)["cache"]["state"] == "ready", 20, "not ready")
        status, body = curl(lab.client, f"{SITE}/page")
        check(status == "403" and "postern status" in body, f"{status}: {body}")
        warnings = [line for line in lab.ask("status")["warnings"] if "password_file" in line]
        check(len(warnings) == 1 and "refused" in warnings[0], f"{lab.ask('status')['warnings']}")
        start(lab, config(lab))
        fetch(lab, f"{SITE}/page")
        told = lab.ask("status")
        check(not [line for line in told["warnings"] if "http" in line], f"{told['warnings']}")
        check(told["http"]["requests"] >= 2 and told["http"]["cache"] == "ready", f"{told['http']}")
        check(server.out().count("/page") == 1, f"asked all the same: {server.out()}")


def test_http_file(lab):
    """A file of another size is left alone, told once with what to do about it, and made anew on
    request; meanwhile everything is passed on (F55, C19)."""
    start(lab, config(lab))
    path = show(lab)["cache"]["file"]
    check(os.path.getsize(path) == 32 << 20, f"{os.path.getsize(path)} bytes")
    start(lab, config(lab, cache="{ size: 48MiB }"))
    cache = show(lab)["cache"]
    check(cache["state"] == "failed" and "postern cache recreate" in cache["error"], f"{cache}")
    time.sleep(2.5)
    told = [line for line in error_log(lab) if "postern cache recreate" in line]
    check(len(told) == 1, f"{told}")
    check("http cache" in str(lab.ask("status")["warnings"]), "status does not warn")
    check(os.path.getsize(path) == 32 << 20, "the file was changed")
    with web(lab) as server:
        for _ in range(2):
            fetch(lab, f"{SITE}/page")
        check(server.out().count("/page") == 2, "kept without a cache")
        lab.ask("cache", "recreate")
        wait_until(lambda: show(lab)["cache"]["state"] == "ready", 20, "not made anew")
        check(os.path.getsize(path) == 48 << 20, f"{os.path.getsize(path)} bytes")
        for _ in range(2):
            fetch(lab, f"{SITE}/page")
        check(server.out().count("/page") == 3, "not kept")


def test_http_disk_full(lab):
    """On a disk that is too small every page is passed on, and one line says so (C19)."""
    place = lab.scratch("tiny")
    os.mkdir(place)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=True)
    try:
        before = len(error_log(lab))
        # A process that runs already does not see the disk.
        lab.restart_with(config(lab, cache=f"{{ file: {place}/cache, size: 32MiB }}"))
        wait_until(lambda: show(lab)["cache"]["state"] == "failed", 20, "the disk has room")
        with web(lab):
            for number in range(20):
                fetch(lab, f"{SITE}/file/500000-{number}")
        time.sleep(2.5)
        told = [line for line in error_log(lab)[before:] if " error " in line and "http" in line]
        check(len(told) == 1 and "No space left" in told[0], f"{len(told)} lines: {told}")
    finally:
        lab.restart_with(lab.config())
        subprocess.run(["umount", "-l", place], check=True)
