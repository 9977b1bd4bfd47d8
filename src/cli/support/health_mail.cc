// SPDX-License-Identifier: BSD-3-Clause
// check_mail() of health.h.
#include <fmt/format.h>

#include <functional>
#include <string_view>

#include "cli/support/health.h"

namespace postern::cli {
namespace {

constexpr uint32_t kOthers = 0007u, kOthersRead = 0004u;

struct Secret {
  std::string path;
  std::string what;  // that it is for
};

using Findings = std::vector<Finding>;
using TakeLogin = std::function<void(const config::MailLogin&, const std::string& what)>;

void each_login(const config::Mail& mail, const TakeLogin& take) {
  if (mail.relay) {
    for (const config::MailHop& hop : mail.relay->hosts)
      take(hop.login, fmt::format("the relay {}", hop.host));
    for (const config::MailSenderRelay& one : mail.relay->by_sender) {
      for (const config::MailHop& hop : one.hosts)
        take(hop.login, fmt::format("the relay {}", hop.host));
    }
  }
  for (const config::MailFetch& fetch : mail.fetch) {
    if (fetch.enabled) take(fetch.login, fmt::format("fetching {}", fetch.name));
  }
}

// Files that somebody else may not read, and that are to be there.
std::vector<Secret> secrets_of(const config::Mail& mail) {
  std::vector<Secret> secrets;
  if (!mail.tls.key.empty()) secrets.push_back({mail.tls.key, "services.mail.tls.key"});
  each_login(mail, [&secrets](const config::MailLogin& login, const std::string& what) {
    if (!login.password_file.empty()) secrets.push_back({login.password_file, what});
  });
  return secrets;
}

Finding bad(Health health, std::string text, std::string mend) {
  return {"mail", health, std::move(text), std::move(mend)};
}

// The one that is there, of those above it.
std::string nearest_folder(const Machine& machine, const std::string& folder) {
  for (size_t end = folder.size(); end != 0 && end != std::string::npos;
       end = folder.rfind('/', end - 1)) {
    if (machine.exists(folder.substr(0, end))) return folder.substr(0, end);
  }
  return std::string(1, '/');
}

void look_at_secrets(const Machine& machine, const config::Mail& mail, Findings& found) {
  for (const Secret& secret : secrets_of(mail)) {
    const auto owner = machine.owner(secret.path);
    if (!owner) {
      found.push_back(
          bad(Health::fail,
              secret.path + " is not there, or may not be looked at; it is for " + secret.what,
              fmt::format("ls -l {}", secret.path)));
    } else if ((owner->mode & kOthersRead) != 0) {
      found.push_back(bad(Health::warn,
                          fmt::format("{} has mode {:04o}: every user can read it; it is for {}",
                                      secret.path, owner->mode, secret.what),
                          fmt::format("chmod 0600 {}", secret.path)));
    }
  }
}

// Programs that print tokens, and who looks at mail: without them it waits, or goes unscanned.
void look_at_helpers(const Machine& machine, const config::Mail& mail, Findings& found) {
  constexpr std::string_view kUnix = "unix:";
  auto require = [&](const std::string& path, const std::string& what) {
    if (machine.exists(path)) return;
    found.push_back(bad(Health::fail, fmt::format("{} is not there; it is for {}", path, what),
                        fmt::format("ls -l {}", path)));
  };
  each_login(mail, [&](const config::MailLogin& login, const std::string& what) {
    if (!login.token_command.empty()) require(login.token_command[0], what);
  });
  if (!mail.scan) return;
  const std::string what = mail.scan->unavailable == mail::WithoutScanner::pass
                               ? "scanning: mail passes unscanned"
                               : "scanning: mail waits";
  for (const std::string& milter : mail.scan->milters) {
    if (milter.starts_with(kUnix)) require(milter.substr(kUnix.size()), what);
  }
  if (!mail.scan->command.empty()) require(mail.scan->command[0], what);
}

void look_at_folder(const Machine& machine, const config::Mail& mail, const std::string& folder,
                    Findings& found) {
  const auto owner = machine.owner(folder);
  if (owner && (owner->mode & kOthers) != 0) {
    found.push_back(
        bad(Health::warn,
            fmt::format("{} has mode {:04o}: every user can read mail", folder, owner->mode),
            fmt::format("chmod 0700 {}", folder)));
  }
  const std::string nearest = nearest_folder(machine, folder);
  const auto space = machine.space(nearest);
  if (space && space->free_bytes < mail.queue.size) {
    found.push_back(
        bad(Health::warn,
            fmt::format("{} has {} MiB free, services.mail.queue.size says {}: mail is refused "
                        "when they are gone",
                        nearest, space->free_bytes >> 20, mail.queue.size >> 20),
            fmt::format("df -h {}", nearest)));
  }
}

}  // namespace

std::vector<Finding> check_mail(const Machine& machine, const config::Mail& mail,
                                const std::string& state_dir) {
  const std::string folder = mail.folder.empty() ? state_dir + "/mail" : mail.folder;
  Findings found;
  if (!mail.tls.certificate.empty() && !machine.exists(mail.tls.certificate)) {
    found.push_back(bad(Health::fail, mail.tls.certificate + " is not there: no TLS is offered",
                        fmt::format("ls -l {}", mail.tls.certificate)));
  }
  look_at_secrets(machine, mail, found);
  look_at_helpers(machine, mail, found);
  look_at_folder(machine, mail, folder, found);
  if (!found.empty()) return found;
  return {bad(Health::ok,
              folder + (machine.owner(folder) ? " is there, with room for the queue"
                                              : " is not there yet; it is made when mail runs"),
              "")};
}

}  // namespace postern::cli
