// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/block/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "services/dns/block/line.h"

namespace postern::dns {
namespace {

constexpr size_t kLineMax = 4096;
constexpr size_t kFilesMax = NameSet::kListsMax - 1;  // the last number is the settings' own
constexpr int64_t kFileBytesMax = int64_t{1} << 30;
constexpr size_t kBytesPerName = 18;  // of the usual lists, for a first guess

struct File {
  int fd;
  explicit File(const std::string& path)
      : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
};

struct Builders {
  NameSetBuilder blocked;
  NameSetBuilder allowed;
};

// Takes the names of one file.
class Reader final : public NameSink {
 public:
  Reader(Builders& builders, uint8_t list, bool allows, BlockFileReport& report)
      : builders_(builders), list_(list), allows_(allows), report_(report) {}

  void read(const std::atomic<bool>& stop) {
    const File file(report_.path);
    struct stat status = {};
    if (file.fd < 0 || fstat(file.fd, &status) != 0) return fail(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return fail("not a file");
    if (status.st_size > kFileBytesMax) return fail("larger than 1 GiB");
    std::vector<char> buffer(size_t{1} << 16);
    while (!stop.load(std::memory_order_relaxed)) {
      const ssize_t got = ::read(file.fd, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(std::strerror(errno));
      if (got == 0) break;
      take_bytes({buffer.data(), static_cast<size_t>(got)});
    }
    if (!line_.empty() || is_long_) end_line();
  }

  void take(const ListedName& name) override {
    const bool allows = allows_ || name.is_exception;
    NameSetBuilder& builder = allows ? builders_.allowed : builders_.blocked;
    ++(builder.add(name.wire, name.with_subdomains || allows, list_) ? report_.names
                                                                     : report_.no_room);
  }

 private:
  void fail(const std::string& why) { report_.error = report_.path + ": " + why; }

  void take_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      is_long_ = is_long_ || line_.size() + part.size() > kLineMax;
      if (!is_long_) line_.append(part);
      if (end == std::string_view::npos) return;
      end_line();
      bytes.remove_prefix(end + 1);
    }
  }

  void end_line() {
    ++number_;
    const char* wrong = is_long_ ? "the line is too long" : parse_block_line(line_, *this);
    if (wrong != nullptr && report_.bad_lines++ == 0) {
      report_.first_bad = report_.path + ":" + std::to_string(number_) + ": " + wrong;
    }
    line_.clear();
    is_long_ = false;
  }

  Builders& builders_;
  uint8_t list_;
  bool allows_;
  BlockFileReport& report_;
  std::string line_;
  bool is_long_ = false;
  uint64_t number_ = 0;
};

size_t names_to_expect(const std::vector<std::string>& paths) {
  size_t bytes = 0;
  for (const std::string& path : paths) {
    struct stat status = {};
    if (stat(path.c_str(), &status) == 0) bytes += static_cast<size_t>(status.st_size);
  }
  return bytes / kBytesPerName;
}

void read_files(const std::vector<std::string>& paths, bool allows, Builders& builders,
                const std::atomic<bool>& stop, std::vector<BlockFileReport>& reports) {
  for (size_t i = 0; i < paths.size(); ++i) {
    BlockFileReport report;
    report.path = paths[i];
    if (i < kFilesMax) {
      Reader(builders, static_cast<uint8_t>(i), allows, report).read(stop);
    } else {
      report.error = paths[i] + ": more than " + std::to_string(kFilesMax) + " files";
    }
    reports.push_back(std::move(report));
  }
}

}  // namespace

bool LoadedBlockSet::is_whole() const {
  return std::ranges::all_of(reports, [](const auto& report) { return report.error.empty(); });
}

LoadedBlockSet load_block_set(const BlockListSettings& settings, const NameSetKey& key,
                              const std::atomic<bool>& stop) {
  Builders builders{NameSetBuilder(key, settings.names_max),
                    NameSetBuilder(key, settings.names_max)};
  builders.blocked.expect(names_to_expect(settings.files));
  LoadedBlockSet loaded;
  read_files(settings.files, false, builders, stop, loaded.reports);
  read_files(settings.allow_files, true, builders, stop, loaded.reports);
  for (const std::string& text : settings.allow_names) {
    WireName name;
    if (to_wire_name(text, name)) builders.allowed.add(name.view(), true, kFilesMax);
  }
  if (stop.load(std::memory_order_relaxed)) return loaded;
  loaded.set.blocked = std::move(builders.blocked).build();
  loaded.set.allowed = std::move(builders.allowed).build();
  return loaded;
}

}  // namespace postern::dns
