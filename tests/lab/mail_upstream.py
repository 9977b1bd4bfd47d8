#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The mail servers of an ISP:

  mail_upstream.py relay ADDRESS PORT CERTIFICATE KEY FOLDER [USER PASSWORD]
  mail_upstream.py pop3 ADDRESS PORT CERTIFICATE KEY USER PASSWORD [CUT]

relay  takes mail for anywhere after STARTTLS and AUTH (PLAIN, LOGIN), without USER from anybody.
       Each message is a file N.json in FOLDER: user, tls, helo, sender, recipients, text. A
       recipient "later..." gets a 450, "never..." a 550.
pop3   a mailbox of 1,000 messages of mail_letters.py, by STLS. The first CUT sessions break off in
       the middle: after the third part of what is there was read.

Prints a line for each event.
"""

import base64
import contextlib
import json
import os
import socket
import ssl
import sys
import threading

import mail_letters


class Connection:
    """Lines of one client, in clear and by TLS."""

    def __init__(self, stream, context):
        self.stream = stream
        self.context = context
        self.file = stream.makefile("rb")
        self.tls = ""

    def secure(self):
        self.stream = self.context.wrap_socket(self.stream, server_side=True)
        self.file = self.stream.makefile("rb")
        self.tls = self.stream.version()

    def line(self):
        octets = self.file.readline(70_000)
        if not octets.endswith(b"\r\n"):
            raise ConnectionError
        return octets[:-2]

    def say(self, text):
        self.stream.sendall(text.encode() + b"\r\n")

    def text(self):
        """Up to the lone dot."""
        lines = []
        while (line := self.line()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(line + b"\r\n" for line in lines)


class Relay:
    """What all clients of the relay share."""

    def __init__(self, folder, user="", password=""):
        self.folder = folder
        self.login = (user, password)
        self.count = 0
        self.lock = threading.Lock()

    def talk(self, connection):
        RelaySession(self, connection).talk()

    def keep(self, message):
        with self.lock:
            self.count += 1
            path = f"{self.folder}/{self.count:06d}.json"
        with open(path + ".new", "w", encoding="ascii") as file:
            json.dump(message, file)
        os.rename(path + ".new", path)
        print("relay", message["sender"], *message["recipients"], flush=True)


def handle_lines(session, greeting, farewell, unknown):
    """Calls session.do_VERB(rest) for each line, up to QUIT."""
    say = session.connection.say
    say(greeting)
    while True:
        line = session.connection.line().decode("utf-8", "surrogateescape")
        verb, _, rest = line.partition(" ")
        if verb.upper() == "QUIT":
            session.quit()
            say(farewell)
            return
        handle = getattr(session, "do_" + verb.lower(), None)
        if handle is None:
            say(unknown)
        else:
            handle(rest)


class RelaySession:
    """One client of the relay."""

    def __init__(self, relay, connection):
        self.relay = relay
        self.connection = connection
        self.helo_name, self.user = "", ""
        self.sender, self.recipients = None, []

    def talk(self):
        handle_lines(self, "220 mail.isp.example ESMTP", "221 2.0.0 bye", "500 5.5.1 what?")

    def quit(self):
        pass

    def do_ehlo(self, rest):
        self.helo_name = rest
        words = ["mail.isp.example", "PIPELINING", "SIZE 60000000", "8BITMIME", "SMTPUTF8", "DSN",
                 "ENHANCEDSTATUSCODES", "ETRN"]
        if self.connection.tls:
            words.append("AUTH PLAIN LOGIN")
        else:
            words.append("STARTTLS")
        for word in words[:-1]:
            self.connection.say("250-" + word)
        self.connection.say("250 " + words[-1])

    def do_starttls(self, _):
        self.connection.say("220 2.0.0 go ahead")
        self.connection.secure()

    def do_auth(self, rest):
        method, _, first = rest.partition(" ")
        if not self.connection.tls:
            self.connection.say("538 5.7.11 not in clear")
            return
        if method.upper() == "LOGIN":
            user = self.ask("VXNlcm5hbWU6")
            login = (user, self.ask("UGFzc3dvcmQ6"))
        else:
            octets = base64.b64decode(first) if first else self.ask("").encode()
            login = tuple(octets.decode().split("\0")[1:])
        if login == self.relay.login:
            self.user = login[0]
            self.connection.say("235 2.7.0 welcome")
        else:
            self.connection.say("535 5.7.8 no")

    def ask(self, challenge):
        self.connection.say("334 " + challenge)
        return base64.b64decode(self.connection.line()).decode()

    def do_etrn(self, rest):
        print("etrn", rest, flush=True)
        self.connection.say("250 2.0.0 queuing started")

    def do_mail(self, rest):
        if self.relay.login[0] and not self.user:
            self.connection.say("530 5.7.0 log in")
            return
        self.sender, self.recipients = rest[5:], []
        self.connection.say("250 2.1.0 fine")

    def do_rcpt(self, rest):
        name = rest[3:].split(" ")[0]
        if self.sender is None:
            self.connection.say("503 5.5.1 MAIL first")
        elif name.startswith("<later"):
            self.connection.say("450 4.2.1 later")
        elif name.startswith("<never"):
            self.connection.say("550 5.1.1 nobody")
        else:
            self.recipients.append(rest[3:])
            self.connection.say("250 2.1.5 fine")

    def do_data(self, _):
        if not self.recipients:
            self.connection.say("554 5.5.1 nobody wants it")
            return
        self.connection.say("354 go")
        text = self.connection.text()
        self.relay.keep({"user": self.user, "tls": self.connection.tls, "helo": self.helo_name,
                         "sender": self.sender, "recipients": self.recipients,
                         "text": text.decode("utf-8", "surrogateescape")})
        self.sender, self.recipients = None, []
        self.connection.say("250 2.0.0 taken")

    def do_rset(self, _):
        self.sender, self.recipients = None, []
        self.connection.say("250 2.0.0 fine")

    def do_noop(self, _):
        self.connection.say("250 2.0.0 fine")


class Mailbox:
    """What all sessions of the mailbox share; one is there at a time."""

    def __init__(self, user, password, cuts=0):
        self.login = (user, password)
        self.cuts = cuts
        self.letters = [(f"uid{i:05d}", one.text) for i, one in enumerate(mail_letters.mixed()[0])]
        self.lock = threading.Lock()

    def talk(self, connection):
        session = PopSession(self, connection)
        try:
            handle_lines(session, "+OK pop.isp.example", "+OK bye", "-ERR what?")
        finally:
            if session.has_lock:
                self.lock.release()


class PopSession:
    """One client of the mailbox (RFC 1939)."""

    def __init__(self, mailbox, connection):
        self.mailbox = mailbox
        self.connection = connection
        self.user = ""
        self.has_lock = False
        self.letters = []
        self.gone = set()
        self.left = -1  # how many may be read before it breaks off; -1: all

    def quit(self):
        if not self.has_lock:
            return
        gone = {self.letters[number][0] for number in self.gone}
        self.mailbox.letters = [one for one in self.mailbox.letters if one[0] not in gone]
        print("quit", len(gone), len(self.mailbox.letters), flush=True)

    def many(self, head, lines):
        text = "".join(line + "\r\n" for line in [head, *lines, "."])
        self.connection.stream.sendall(text.encode("utf-8", "surrogateescape"))

    def do_capa(self, _):
        words = ["USER", "UIDL", "TOP", "PIPELINING"]
        self.many("+OK", words if self.connection.tls else words + ["STLS"])

    def do_stls(self, _):
        self.connection.say("+OK go ahead")
        self.connection.secure()

    def do_user(self, rest):
        self.user = rest
        self.connection.say("+OK" if self.connection.tls else "-ERR not in clear")

    def do_pass(self, rest):
        if not self.connection.tls or (self.user, rest) != self.mailbox.login:
            self.connection.say("-ERR [AUTH] no")
        elif not self.mailbox.lock.acquire(timeout=2):
            self.connection.say("-ERR [IN-USE] somebody else is here")
        else:
            self.has_lock = True
            self.letters = list(self.mailbox.letters)
            if self.mailbox.cuts > 0:
                self.mailbox.cuts -= 1
                self.left = len(self.letters) // 3
            print("login", self.user, len(self.letters), flush=True)
            self.connection.say("+OK")

    def here(self):
        """[(number, uid, text)]"""
        return [(number + 1, *one) for number, one in enumerate(self.letters)
                if number not in self.gone]

    def do_stat(self, _):
        here = self.here()
        self.connection.say(f"+OK {len(here)} {sum(len(one[2]) for one in here)}")

    def do_list(self, rest):
        if rest:
            self.connection.say(f"+OK {rest} {len(self.letters[int(rest) - 1][1])}")
        else:
            self.many("+OK", [f"{number} {len(text)}" for number, _, text in self.here()])

    def do_uidl(self, rest):
        if rest:
            self.connection.say(f"+OK {rest} {self.letters[int(rest) - 1][0]}")
        else:
            self.many("+OK", [f"{number} {uid}" for number, uid, _ in self.here()])

    def do_retr(self, rest):
        if self.left == 0:
            print("cut", flush=True)
            raise ConnectionError
        self.left -= 1
        text = self.letters[int(rest) - 1][1].decode("utf-8", "surrogateescape")
        lines = text.split("\r\n")[:-1]
        self.many("+OK", ["." + line if line.startswith(".") else line for line in lines])

    def do_top(self, rest):
        number, count = map(int, rest.split())
        head, _, body = self.letters[number - 1][1].decode("utf-8", "surrogateescape").partition(
            "\r\n\r\n")
        lines = head.split("\r\n") + [""] + body.split("\r\n")[:-1][:count]
        self.many("+OK", ["." + line if line.startswith(".") else line for line in lines])

    def do_dele(self, rest):
        self.gone.add(int(rest) - 1)
        self.connection.say("+OK")

    def do_rset(self, _):
        self.gone.clear()
        self.connection.say("+OK")

    def do_noop(self, _):
        self.connection.say("+OK")


def serve(stream, context, owner):
    with stream, contextlib.suppress(OSError):
        connection = Connection(stream, context)
        owner.talk(connection)
        connection.stream.close()


def main(kind, address, port, certificate, key, *rest):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    owner = Relay(*rest) if kind == "relay" else Mailbox(*rest[:2], *map(int, rest[2:]))
    with socket.create_server((address, int(port)), backlog=128) as listener:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, context, owner), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
