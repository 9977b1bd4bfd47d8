# SPDX-License-Identifier: BSD-3-Clause
"""Mail: between the office, its provider and the internet (F49-F53, C20)."""

import collections
import time

import mail_letters
from lab import GATEWAY, WEB, check, wait_until
from mail_bed import (GATEWAY_INSIDE, PASSWORD, POP3_PORT, Isp, Office, from_outside, new_tag,
                      read_by_mpop, read_by_poplib, send, swaks)

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LOGIN = ["--auth-user", "anna", "--auth-password", PASSWORD]

# Who is outside tries to have mail sent on: sender and recipient as they stand in MAIL and RCPT.
TRICKS = [
    ("<sue@else.example>", "<joe@third.example>"),
    ("<>", "<joe@third.example>"),
    ("<anna@office.example>", "<joe@third.example>"),
    ("<postmaster@office.example>", "<joe@third.example>"),
    ("<anna@[203.0.113.2]>", "<joe@third.example>"),
    ("<sue@else.example>", "<joe%third.example@office.example>"),
    ("<sue@else.example>", "<joe%third.example@[203.0.113.2]>"),
    ("<sue@else.example>", '<"joe%third.example">'),
    ("<sue@else.example>", "<joe%third.example>"),
    ("<sue@else.example>", "<third.example!joe>"),
    ("<sue@else.example>", "<third.example!joe@office.example>"),
    ("<sue@else.example>", "<third.example!joe@[203.0.113.2]>"),
    ("<sue@else.example>", "<@office.example:joe@third.example>"),
    ("<sue@else.example>", "<@[203.0.113.2]:joe@third.example>"),
    ("<sue@else.example>", "<@office.example,@third.example:joe@fourth.example>"),
    ("<sue@else.example>", '<"joe@third.example">'),
    ("<sue@else.example>", '<"joe@third.example"@office.example>'),
    ("<sue@else.example>", '<"joe@third.example"@[203.0.113.2]>'),
    ("<sue@else.example>", "<joe@third.example@office.example>"),
    ("<sue@else.example>", "<joe@third.example.>"),
    ("<sue@else.example>", "<joe@third.example@office.example.>"),
    ("<sue@else.example>", "<joe@[198.51.100.20]>"),
    ("<sue@else.example>", "<joe@198.51.100.20>"),
    ("<sue@else.example>", "<joe@[IPv6:2001:db8::1]>"),
    ("<sue@else.example>", "<joe@localhost>"),
    ("<sue@else.example>", "<joe@sub.office.example>"),
    ("<sue@else.example>", "<joe@office.example.third.example>"),
    ("<sue@else.example>", "joe@third.example"),
    ("<sue@else.example>", " <joe@third.example>"),
    ("<sue@else.example>", "<joe@third.example> ORCPT=rfc822;anna@office.example"),
    ("<sue@else.example> AUTH=<anna@office.example>", "<joe@third.example>"),
    ("<sue@else.example>", "<+joe@third.example>"),
    ("<sue@else.example>", "<anna+joe@third.example>"),
    ("<sue@else.example>", "<joe\\@third.example@office.example>"),
]
TRY = """
import socket
def ask(stream, line):
    stream.write(line.encode() + b"\\r\\n")
    stream.flush()
    while True:
        answer = stream.readline()
        if not answer or answer[3:4] != b"-":
            return answer.decode()[:3]
for sender, recipient in {tricks!r} + [("<sue@else.example>", "<anna@office.example>")]:
    with socket.create_connection(("{gateway}", 25), 10) as connection:
        stream = connection.makefile("rwb")
        stream.readline()
        ask(stream, "EHLO {helo}")
        mail = ask(stream, "MAIL FROM:" + sender)
        to = ask(stream, "RCPT TO:" + recipient) if mail == "250" else mail
        data = ask(stream, "DATA")
        print(to, data, sender, recipient)
"""
# Whether AUTH is offered before TLS, and whether it is taken all the same.
CLEAR = """
import base64, smtplib
server = smtplib.SMTP("{gateway}", 587, timeout=10)
server.ehlo()
print("auth" in server.esmtp_features)
word = base64.b64encode(b"\\0anna\\0{password}").decode()
print(server.docmd("AUTH PLAIN " + word)[0] == 235)
"""


def test_mail_comes_in(lab):
    """Mail from outside and from inside comes to the mailboxes, once for whoever several ways lead
    to, and is read by two POP3 clients (F49, C20)."""
    office = Office(lab)
    office.start()
    tags = [new_tag("in") for _ in range(3)]
    from_outside(lab, "anna@office.example", tags[0])
    send(lab.client, GATEWAY_INSIDE, "anna@office.example", "bert@office.example", tag=tags[1])
    from_outside(lab, "sales@office.example,anna@office.example,anna+x@office.example", tags[2])
    office.wait_for_empty()
    for read, user, wanted in ((read_by_mpop, "anna", [tags[0], tags[2]]),
                               (read_by_poplib, "bert", [tags[1], tags[2]])):
        seen = [tag for tag in read(lab, user) if tag in tags]
        check(sorted(seen) == sorted(wanted), f"{user} reads {seen}, not {wanted}")
        check(read(lab, user) == [], "what was read is still there")
    code, said = swaks(lab.internet, GATEWAY, "sue@else.example", "nobody@office.example")
    check(code == "550", f"for nobody: {said[-300:]}")
    line = office.log("event=delivered", "from=<sue@else.example>", "to=<anna@office.example>")
    check(line, "no line in the mail log")


def test_mail_relay(lab):
    """Mail for others goes to the provider's relay, by TLS and logged in; for who is refused there,
    the sender is told (F49, F53)."""
    office, isp = Office(lab), Isp(lab)
    with isp.relay():
        office.start(isp.relay_keys())
        tag = new_tag("out")
        send(lab.client, GATEWAY_INSIDE, "anna@office.example",
             "joe@else.example,sue@third.example,never@else.example,bert@office.example", tag=tag)
        office.wait_for_empty()
        got = isp.got(tag)
        recipients = sorted(name.split(" ")[0] for one in got for name in one["recipients"])
        check(recipients == ["<joe@else.example>", "<sue@third.example>"], f"relayed: {got}")
        check(all(one["user"] == "acme" and one["tls"] for one in got), f"how: {got}")
        check(got[0]["sender"].startswith("<anna@office.example>"), f"from: {got[0]['sender']}")
        check("Received: from pc.example" in got[0]["text"], "no trace of where it came from")
        check(office.count("bert", tag) == 1, "the copy for a mailbox here")
        told = [one for one in office.files("anna")
                if one.get_content_type() == "multipart/report" and tag in one.as_string()]
        check(len(told) == 1 and "never@else.example" in told[0].as_string(), "no notification")
        check(told[0]["Return-Path"] == "<>", f"its sender: {told[0]['Return-Path']}")


def test_mail_submission(lab):
    """Who logs in by TLS may send to anywhere; a wrong password is refused, and none is asked for
    in clear (F53)."""
    office, isp = Office(lab), Isp(lab)
    with isp.relay():
        office.start(isp.relay_keys() + "\nrelay_networks: []")
        code, _ = swaks(lab.client, GATEWAY_INSIDE, "anna@office.example", "joe@else.example")
        check(code[0] == "5", f"without a password: {code}")
        server = GATEWAY_INSIDE + ":587"
        for tls in (["-tls"], ["--tls-on-connect"]):
            tag = new_tag("submitted")
            place = server if tls == ["-tls"] else GATEWAY_INSIDE + ":465"
            for method in ("PLAIN", "LOGIN"):
                send(lab.client, place, "anna@office.example", "joe@else.example", *tls, "--auth",
                     method, *LOGIN, tag=tag)
            wait_until(lambda: len(isp.got(tag)) == 2, 20, f"not relayed: {isp.got(tag)}")
        code, _ = swaks(lab.client, server, "anna@office.example", "joe@else.example", "-tls",
                        "--auth", "PLAIN", "--auth-user", "anna", "--auth-password", "wrong-one1")
        check(code == "535", f"with a wrong password: {code}")
        told = lab.client.python(CLEAR.format(gateway=GATEWAY_INSIDE, password=PASSWORD))
        check(told.split() == ["False", "False"], f"a password in clear: {told}")
        check(office.log("event=login-refused", "user=anna"), "no line of the wrong password")


def test_mail_no_open_relay(lab):
    """Nobody outside has mail sent on, by none of the classic tricks, whoever they say they are
    (F53)."""
    office, isp = Office(lab), Isp(lab)
    with isp.relay():
        office.start(isp.relay_keys())
        for helo in ("else.example", "office.example", "localhost", "[192.168.1.10]"):
            told = lab.internet.python(TRY.format(tricks=TRICKS, gateway=GATEWAY, helo=helo))
            lines = told.splitlines()
            check(len(lines) == len(TRICKS) + 1, f"answers: {told}")
            taken = [line for line in lines[:-1] if line[0] != "5" or line.split()[1][0] != "5"]
            check(not taken, f"taken: {taken}")
            check(lines[-1].startswith("250 354"), f"mail for the office: {lines[-1]}")
        time.sleep(2)
        check(not isp.messages() and not office.queue(), "something is on its way")


def test_mail_schedule(lab):
    """Mail for others waits for its time of the week; mail for the office does not (F52)."""
    office, isp = Office(lab), Isp(lab)
    other_day = DAYS[(time.localtime().tm_wday + 3) % 7]
    with isp.relay():
        office.start(isp.relay_keys(f"when: {other_day}, "))
        tag = new_tag("timed")
        send(lab.client, GATEWAY_INSIDE, "anna@office.example",
             "joe@else.example,bert@office.example", tag=tag)
        office.wait_for("bert", tag)
        time.sleep(3)
        check(not isp.messages(), "it did not wait")
        check(len(office.queue()) == 1, f"in the queue: {office.queue()}")
        today = DAYS[time.localtime().tm_wday] + "," + DAYS[(time.localtime().tm_wday + 1) % 7]
        office.start(isp.relay_keys(f'when: "{today}", '))
        wait_until(lambda: len(isp.got(tag)) == 1, 20, "it does not go when it is time")
        office.wait_for_empty()
        check(office.count("bert", tag) == 1, "twice in the mailbox")


def test_mail_relay_away(lab):
    """While the relay is away mail waits, through a restart too, and goes once when it is back; the
    log tells both (F49, C20)."""
    office, isp = Office(lab), Isp(lab)
    office.start(isp.relay_keys())
    tags = [new_tag("waits") for _ in range(3)]
    for tag in tags:
        send(lab.client, GATEWAY_INSIDE, "anna@office.example", "joe@else.example", tag=tag)
    wait_until(lambda: len([one for one in office.queue() if one["said"]]) == 3, 20,
               f"not tried: {office.queue()}")
    lab.restart_with(office.config(isp.relay_keys()))
    wait_until(lambda: office.show().get("running"), 20, "the mail service does not run")
    check(len(office.queue()) == 3, f"after a restart: {office.queue()}")
    with isp.relay():
        lab.postern("mail", "retry", office.queue()[0]["id"])
        wait_until(lambda: len(isp.messages()) >= 1, 10, "a retry does not go")
        lab.postern("mail", "retry", "all")
        office.wait_for_empty(40)
        counts = collections.Counter(tag for tag in tags for _ in isp.got(tag))
        check(counts == {tag: 1 for tag in tags}, f"relayed: {counts}")
    check(office.log("event=deferred", "to=<joe@else.example>"), "no line of the delay")
    check(len(office.log("event=relayed", "to=<joe@else.example>", f"{WEB}")) >= 3, "no line each")


def test_mail_hold_and_delete(lab):
    """An administrator holds a message, lets it go on, and deletes another one."""
    office, isp = Office(lab), Isp(lab)
    office.start(isp.relay_keys())
    tags = [new_tag("held") for _ in range(2)]
    for tag in tags:
        send(lab.client, GATEWAY_INSIDE, "anna@office.example", "joe@else.example", tag=tag)
    first, second = [one["id"] for one in office.queue()]
    lab.postern("mail", "hold", first)
    lab.postern("mail", "delete", second)
    check([one["is_held"] for one in office.queue()] == [True], f"the queue: {office.queue()}")
    with isp.relay():
        lab.postern("mail", "retry", "all")
        time.sleep(2)
        lab.postern("mail", "retry", first)
        office.wait_for_empty()
        check(len(isp.got(tags[0])) == 1 and not isp.got(tags[1]), "another one went")


def test_mail_fetch(lab):
    """The 1,000 messages of a mailbox at the provider are sorted to their users, each exactly once,
    though the connection breaks twice; then the mailbox is empty (F50, F51, C20)."""
    office, isp = Office(lab), Isp(lab)
    with isp.pop3(2) as server:
        office.start(f"fetch: [ {{ name: provider, host: {WEB}, port: {POP3_PORT}, every: 10s, "
                     f"envelope_fields: X-Envelope-To, unsorted: dora, {isp.login()} }} ]")
        wait_until(lambda: "quit 1000 0" in server.out() or " 0\n" in server.out(), 100,
                   f"not empty: {server.out()[-300:]}; {office.show('fetch')}")
        check(server.out().count("cut") == 2, f"the connection: {server.out()}")
        office.wait_for_empty()
        found = []
        for user, folder in (("anna", ""), ("bert", ""), ("carol", ""), ("dora", ""),
                             ("bert", ".Lists")):
            name = user + folder.replace(".", "/")
            found += [(name, int(one["X-Tag"])) for one in office.files(user, folder)
                      if (one["X-Tag"] or "").isdigit()]
        wanted = mail_letters.mixed()[1]
        more, less = (list((a - b).elements())[:5] for a, b in (
            (collections.Counter(found), collections.Counter(wanted)),
            (collections.Counter(wanted), collections.Counter(found))))
        check(not more and not less, f"{len(found)} copies; too many: {more}, missing: {less}")
        check(office.log("event=fetched", "provider"), "no line in the mail log")
