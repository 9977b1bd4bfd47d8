# SPDX-License-Identifier: BSD-3-Clause
"""What lies in the office's mailbox at its ISP: letters of all kinds, and who is to get which."""

DOMAIN = "office.example"


class Letter:
    """A message as it lies in the mailbox, and who gets a copy of it here: (user, tag)."""

    def __init__(self, text, copies):
        self.text = text
        self.copies = copies


def letter(tag, fields, body=None, message_id=True):
    lines = [f"X-Tag: {tag}", f"Subject: letter {tag}", "From: Sue <sue@else.example>"] + fields
    if message_id:
        lines.append(f"Message-ID: <{tag}@else.example>")
    if body is None:
        body = f"This is letter {tag}.\r\n.\r\n..and its dots.\r\n"
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("utf-8", "surrogateescape")


def envelope(*names):
    return [f"X-Envelope-To: {name}@{DOMAIN}" for name in names]


def make_plain(tag):
    text = letter(tag, envelope("anna") + [f"To: anna@{DOMAIN}"])
    return [Letter(text, ["anna"])]


def make_bcc(tag):
    """The header does not say whom it is for."""
    text = letter(tag, envelope("carol") + ["To: undisclosed-recipients:;"])
    return [Letter(text, ["carol"])]


def make_list(tag):
    """A list's own address stands in To; it goes to a folder."""
    fields = ["To: gardens@lists.example", "List-Id: Gardens <gardens.lists.example>"]
    return [Letter(letter(tag, envelope("bert") + fields), ["bert/Lists"])]


def make_two_envelopes(tag):
    """One message, one copy in the mailbox for each recipient."""
    fields = [f"To: anna@{DOMAIN}, bert@{DOMAIN}"]
    return [Letter(letter(tag, envelope(name) + fields), [name]) for name in ("anna", "bert")]


def make_twice(tag):
    """The same copy again."""
    text = letter(tag, envelope("carol") + [f"To: carol@{DOMAIN}"])
    return [Letter(text, ["carol"]), Letter(text, [])]


def make_group(tag):
    """An alias, and one of its members beside it."""
    fields = [f"To: sales@{DOMAIN}", f"Cc: anna@{DOMAIN}"]
    return [Letter(letter(tag, envelope("sales", "anna") + fields), ["anna", "bert"])]


def make_unknown(tag):
    text = letter(tag, envelope("nobody") + [f"To: nobody@{DOMAIN}"])
    return [Letter(text, ["dora"])]


def make_bare(tag):
    """The provider says nothing: To and Cc are all that there is."""
    fields = [f"To: Bert <bert@{DOMAIN}>, x@else.example", f"Cc: \"C, arol\" <carol@{DOMAIN}>"]
    return [Letter(letter(tag, fields), ["bert", "carol"])]


def make_large(tag):
    body = ("h\u00e9llo " * 10 + "\r\n..\r\n") * 2000
    text = letter(tag, envelope("anna") + [f"To: anna@{DOMAIN}"], body, message_id=False)
    return [Letter(text, ["anna"])]


def make_plus(tag):
    text = letter(tag, envelope("anna+garden") + [f"To: anna+garden@{DOMAIN}"], "")
    return [Letter(text, ["anna"])]


KINDS = [make_plain, make_bcc, make_list, make_two_envelopes, make_twice, make_group, make_unknown,
         make_bare, make_large, make_plus]


def mixed(count=1000):
    """So many letters, and [(user, tag)] of the copies that are to be in mailboxes here."""
    box, tag = [], 0
    while len(box) < count:
        more = KINDS[tag % len(KINDS)](tag)
        if len(box) + len(more) > count:
            more = make_plain(tag)
        box += more
        tag += 1
        for one in more:
            one.copies = [(user, tag - 1) for user in one.copies]
    return box, sorted(copy for one in box for copy in one.copies)
