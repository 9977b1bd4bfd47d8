// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/pop3_connection.h"

#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/net/server_tls.h"

namespace postern::mail {
namespace {

Pop3Settings settings_of(const Pop3Rules& rules) {
  Pop3Settings settings;
  settings.name = rules.host;
  settings.has_tls = rules.tls != nullptr;
  settings.may_use_clear = rules.server.has_clear_passwords;
  return settings;
}

}  // namespace

// A message on its way to the client: a thread has it, or the loop, never both.
struct Pop3Connection::Piece {
  Maildir maildir;
  MailboxMessage message;
  std::optional<uint64_t> lines;
  std::optional<MessageSender> sender;  // behind the first piece; empty: it cannot be read
  std::string octets;
  bool is_first = true;
  bool is_last = false;
};

Pop3Connection::Pop3Connection(Pop3Parts& parts, std::shared_ptr<const Pop3Rules> rules,
                               Ipv4Address client, Over over)
    : parts_(parts),
      rules_(std::move(rules)),
      client_(client),
      over_(std::move(over)),
      session_(settings_of(*rules_), *this),
      active_at_(parts.seams.now()),
      began_at_(active_at_) {}

Pop3Connection::~Pop3Connection() {
  if (stream_ && !is_over_) stream_->close();
}

void Pop3Connection::begin(int fd, bool is_tls) {
  stream_ = Stream::take(parts_.context, fd);
  Stream::Calls calls;
  const auto weak = weak_from_this();
  calls.received = [weak](std::string_view octets) {
    if (const auto self = weak.lock()) self->receive(octets);
  };
  calls.drained = [weak] {
    if (const auto self = weak.lock()) self->drained();
  };
  calls.secured = [weak](const Result<void>& outcome) {
    if (const auto self = weak.lock()) self->secured(outcome);
  };
  calls.end_of_input = [weak] {
    const auto self = weak.lock();
    if (!self) return;
    self->has_all_said_ = true;
    self->settle();
  };
  calls.failed = [weak](const Error&) {
    if (const auto self = weak.lock()) self->end(false);
  };
  stream_->begin(std::move(calls));
  if (!is_tls) {
    is_greeted_ = true;
    return session_.begin(false);
  }
  if (rules_->tls == nullptr) return end(false);
  stream_->secure_as_server(rules_->tls);
}

void Pop3Connection::secured(const Result<void>& outcome) {
  if (!outcome) return end(false);
  active_at_ = began_at_ = now();
  if (std::exchange(is_greeted_, true)) return session_.tls_started();
  session_.begin(true);
}

void Pop3Connection::receive(std::string_view octets) {
  active_at_ = now();
  session_.take(octets);
  settle();
}

void Pop3Connection::drained() {
  active_at_ = now();
  if (std::exchange(is_all_read_, false)) {
    sending_.reset();
    session_.message_sent(true);
  } else if (sending_ && !is_asking_) {
    read_piece(sending_);
  } else if (!is_asking_) {
    session_.drained();
  }
  settle();
}

// What may be read, and whether a client that has said all has been answered.
void Pop3Connection::settle() {
  if (is_over_) return;
  stream_->want_input(has_room() && session_.wants_input());
  const bool is_busy =
      is_asking_ || sending_ != nullptr || stream_->unsent() != 0 || session_.is_behind();
  if (has_all_said_ && !is_busy) end(true);
}

void Pop3Connection::on_second(Instant now) {
  if (is_asking_) return;
  const bool is_late = session_.user().empty() ? now - began_at_ > kLoginMax
                                               : now - active_at_ > rules_->server.pop3_idle;
  if (is_late) end(false);
}

void Pop3Connection::end(bool was_told) {
  if (std::exchange(is_over_, true)) return;
  const auto self = shared_from_this();
  lock_.reset();
  if (was_told) {
    stream_->close_when_sent(kLeavingMax);
  } else {
    stream_->close();
  }
  over_(*this, stream_);
}

void Pop3Connection::send(std::string_view octets) {
  if (!is_over_) stream_->send(std::string(octets));
}

bool Pop3Connection::has_room() const {
  return !is_over_ && stream_->unsent() < kUnsentMax;
}

void Pop3Connection::start_tls() {
  stream_->secure_as_server(rules_->tls);
}

void Pop3Connection::close() {
  end(true);
}

void Pop3Connection::check_password(const std::string& user, const std::string& password) {
  is_asking_ = true;
  parts_.seams.check_password(user, password, client_,
                              [weak = weak_from_this(), user](PasswordCheck check) {
                                const auto self = weak.lock();
                                if (self && !self->is_over_) self->password_checked(check, user);
                              });
}

void Pop3Connection::password_checked(PasswordCheck check, const std::string& user) {
  is_asking_ = false;
  log_login(check, user);
  switch (check) {
    case PasswordCheck::right:
      session_.password_checked(Pop3Session::Check::right);
      break;
    case PasswordCheck::wrong:
      session_.password_checked(Pop3Session::Check::wrong);
      break;
    case PasswordCheck::busy:
      session_.password_checked(Pop3Session::Check::busy);
      break;
  }
  settle();
}

void Pop3Connection::log_login(PasswordCheck check, const std::string& user) {
  MailEvent event;
  event.kind =
      check == PasswordCheck::right ? MailEventKind::logged_in : MailEventKind::login_refused;
  event.by = "pop3";
  event.client = client_;
  event.user = user;
  if (check == PasswordCheck::wrong) event.result = "wrong name or password";
  if (check == PasswordCheck::busy) event.result = "too many tries";
  parts_.seams.log(event);
}

void Pop3Connection::open_mailbox(const std::string& user) {
  const std::string name = to_lower(user);
  if (rules_->users.count(name) == 0)
    return session_.mailbox_refused(Pop3Session::Refusal::failed, "there is no mailbox of yours");
  auto lock = parts_.locks.take(name);
  if (!lock)
    return session_.mailbox_refused(Pop3Session::Refusal::in_use, "another session has it");
  struct Opened {
    std::optional<Maildir> maildir;
    Result<std::vector<MailboxMessage>> messages = std::vector<MailboxMessage>();
  };
  const auto opened = std::make_shared<Opened>();
  is_asking_ = true;
  parts_.jobs.run_surely(
      [opened, &mailboxes = parts_.mailboxes, name] {
        auto maildir = mailboxes.mailbox(name);
        if (!maildir) {
          opened->messages = maildir.error();
          return;
        }
        opened->maildir = std::move(*maildir);
        opened->messages = opened->maildir->list();
      },
      [opened, lock, weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->is_over_) return;
        self->is_asking_ = false;
        if (opened->messages) {
          self->lock_ = lock;
          self->maildir_ = std::move(opened->maildir);
          self->session_.mailbox_opened(std::move(*opened->messages));
        } else {
          self->parts_.seams.warn("pop3: " + opened->messages.error().text);
          self->session_.mailbox_refused(Pop3Session::Refusal::failed,
                                         "the mailbox cannot be read");
        }
        self->settle();
      });
}

void Pop3Connection::send_message(const MailboxMessage& message, std::optional<uint64_t> lines) {
  sending_ = std::make_shared<Piece>(Piece{*maildir_, message, lines, {}, {}});
  read_piece(sending_);
}

void Pop3Connection::read_piece(const std::shared_ptr<Piece>& piece) {
  is_asking_ = true;
  parts_.jobs.run_surely(
      [piece] {
        if (piece->is_first) {
          auto body = piece->maildir.read(piece->message);
          if (!body) return;
          piece->sender.emplace(std::move(*body), piece->lines);
        }
        piece->octets.reserve(2 * MessageSender::kPiece);
        piece->is_last = !piece->sender->next(piece->octets);
      },
      [piece, weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && !self->is_over_) self->take_piece(piece);
      });
}

void Pop3Connection::take_piece(const std::shared_ptr<Piece>& piece) {
  is_asking_ = false;
  if (!piece->sender) {
    sending_.reset();
    send("-ERR [SYS/TEMP] the message cannot be read\r\n");
    session_.message_sent(false);
    return settle();
  }
  // Half of a message must not look like one: there is no other way to say so (RFC 1939 section 3).
  if (piece->sender->has_failed()) return end(false);
  if (std::exchange(piece->is_first, false)) {
    std::string first = "+OK " + std::to_string(piece->message.octets) + " octets\r\n";
    piece->octets.insert(0, first);
  }
  stream_->send(std::exchange(piece->octets, {}));
  is_all_read_ = piece->is_last;
  // The next command's answer may go with it, as long as not too much waits.
  if (is_all_read_ && stream_->unsent() < kUnsentMax) {
    is_all_read_ = false;
    sending_.reset();
    session_.message_sent(true);
  }
  settle();
}

void Pop3Connection::remove(const std::vector<MailboxMessage>& messages) {
  struct Removal {
    Maildir maildir;
    std::vector<MailboxMessage> messages;
    Result<void> done;
  };
  const auto removal = std::make_shared<Removal>(Removal{*maildir_, messages, {}});
  is_asking_ = true;
  parts_.jobs.run_surely([removal] { removal->done = removal->maildir.remove(removal->messages); },
                         [removal, lock = lock_, weak = weak_from_this()] {
                           const auto self = weak.lock();
                           if (!self || self->is_over_) return;
                           self->is_asking_ = false;
                           if (!removal->done)
                             self->parts_.seams.warn("pop3: " + removal->done.error().text);
                           self->session_.removed(removal->done);
                           self->settle();
                         });
}

}  // namespace postern::mail
