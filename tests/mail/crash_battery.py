#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The mail service under fire (covers C20):

  crash_battery.py POSTERN_MAIL [--kills N] [--sessions N] [--folder F] [--seed N]

SMTP sessions hand it messages, each with a number of its own, for mailboxes here and for a relay
host, which until the last kill at times says no, or takes a message and hangs up without a word. At
random moments the service is killed by SIGKILL and started again on the same folder. In the end:

  - what was answered by 250 is there, whole, for each of its recipients; what was refused is not;
  - a mailbox has nothing twice;
  - the relay host has something twice only where it could not be told: it had taken the message
    less than NOTED_S before the kill, or had not answered. Each is counted with its reason.

What was neither accepted nor refused, as the connection broke, may be there or not.
"""

import argparse
import collections
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DOMAIN = "office.example"
USERS = [f"user{number}" for number in range(8)]
REMOTE = "else.example"
# An acceptance is on the disk at the latest so much later; a kill before makes a duplicate.
NOTED_S = 2.0
PATIENCE_S = 120  # in the end, while nothing comes any more
PAUSE_S = 0.02  # of a session between messages: the relay host is the slowest of all
HANG_UP, LATER, LATER_NAME = 0.01, 0.02, 0.01  # how often the relay host does


def text_of(uid):
    """The message of that number; most are short, some are long."""
    spread = hashlib.sha256(uid.encode()).digest()
    size = 200 + (spread[0] << 4)
    if spread[1] < 12:
        size = 60_000 + spread[2] * 1000
    elif spread[1] == 255:
        size = 1_500_000
    line = spread.hex() + "\r\n.dots and more\r\n"
    body = (line * (size // len(line) + 1)).encode()
    return f"X-Battery: {uid}\r\nSubject: {uid}\r\n\r\n".encode() + body


def uid_in(text):
    """(uid, whether the rest is as it was sent) of a message that came through."""
    at = text.find(b"X-Battery: ")
    if at < 0:
        return None, False
    uid = text[at + 11 :].split(b"\n", 1)[0].strip().decode()
    return uid, text[at:].replace(b"\r\n", b"\n") == text_of(uid).replace(b"\r\n", b"\n")


class Lines:
    """A connection that speaks in lines."""

    def __init__(self, stream):
        self.stream = stream
        self.file = stream.makefile("rb")

    def line(self):
        line = self.file.readline(70_000)
        if not line.endswith(b"\n"):
            raise ConnectionError
        return line.rstrip(b"\r\n")

    def say(self, *lines):
        self.stream.sendall("".join(line + "\r\n" for line in lines).encode())

    def reply(self):
        """The code of a reply of one or several lines."""
        while True:
            line = self.line()
            if line[3:4] != b"-":
                return int(line[:3])


class Sink:
    """The relay host."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.is_moody = True  # until the last life: who hangs up is left alone for a minute
        self.life = 0  # of the service; a connection belongs to the one that opened it
        self.taken = collections.defaultdict(list)  # (uid, recipient): [(time, life, answered)]
        self.wrong = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(stream, self.life), daemon=True).start()

    def serve(self, stream, life):
        with stream:
            try:
                self.talk(Lines(stream), life)
            except OSError:
                pass

    def often(self, share):
        with self.lock:
            return self.is_moody and self.chance.random() < share

    def talk(self, lines, life):
        lines.say("220 sink ESMTP")
        recipients = []
        while True:
            line = lines.line().decode()
            verb = line[:4].upper()
            if verb == "EHLO":
                lines.say("250-sink", "250-PIPELINING", "250-8BITMIME", "250 SIZE 100000000")
            elif verb == "MAIL":
                recipients = []
                lines.say("250 fine")
            elif verb == "RCPT" and self.often(LATER_NAME):
                lines.say("450 later")
            elif verb == "RCPT":
                recipients.append(line.split("<")[1].split(">")[0])
                lines.say("250 fine")
            elif verb == "DATA" and not recipients:
                lines.say("554 nobody wants it")
            elif verb == "DATA":
                lines.say("354 go")
                if not self.take(lines, life, recipients):
                    return
            elif verb == "QUIT":
                lines.say("221 bye")
                return
            else:
                lines.say("250 fine")

    def take(self, lines, life, recipients):
        """Reads a text and answers; False: without an answer."""
        parts = []
        while (line := lines.line()) != b".":
            parts.append(line[1:] if line.startswith(b".") else line)
        uid, is_whole = uid_in(b"\n".join(parts) + b"\n")
        if self.often(LATER):
            lines.say("451 later")
            return True
        answers = not self.often(HANG_UP)
        with self.lock:
            if not is_whole:
                self.wrong.append(f"{uid} came damaged to the relay host")
            for recipient in recipients:
                self.taken[uid, recipient].append((time.monotonic(), life, answers))
        if answers:
            lines.say("250 taken")
        return answers


class Mail:
    """The program under test, on one folder."""

    def __init__(self, program, folder, sink):
        self.command = [program, "--folder", folder, "--port", "0", "--domain", DOMAIN,
                        "--relay", f"127.0.0.1:{sink.port}", "--first-retry", "1",
                        "--queue-messages", "100000", "--quiet"]
        for user in USERS:
            self.command += ["--user", user]
        self.folder = folder
        self.sink = sink
        self.killed = {}  # when each life ended
        self.process = None
        self.port = 0

    def start(self):
        begun = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("port "):
            raise SystemExit(f"the mail service did not start: {line}")
        self.port = int(line.split()[1])
        return time.monotonic() - begun

    def kill(self):
        if self.process.poll() is not None:
            raise SystemExit(f"the mail service ended by itself: {self.process.returncode}")
        self.process.kill()
        self.process.communicate()
        self.killed[self.sink.life] = time.monotonic()
        self.sink.life += 1

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate()[0]
        if self.process.returncode != 0:
            raise SystemExit(f"the mail service ended with {self.process.returncode}: {said}")

    def mailbox(self, user):
        return os.path.join(self.folder, "mailboxes", user)


class Sender:
    """One SMTP session after the other, while the service lives."""

    def __init__(self, name, seed):
        self.name = name
        self.chance = random.Random(seed)
        self.count = 0
        self.accepted = []  # (uid, recipients)
        self.refused = []
        self.unanswered = []

    def recipients(self):
        here = [f"{user}@{DOMAIN}" for user in self.chance.sample(USERS, 2)]
        there = [f"{name}@{REMOTE}" for name in self.chance.sample(["x", "y", "z"], 2)]
        kind = self.chance.random()
        if kind < 0.4:
            return here[:1]
        return there[:1] if kind < 0.7 else here + there

    def run(self, mail, life):
        """Until the service is gone."""
        try:
            with socket.create_connection(("127.0.0.1", mail.port), 30) as stream:
                lines = Lines(stream)
                lines.reply()
                lines.say("EHLO battery")
                lines.reply()
                while True:
                    self.send(lines, life)
                    time.sleep(PAUSE_S)
        except (OSError, ValueError):
            pass

    def send(self, lines, life):
        uid = f"{life}-{self.name}-{self.count}"
        self.count += 1
        wanted = self.recipients()
        lines.say(f"MAIL FROM:<sender@{DOMAIN}>", *(f"RCPT TO:<{name}>" for name in wanted), "DATA")
        codes = [lines.reply() for _ in range(len(wanted) + 2)]
        accepted = [name for name, code in zip(wanted, codes[1:-1]) if code == 250]
        if codes[-1] != 354:
            self.refused.append((uid, wanted))
            return
        refused = [name for name in wanted if name not in accepted]
        if refused:
            self.refused.append((uid, refused))
        text = text_of(uid).replace(b"\r\n.", b"\r\n..")
        try:
            lines.stream.sendall(text + b".\r\n")
            code = lines.reply()
        except (OSError, ValueError):
            self.unanswered.append((uid, accepted))
            raise
        (self.accepted if code == 250 else self.refused).append((uid, accepted))


class Mailboxes:
    """What is in them; a file is read once."""

    def __init__(self, mail):
        self.mail = mail
        self.known = set()
        self.copies = collections.Counter()  # (uid, recipient)
        self.wrong = []

    def look(self):
        for user in USERS:
            for part in ("new", "cur"):
                folder = os.path.join(self.mail.mailbox(user), part)
                names = os.listdir(folder) if os.path.isdir(folder) else []
                for name in set(names) - self.known:
                    self.known.add(name)
                    self.read(user, os.path.join(folder, name))

    def read(self, user, path):
        with open(path, "rb") as file:
            uid, is_whole = uid_in(file.read())
        if uid is None:
            self.wrong.append(f"{path} is none of ours")
            return
        if not is_whole:
            self.wrong.append(f"{uid} lies damaged in the mailbox of {user}")
        self.copies[uid, f"{user}@{DOMAIN}"] += 1


def fire(mail, senders, chance):
    """A life of the service: it is loaded until it is killed."""
    life = mail.sink.life
    threads = [threading.Thread(target=sender.run, args=(mail, life)) for sender in senders]
    for thread in threads:
        thread.start()
    time.sleep(0.03 + chance.random() * 0.7)
    mail.kill()
    for thread in threads:
        thread.join()


def judge_twice(mail, taken):
    """[(uid, reason)] of what the relay host has twice, reason None: there is none; and how long
    before a kill it had the first, at the most."""
    found, longest = [], 0.0
    for (uid, _), times in taken.items():
        for (when, life, answered), _ in zip(times, times[1:]):
            if not answered:
                found.append((uid, "it had not answered"))
            elif life in mail.killed and mail.killed[life] - when < NOTED_S:
                longest = max(longest, mail.killed[life] - when)
                found.append((uid, "killed before that was noted"))
            else:
                found.append((uid, None))
    return found, longest


def wait_for_all(boxes, sink, accepted):
    """Those (uid, recipient) that do not come."""
    missing = {(uid, name) for uid, names in accepted for name in names}
    end = time.monotonic() + PATIENCE_S
    while missing and time.monotonic() < end:
        time.sleep(1)
        boxes.look()
        with sink.lock:
            left = missing - boxes.copies.keys() - sink.taken.keys()
        end = end if left == missing else time.monotonic() + PATIENCE_S
        missing = left
    return missing


def report(mail, boxes, senders, accepted, missing):
    """Prints what there is, and returns what is wrong."""
    sink = mail.sink
    copies = set(boxes.copies) | set(sink.taken)
    refused = [(uid, name) for sender in senders for uid, names in sender.refused for name in names]
    unanswered = [(uid, to) for each in senders for uid, names in each.unanswered for to in names]
    twice, longest = judge_twice(mail, sink.taken)
    reasons = collections.Counter(reason for _, reason in twice if reason)
    wrong = boxes.wrong + sink.wrong
    wrong += [f"lost: {uid} for {name}" for uid, name in sorted(missing)]
    wrong += [f"refused, and there: {one}" for one in refused if one in copies]
    wrong += [f"twice in a mailbox: {one}" for one, count in boxes.copies.items() if count > 1]
    wrong += [f"twice at the relay host: {uid}" for uid, reason in twice if reason is None]
    delivered = sum(one in copies for one in unanswered)
    print(f"{len(mail.killed)} kills; {len(accepted)} messages accepted for "
          f"{sum(len(names) for _, names in accepted)} recipients, {len(missing)} lost; "
          f"{len(refused)} recipients refused; {len(unanswered)} without an answer, of which "
          f"{delivered} are there")
    print(f"twice in mailboxes: {sum(count > 1 for count in boxes.copies.values())}; at the relay "
          f"host: {len(twice)}" + "".join(f"; {reason}: {count}"
                                          for reason, count in sorted(reasons.items()))
          + f"; taken {longest * 1000:.0f} ms before a kill at the most")
    return wrong


def run(options, folder):
    sink = Sink(options.seed)
    mail = Mail(options.program, folder, sink)
    chance = random.Random(options.seed)
    senders = [Sender(str(number), chance.random()) for number in range(options.sessions)]
    slowest = 0.0
    try:
        for _ in range(options.kills):
            slowest = max(slowest, mail.start())
            fire(mail, senders, chance)
        sink.is_moody = False
        slowest = max(slowest, mail.start())
        accepted = [one for sender in senders for one in sender.accepted]
        boxes = Mailboxes(mail)
        missing = wait_for_all(boxes, sink, accepted)
        mail.stop()
        boxes.look()
    finally:
        if mail.process:
            mail.process.kill()
            mail.process.wait()
    wrong = report(mail, boxes, senders, accepted, missing)
    print(f"slowest start {slowest:.2f} s; {len(wrong)} wrong")
    if wrong or not accepted:
        raise SystemExit("\n".join(wrong[:20]) or "nothing was accepted")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program", help="postern_mail")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--folder", help="for the queue and mailboxes; default: a temporary one")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-battery-", dir=options.folder) as folder:
        run(options, folder)


if __name__ == "__main__":
    sys.exit(main())
