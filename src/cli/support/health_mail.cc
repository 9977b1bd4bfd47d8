// SPDX-License-Identifier: BSD-3-Clause
// check_mail() of health.h.
#include <fmt/format.h>

#include <optional>

#include "cli/support/health.h"

namespace postern::cli {
namespace {

constexpr uint32_t kOthers = 0007u, kOthersRead = 0004u;

struct Secret {
  std::string path;
  std::string what;  // that it is for
};

// Files that somebody else may not read, and that are to be there.
std::vector<Secret> secrets_of(const config::Mail& mail) {
  std::vector<Secret> secrets;
  if (!mail.tls.key.empty()) secrets.push_back({mail.tls.key, "services.mail.tls.key"});
  auto add = [&secrets](const config::MailLogin& login, const std::string& what) {
    if (!login.password_file.empty()) secrets.push_back({login.password_file, what});
  };
  if (mail.relay) {
    for (const config::MailHop& hop : mail.relay->hosts)
      add(hop.login, fmt::format("the relay {}", hop.host));
    for (const config::MailSenderRelay& one : mail.relay->by_sender) {
      for (const config::MailHop& hop : one.hosts)
        add(hop.login, fmt::format("the relay {}", hop.host));
    }
  }
  for (const config::MailFetch& fetch : mail.fetch) {
    if (fetch.enabled) add(fetch.login, fmt::format("fetching {}", fetch.name));
  }
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

std::optional<Finding> look_at_files(const Machine& machine, const config::Mail& mail) {
  if (!mail.tls.certificate.empty() && !machine.exists(mail.tls.certificate)) {
    return bad(Health::fail, mail.tls.certificate + " is not there: no TLS is offered",
               fmt::format("ls -l {}", mail.tls.certificate));
  }
  for (const Secret& secret : secrets_of(mail)) {
    const auto owner = machine.owner(secret.path);
    if (!owner) {
      return bad(Health::fail,
                 secret.path + " is not there, or may not be looked at; it is for " + secret.what,
                 fmt::format("ls -l {}", secret.path));
    }
    if ((owner->mode & kOthersRead) != 0) {
      return bad(Health::warn,
                 fmt::format("{} has mode {:04o}: every user can read it; it is for {}",
                             secret.path, owner->mode, secret.what),
                 fmt::format("chmod 0600 {}", secret.path));
    }
  }
  return std::nullopt;
}

}  // namespace

Finding check_mail(const Machine& machine, const config::Mail& mail, const std::string& state_dir) {
  if (auto found = look_at_files(machine, mail)) return *found;
  std::string folder = mail.folder.empty() ? state_dir + "/mail" : mail.folder;
  const std::string name = folder;
  const auto owner = machine.owner(folder);
  if (owner && (owner->mode & kOthers) != 0) {
    return bad(Health::warn,
               fmt::format("{} has mode {:04o}: every user can read mail", folder, owner->mode),
               fmt::format("chmod 0700 {}", folder));
  }
  folder = nearest_folder(machine, folder);
  const auto space = machine.space(folder);
  if (space && space->free_bytes < mail.queue.size) {
    return bad(Health::warn,
               fmt::format("{} has {} MiB free, services.mail.queue.size says {}: mail is refused "
                           "when they are gone",
                           folder, space->free_bytes >> 20, mail.queue.size >> 20),
               fmt::format("df -h {}", folder));
  }
  if (!owner) return bad(Health::ok, name + " is not there yet; it is made when mail runs", "");
  return bad(Health::ok, name + " is there, with room for the queue", "");
}

}  // namespace postern::cli
