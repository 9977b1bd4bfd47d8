// SPDX-License-Identifier: BSD-3-Clause
// postern login PAGE: logs a person in at the log-in page of a gateway (F27), from a host inside,
// without a browser. It stays and keeps the log-in alive as an open page would, and logs out when
// it is told to end. Of the gateway it knows the page alone; it asks no daemon.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <thread>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "cli/login/kept_login.h"
#include "cli/login/login_page.h"
#include "cli/password_prompt.h"
#include "cli/remote_link.h"
#include "control/remote/channel/keys.h"

namespace postern::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kRetryS = 5;
constexpr int64_t kLongestS = 100LL * 365 * 86400;    // of a log-in; what is longer has no end here
constexpr int kLastPatienceMs = 3000;                 // with a page that did not answer just now
constexpr std::chrono::milliseconds kPause(500);      // before a log-out is tried again
constexpr size_t kUserMax = 63, kPasswordMax = 1024;  // as the page takes them

struct Options {
  std::string page, user, password_file, ca_file, fingerprint;
  bool once = false, out = false;
};

class Secret {
 public:
  // Leaves nothing in `text`: a short one is copied even by a move.
  explicit Secret(std::string& text) : text_(text) { remote::wipe(text); }
  ~Secret() { remote::wipe(text_); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  std::string& text() { return text_; }

 private:
  std::string text_;
};

// What all steps need.
struct Visit {
  const Options& options;
  const Globals& globals;
  HttpsClient& client;
  LoginPage page;
  std::string fingerprint = {};
};

std::string time_text(std::time_t at, bool is_utc) {
  std::tm parts = {};
  is_utc ? gmtime_r(&at, &parts) : localtime_r(&at, &parts);
  char text[32];
  const char* form = is_utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S";
  return {text, std::strftime(text, sizeof text, form, &parts)};
}

void tell(const Visit& visit, const char* event, const Json& facts, const std::string& line) {
  if (visit.globals.json) {
    Json all = {{"event", event}, {"page", visit.client.page().url()}};
    all.update(facts);
    print_json_line(all);
    return;
  }
  std::puts(line.c_str());
  std::fflush(stdout);
}

// A certificate that nobody vouches for is confirmed once, by whoever sits there.
Result<void> confirm(const Visit& visit, const Trust& trust, const SeenCertificate& seen) {
  const std::string host = visit.client.page().key();
  if (!is_at_terminal()) {
    return Error{
        ErrorCode::denied,
        fmt::format("the certificate of {} is not known yet ({}). Compare its SHA-256 with "
                    "`postern show logins --json` on the gateway, then give --fingerprint "
                    "{}",
                    host, seen.reason, seen.fingerprint)};
  }
  const bool is_it = ask_yes(
      fmt::format("The certificate of {} is not known yet ({}). Its SHA-256 is\n  {}\n"
                  "`postern show logins --json` on the gateway itself tells it. Is it this one "
                  "(yes/no)? ",
                  host, seen.reason, seen.fingerprint));
  if (!is_it) return Error{ErrorCode::denied, "the certificate was not confirmed"};
  if (auto made = make_user_directory(); !made) return made;
  return add_known_page(trust, host, seen);
}

Result<void> judge(const HttpsClient& client, const Trust& trust, const SeenCertificate& seen) {
  auto opinion = judge_certificate(trust, client.page().key(), seen);
  if (!opinion) return std::move(opinion).error();
  if (opinion->word == KeyOpinion::Word::known) return {};
  const bool is_unknown = opinion->word == KeyOpinion::Word::unknown;
  return Error{ErrorCode::denied, is_unknown ? "the certificate of " + client.page().key() +
                                                   " is another one than a moment ago"
                                             : opinion->why};
}

// Before anything is asked of the person, let alone told to the other side.
Result<void> meet(Visit& visit, const Trust& trust) {
  HttpsClient& client = visit.client;
  if (auto done = client.set_up(trust.ca_file); !done) return done;
  auto seen = client.look({kPatienceMs});
  if (!seen) return std::move(seen).error();
  visit.fingerprint = seen->fingerprint;
  auto opinion = judge_certificate(trust, client.page().key(), *seen);
  if (!opinion) return std::move(opinion).error();
  client.set_judge(
      [&client, trust](const SeenCertificate& now) { return judge(client, trust, now); });
  if (opinion->word == KeyOpinion::Word::refused) return Error{ErrorCode::denied, opinion->why};
  if (opinion->word == KeyOpinion::Word::known) return {};
  return confirm(visit, trust, *seen);
}

Result<std::string> user_of(const Options& options) {
  std::string user = options.user;
  const passwd* own = user.empty() ? getpwuid(geteuid()) : nullptr;
  if (own != nullptr) user = own->pw_name;
  if (!user.empty() && user.size() <= kUserMax) return user;
  return Error{ErrorCode::denied, user.empty() ? "give a name by --user" : "the name is too long"};
}

// Into `password`, which is empty: no copy of it is left elsewhere.
Result<void> read_password(const Visit& visit, const std::string& user, std::string& password) {
  if (visit.options.password_file.empty()) {
    if (is_at_terminal()) {
      auto typed = ask_password("Password of " + user + " at " + visit.client.page().authority());
      if (!typed) return std::move(typed).error();
      password = *typed;
      remote::wipe(*typed);
      return {};
    }
    return Error{ErrorCode::denied, "no terminal to ask for a password; give --password-file"};
  }
  auto text = read_input(visit.options.password_file);
  if (!text) return std::move(text).error();
  password.assign(*text, 0, text->find('\n'));
  remote::wipe(*text);
  if (password.ends_with('\r')) password.pop_back();
  if (!password.empty() && password.size() <= kPasswordMax) return {};
  remote::wipe(password);
  return Error{ErrorCode::denied, visit.options.password_file +
                                      ": the password is empty, or longer "
                                      "than any"};
}

void tell_state(const Visit& visit, const Page& state) {
  const bool has_end = state.left_s >= 0;
  const std::time_t end = std::time(nullptr) + state.left_s;
  const std::string until = has_end ? time_text(end, false) : "it is logged out";
  tell(visit, "logged-in",
       {{"user", state.user},
        {"address", state.address},
        {"until", has_end ? Json(time_text(end, true)) : Json()},
        {"idle_s", state.idle_s > 0 ? Json(state.idle_s) : Json()},
        {"fingerprint_sha256", visit.fingerprint}},
       fmt::format("{} is logged in at {} until {}{}", state.user, state.address, until,
                   visit.options.once ? "" : "; Ctrl-C logs out"));
}

void tell_no_answer(const Visit& visit, const Error& error) {
  if (visit.globals.json) {
    tell(visit, "no-answer", {{"text", error.text}}, "");
  } else {
    std::fprintf(stderr, "postern: %s; it is asked again\n", error.text.c_str());
  }
}

struct Leaving {
  std::optional<Page> state;  // nothing: it is asked for first
  std::string user;           // who is to be logged out, once that was asked
};

// False: the log-in was over already.
Result<bool> leave(const Visit& visit, const std::string& cookie, Leaving& leaving, int left_ms) {
  if (!leaving.state) {
    auto now = visit.page.look(cookie, left_ms);
    if (!now) return std::move(now).error();
    if (!*now) return !leaving.user.empty();
    leaving.state = std::move(*now);
  }
  leaving.user = leaving.state->user;
  const std::string token = leaving.state->token;
  leaving.state.reset();  // without an answer, the page is asked whether it was done
  if (auto done = visit.page.log_out(cookie, token, left_ms); !done) return done.error();
  return true;
}

// Again and again while nobody answers, until the patience is over or a signal comes.
int log_out(const Visit& visit, const std::string& cookie, std::optional<Page> state,
            int patience_ms) {
  const auto end = Clock::now() + std::chrono::milliseconds(patience_ms);
  const unsigned heard = visit.client.signals_heard();
  Leaving leaving{std::move(state), {}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    auto done = leave(visit, cookie, leaving, static_cast<int>(left.count()));
    if (done && *done) {
      tell(visit, "logged-out", {{"user", leaving.user}}, leaving.user + " is logged out");
      return kDone;
    }
    if (done) {
      tell(visit, "logged-out", {{"user", nullptr}},
           "this log-in is over already; another one of this host may be there");
      return kDone;
    }
    const Error& error = done.error();
    const bool is_passing =
        error.code == ErrorCode::unavailable || error.code == ErrorCode::exhausted;
    if (!is_passing || visit.client.signals_heard() != heard || Clock::now() + kPause >= end) {
      return report_in_line(Error(error).within("not logged out"), visit.globals);
    }
    std::this_thread::sleep_for(kPause);
  }
}

Clock::time_point end_of(const std::optional<Page>& state) {
  if (!state || state->left_s < 0) return Clock::time_point::max();
  return Clock::now() + std::chrono::seconds(std::min(state->left_s, kLongestS));
}

int report_end(const Visit& visit, const std::string& user, const std::string& why) {
  return report_in_line(Error{ErrorCode::failed, user + " is not logged in any more: " + why},
                        visit.globals);
}

// Until a signal comes, or nobody is logged in any more. Without a state it is not known yet who is
// logged in: the page did not answer.
int stay(const Visit& visit, StopSignals& signals, const std::string& cookie,
         std::optional<Page> state) {
  bool does_answer = state.has_value();
  auto end = end_of(state);
  std::string user = state ? state->user : "the account";
  for (;;) {
    const int64_t pause_s =
        std::min(state ? keep_alive_s(*state) : kRetryS, does_answer ? INT64_MAX : kRetryS);
    if (signals.wait_ms(static_cast<int>(pause_s * 1000))) break;
    auto now = visit.page.look(cookie);
    if (!now) {
      if (now.error().code == ErrorCode::denied) return report_in_line(now.error(), visit.globals);
      if (does_answer && !signals.has_come()) tell_no_answer(visit, now.error());
      does_answer = false;
      if (signals.has_come()) break;
      if (Clock::now() < end) continue;
      return report_end(visit, user, "the time is over, and " + now.error().text);
    }
    if (!*now) {
      return report_end(visit, user,
                        "the time is over, the gateway has ended it, or this host has another "
                        "address");
    }
    state = std::move(*now);
    end = end_of(state);
    user = state->user;
    if (!does_answer) tell_state(visit, *state);
    does_answer = true;
  }
  return log_out(visit, cookie, std::move(state), does_answer ? kPatienceMs : kLastPatienceMs);
}

// The password was right. `kept_at`: where the cookie is for --out; empty: nowhere.
int begin_stay(const Visit& visit, StopSignals& signals, const std::string& cookie,
               const std::string& kept_at) {
  auto state = visit.page.look(cookie);
  const bool is_kept = !kept_at.empty() && !signals.has_come();
  if (!state && (is_kept || state.error().code == ErrorCode::denied)) {
    const char* what = is_kept ? "logged in, and kept for --out, but" : "logged in, but";
    return report_in_line(Error(state.error()).within(what), visit.globals);
  }
  if (!state) {
    tell_no_answer(visit, state.error());
    return stay(visit, signals, cookie, std::nullopt);
  }
  if (!*state) {
    const Error error{ErrorCode::failed, "the page knows nothing of it"};
    return report_in_line(Error(error).within("the password is right, but"), visit.globals);
  }
  tell_state(visit, **state);
  return is_kept ? kDone : stay(visit, signals, cookie, std::move(*state));
}

int log_in(Visit& visit) {
  const Globals& globals = visit.globals;
  std::string kept_at;
  if (visit.options.once) {
    auto path = kept_login_path(visit.client.page());
    if (!path) return report_in_line(path.error(), globals);
    kept_at = std::move(*path);
  }
  auto user = user_of(visit.options);
  if (!user) return report_in_line(user.error(), globals);
  std::string typed;
  if (auto read = read_password(visit, *user, typed); !read) {
    return report_in_line(read.error(), globals);
  }
  Secret password(typed);
  // From here on somebody may be logged in, who is not left behind.
  StopSignals signals;
  visit.client.set_signals(&signals);
  auto got = visit.page.log_in(*user, password.text());
  remote::wipe(password.text());
  if (!got) return report_in_line(got.error(), globals);
  Secret cookie(*got);
  if (visit.options.once) {
    if (auto kept = keep_login(kept_at, cookie.text()); !kept) {
      log_out(visit, cookie.text(), std::nullopt, kPatienceMs);
      return report_in_line(Error(kept.error()).within("logged in, but not kept"), globals);
    }
  }
  const int code = begin_stay(visit, signals, cookie.text(), kept_at);
  if (!kept_at.empty() && code == kDone && signals.has_come()) forget_login(kept_at);
  return code;
}

int log_out_kept(const Visit& visit) {
  auto path = kept_login_path(visit.client.page());
  if (!path) return report_in_line(path.error(), visit.globals);
  auto kept = find_kept_login(*path);
  if (!kept) return report_in_line(kept.error(), visit.globals);
  Secret cookie(*kept);
  const int code = log_out(visit, cookie.text(), std::nullopt, kPatienceMs);
  if (code == kDone) forget_login(*path);
  return code;
}

// What no command line may say; empty: nothing is wrong.
std::string usage_fault(const Options& options, const Globals& globals) {
  if (globals.remote) return "`postern login` takes the address of the page, not --host";
  if (options.once && options.out) return "--once and --out do not go together";
  if (!options.ca_file.empty() && !options.fingerprint.empty()) {
    return "--ca and --fingerprint do not go together";
  }
  if (options.out && !(options.user.empty() && options.password_file.empty())) {
    return "--out takes neither --user nor --password-file";
  }
  return {};
}

int run(const Options& options, const Globals& globals) {
  std::string fault = usage_fault(options, globals);
  auto page = parse_page_address(options.page);
  Trust trust{"", options.ca_file, user_file("known_pages")};
  if (!page && fault.empty()) fault = page.error().text;
  if (!options.fingerprint.empty()) {
    auto fingerprint = parse_fingerprint(options.fingerprint);
    if (!fingerprint && fault.empty()) fault = fingerprint.error().text;
    if (fingerprint) trust.fingerprint = std::move(*fingerprint);
  }
  if (!fault.empty()) {
    std::fprintf(stderr, "postern: %s\n", fault.c_str());
    return kUsage;
  }
  std::signal(SIGPIPE, SIG_IGN);
  HttpsClient client(std::move(*page));
  Visit visit{options, globals, client, LoginPage(client)};
  if (auto met = meet(visit, trust); !met) return report_in_line(met.error(), globals);
  return options.out ? log_out_kept(visit) : log_in(visit);
}

}  // namespace

void add_login(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  root.add("login", "log in at the log-in page of a gateway, and stay so until Ctrl-C")
      .argument("PAGE", options->page, "its address: https://NAME[:PORT]/")
      .option("--user", options->user, "the account; else it is called as you are here")
      .option("--password-file", options->password_file, "a file whose first line is the password")
      .option("--ca", options->ca_file, "the file of the authority of its certificate, in PEM form")
      .option("--fingerprint", options->fingerprint, "the SHA-256 that its certificate must have")
      .flag("--once", options->once, "log in and leave; --out logs out")
      .flag("--out", options->out, "log out again after --once")
      .runs([options, &globals] { return run(*options, globals); });
}

}  // namespace postern::cli
