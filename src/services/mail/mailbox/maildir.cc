// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/mailbox/maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <map>
#include <utility>

#include "services/mail/mailbox/line_ends.h"
#include "services/mail/queue/queue_file.h"

namespace postern::mail {
namespace {

constexpr size_t kPiece = size_t{64} << 10;
constexpr size_t kUniqueMax = 70;          // RFC 1939 section 7
constexpr int64_t kTmpAgeS = 36LL * 3600;  // after which a file in tmp/ is nobody's

Error fault(const std::string& path) {
  return {ErrorCode::failed, path + ": " + std::strerror(errno)};
}

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

Folder open_folder(const std::string& path) {
  return {opendir(path.c_str()), closedir};
}

// Calls `visit` with the names in new/ and cur/ of the mailbox until it says false.
Result<void> walk(const std::string& path, const std::function<bool(std::string_view)>& visit) {
  for (const char* name : {"/new", "/cur"}) {
    const Folder folder = open_folder(path + name);
    if (!folder) return fault(path + name);
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(folder.get());
      if (entry == nullptr && errno != 0) return fault(path + name);
      if (entry == nullptr) break;
      if (!visit(entry->d_name)) return {};
    }
  }
  return {};
}

// What stands behind ",W=" in a name.
bool has_size(std::string_view name, uint64_t& octets) {
  const size_t at = name.find(",W=");
  if (at == std::string_view::npos) return false;
  const char* first = name.data() + at + 3;
  return std::from_chars(first, name.data() + name.size(), octets).ec == std::errc();
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

// FNV-1a; of names that are no unique ids themselves.
std::string digest_of(std::string_view name) {
  uint64_t digest = 0xcbf29ce484222325;
  for (const char c : name)
    digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("h{:016x}", digest);
}

// Without flags and sizes, which change.
std::string unique_of(std::string_view name) {
  name = name.substr(0, name.find(':'));
  name = name.substr(0, name.find(','));
  const bool is_fit = !name.empty() && name.size() <= kUniqueMax && is_printable(name);
  return is_fit ? std::string(name) : digest_of(name);
}

// The time in front of a name; 0: none.
int64_t time_of(std::string_view unique) {
  int64_t time = 0;
  std::from_chars(unique.data(), unique.data() + unique.size(), time);
  return time;
}

// Writes as LF lines; closes itself.
class MessageFile {
 public:
  explicit MessageFile(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)) {}
  ~MessageFile() {
    if (fd_ >= 0) close(fd_);
  }
  MessageFile(const MessageFile&) = delete;
  MessageFile& operator=(const MessageFile&) = delete;

  bool write(std::string_view text) {
    lines_.clear();
    to_lf_.feed(text, lines_);
    std::string_view left = lines_;
    while (fd_ >= 0 && !left.empty()) {
      const ssize_t count = ::write(fd_, left.data(), left.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      left.remove_prefix(static_cast<size_t>(count));
    }
    octets_ += lines_.size();
    return fd_ >= 0;
  }
  bool finish() { return fd_ >= 0 && fsync(fd_) == 0; }
  uint64_t octets() const { return octets_; }

 private:
  int fd_;
  ToLf to_lf_;
  std::string lines_;
  uint64_t octets_ = 0;
};

bool write_all(MessageFile& file, const std::string& front, const Body& text) {
  if (!file.write(front)) return false;
  std::string piece(kPiece, '\0');
  for (uint64_t at = 0; at < text.octets();) {
    const size_t count = text.read(at, piece);
    if (count == 0 || !file.write(std::string_view(piece).substr(0, count))) return false;
    at += count;
  }
  return file.finish();
}

}  // namespace

Result<Maildir> Maildir::open(const std::string& root, const std::string& path) {
  std::vector<std::string> folders;
  for (size_t at = root.size() + 1; at < path.size();) {
    at = std::min(path.find('/', at), path.size());
    folders.push_back(path.substr(0, at++));
  }
  for (const char* name : {"/tmp", "/new", "/cur"})
    folders.push_back(path + name);
  for (const std::string& folder : folders) {
    if (mkdir(folder.c_str(), S_IRWXU) == 0) {
      const std::string above = folder.substr(0, folder.rfind('/'));
      if (auto synced = sync_folder(above); !synced) return synced.error();
    } else if (errno != EEXIST) {
      return fault(folder);
    }
  }
  return Maildir(path);
}

Result<bool> Maildir::has_delivery(const std::string& id) const {
  const std::string mark = "." + id + ".postern";
  bool has = false;
  auto walked = walk(path_, [&](std::string_view file) {
    has = file.find(mark) != std::string_view::npos;
    return !has;
  });
  if (!walked) return walked.error();
  return has;
}

Result<std::vector<std::string>> Maildir::deliveries() const {
  std::vector<std::string> ids;
  auto walked = walk(path_, [&ids](std::string_view file) {
    const size_t first = file.find('.');
    const size_t last = file.find(".postern", std::min(first, file.size()));
    if (last != std::string_view::npos && last > first)
      ids.emplace_back(file.substr(first + 1, last - first - 1));
    return true;
  });
  if (!walked) return walked.error();
  return ids;
}

Result<void> Maildir::deliver(const Delivery& delivery, const Body& text) {
  const auto written = write(delivery, text);
  if (!written) return written.error();
  return place({*written}).front();
}

Result<Maildir::Written> Maildir::write(const Delivery& delivery, const Body& text) const {
  if (!delivery.is_first) {
    const auto has = has_delivery(delivery.id);
    if (!has) return has.error();
    // Perhaps its folder was not synced.
    if (*has) return Written{"", path_ + "/new/"};
  }
  clean_tmp(delivery.now_s);
  const std::string unique = fmt::format("{}.{}.postern", delivery.now_s, delivery.id);
  const std::string tmp = path_ + "/tmp/" + unique;
  unlink(tmp.c_str());  // of an attempt that a crash ended
  uint64_t octets = 0;
  {
    MessageFile file(tmp);
    if (!write_all(file, delivery.front, text)) {
      Error error = fault(tmp);
      unlink(tmp.c_str());
      return error;
    }
    octets = file.octets();
  }
  return Written{tmp, fmt::format("{}/new/{},S={},W={}", path_, unique, octets,
                                  delivery.front.size() + text.octets())};
}

std::vector<Result<void>> Maildir::place(const std::vector<Written>& all) {
  std::vector<Result<void>> done(all.size());
  std::map<std::string, Result<void>> folders;
  for (size_t i = 0; i < all.size(); ++i) {
    const Written& one = all[i];
    if (one.tmp.empty() || rename(one.tmp.c_str(), one.place.c_str()) == 0) {
      folders.try_emplace(one.place.substr(0, one.place.rfind('/')));
      continue;
    }
    done[i] = fault(one.place);
    unlink(one.tmp.c_str());
  }
  for (auto& [folder, synced] : folders)
    synced = sync_folder(folder);
  for (size_t i = 0; i < all.size(); ++i) {
    if (done[i]) done[i] = folders.at(all[i].place.substr(0, all[i].place.rfind('/')));
  }
  return done;
}

void Maildir::clean_tmp(int64_t now_s) const {
  const Folder folder = open_folder(path_ + "/tmp");
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    struct stat facts = {};
    if (entry->d_name[0] == '.') continue;
    const std::string path = path_ + "/tmp/" + entry->d_name;
    if (stat(path.c_str(), &facts) == 0 && facts.st_mtime + kTmpAgeS < now_s) unlink(path.c_str());
  }
}

Result<std::vector<MailboxMessage>> Maildir::list() {
  std::vector<MailboxMessage> messages;
  for (const char* folder : {"new", "cur"}) {
    if (auto done = list_folder(folder, messages); !done) return done.error();
  }
  std::sort(messages.begin(), messages.end(), [](const auto& a, const auto& b) {
    const int64_t first = time_of(a.unique), second = time_of(b.unique);
    return first != second ? first < second : a.unique < b.unique;
  });
  // A copy that somebody made by hand has the same id: then the later ones have another.
  for (size_t i = 1; i < messages.size(); ++i) {
    if (messages[i].unique == messages[i - 1].unique)
      messages[i].unique = digest_of(messages[i].file);
  }
  return messages;
}

Result<void> Maildir::list_folder(const char* name, std::vector<MailboxMessage>& messages) const {
  // All names first: what measure() renames would be met a second time.
  std::vector<std::string> files;
  {
    const Folder folder = open_folder(path_ + "/" + name);
    if (!folder) return fault(path_ + "/" + name);
    while (const dirent* entry = readdir(folder.get())) {
      if (entry->d_name[0] == '.') continue;
      if (messages.size() + files.size() >= kMailboxMessagesMax)
        return Error{ErrorCode::exhausted, path_ + ": too many messages"};
      files.emplace_back(entry->d_name);
    }
  }
  for (const std::string& file : files) {
    MailboxMessage message;
    message.file = fmt::format("{}/{}", name, file);
    message.unique = unique_of(file);
    if (!has_size(file, message.octets)) {
      auto octets = measure(message.file);
      if (!octets) continue;  // gone meanwhile, or no file
      message.octets = *octets;
    }
    messages.push_back(std::move(message));
  }
  return {};
}

// Reads a message of another tool, and puts what it learnt into the name.
Result<uint64_t> Maildir::measure(std::string& file) const {
  const std::string path = path_ + "/" + file;
  auto text = Body::open(path);
  if (!text) return text.error();
  ToCrlf to_crlf;
  std::string piece(kPiece, '\0'), lines;
  uint64_t octets = 0, at = 0;
  while (at < (*text)->octets()) {
    const size_t count = (*text)->read(at, piece);
    if (count == 0) return fault(path);
    lines.clear();
    to_crlf.feed(std::string_view(piece).substr(0, count), lines);
    octets += lines.size();
    at += count;
  }
  const size_t flags = std::min(file.find(':'), file.size());
  std::string named = file;
  named.insert(flags, fmt::format(",W={}", octets));
  if (rename(path.c_str(), (path_ + "/" + named).c_str()) == 0) file = std::move(named);
  return octets;
}

Result<std::shared_ptr<const Body>> Maildir::read(const MailboxMessage& message) const {
  return Body::open(path_ + "/" + message.file);
}

Result<void> Maildir::remove(const std::vector<MailboxMessage>& messages) {
  Result<void> done;
  for (const MailboxMessage& message : messages) {
    const std::string path = path_ + "/" + message.file;
    if (unlink(path.c_str()) != 0 && errno != ENOENT) done = fault(path);
  }
  for (const char* folder : {"/new", "/cur"}) {
    if (auto synced = sync_folder(path_ + folder); !synced) done = synced;
  }
  return done;
}

}  // namespace postern::mail
