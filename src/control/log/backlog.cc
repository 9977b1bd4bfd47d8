// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/backlog.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace postern {
namespace {

constexpr mode_t kFileMode = 0640, kDirectoryMode = 0750;
constexpr uint64_t kFirstNumber = uint64_t{1} << 40;  // there is room in front of it
constexpr size_t kRecordHead = 8;
constexpr const char* kSuffix = ".spool";

// FNV-1a; against torn writes, not against anybody.
uint32_t checksum(std::string_view text) {
  uint32_t sum = 2166136261u;
  for (char c : text)
    sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
  return sum;
}

void append_number(std::string& out, uint32_t n) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(n >> shift & 255);
}

uint32_t number_at(std::string_view bytes, size_t at) {
  uint32_t n = 0;
  for (size_t i = 0; i < 4; ++i)
    n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
  return n;
}

// 0: the name of no segment.
uint64_t segment_number(std::string_view name) {
  const size_t dot = name.find(kSuffix);
  if (dot == std::string_view::npos || name.substr(dot) != kSuffix) return 0;
  uint64_t number = 0;
  auto [end, wrong] = std::from_chars(name.data(), name.data() + dot, number);
  return wrong == std::errc() && end == name.data() + dot ? number : 0;
}

Error failed(const std::string& path) {
  return {ErrorCode::failed, path + ": " + std::strerror(errno)};
}

// As large as one that was saved from memory may be: a front that was not large yet, and one
// segment that joined it, which had not been large when the back was appended.
constexpr size_t kFileMax = 3 * Backlog::kSegmentMax + 4 * Backlog::kMessageMax;

// Empty when it cannot be read.
std::string read_bytes(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  std::string bytes(kFileMax, '\0');
  bytes.resize(file ? std::fread(bytes.data(), 1, bytes.size(), file.get()) : 0);
  return bytes;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

SpoolSegment read_spool(std::string_view bytes) {
  SpoolSegment segment;
  if (bytes.substr(0, kSpoolMagic.size()) != kSpoolMagic) return segment;
  size_t at = kSpoolMagic.size();
  while (bytes.size() - at >= kRecordHead) {
    const size_t length = number_at(bytes, at);
    if (length == 0 || length > Backlog::kMessageMax) return segment;
    if (bytes.size() - at - kRecordHead < length) return segment;
    const std::string_view message = bytes.substr(at + kRecordHead, length);
    if (checksum(message) != number_at(bytes, at + 4)) return segment;
    segment.messages.emplace_back(message);
    at += kRecordHead + length;
  }
  segment.is_whole = at == bytes.size();
  return segment;
}

std::string spool_record(std::string_view message) {
  std::string record;
  append_number(record, static_cast<uint32_t>(message.size()));
  append_number(record, checksum(message));
  return record.append(message);
}

std::string Backlog::path_of(uint64_t number) const {
  return fmt::format("{}/{:020}{}", directory_, number, kSuffix);
}

Result<void> Backlog::open() {
  const std::string parent = directory_.substr(0, directory_.rfind('/'));
  for (const std::string& directory : {parent, directory_}) {
    if (mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return failed(directory);
  }
  std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(directory_.c_str()), closedir);
  if (!listing) return failed(directory_);
  while (const dirent* entry = readdir(listing.get())) {
    const uint64_t number = segment_number(entry->d_name);
    struct stat about = {};
    if (number == 0 || stat(path_of(number).c_str(), &about) != 0) continue;
    segments_[number] = static_cast<uint64_t>(about.st_size);
    disk_bytes_ += static_cast<uint64_t>(about.st_size);
  }
  last_number_ = segments_.empty() ? kFirstNumber : segments_.rbegin()->first;
  is_open_ = true;
  return {};
}

bool Backlog::push(std::string message) {
  const uint64_t size = message.size() + kRecordHead;
  if (message.empty() || message.size() > kMessageMax || bytes() + size > bytes_max_) {
    ++lost_;
    return false;
  }
  back_bytes_ += size;
  back_.push_back(std::move(message));
  if (back_bytes_ >= kSegmentMax && !spill()) {
    // Nothing else is left to be done with what the disk refuses.
    lost_ += back_.size();
    back_.clear();
    back_bytes_ = 0;
    return false;
  }
  return true;
}

uint64_t Backlog::take_lost() {
  const uint64_t room = std::min<uint64_t>(bytes_max_ / 8, kSegmentMax);
  if (lost_ == 0 || bytes() + room > bytes_max_) return 0;
  return std::exchange(lost_, 0);
}

const std::string* Backlog::next() {
  if (sent_ == front_.size()) load();
  return sent_ < front_.size() ? &front_[sent_] : nullptr;
}

// The oldest segment, or what has not been brought to disk, joins the front.
void Backlog::load() {
  if (front_bytes_ > kSegmentMax) return;  // much is on its way already
  if (segments_.empty()) {
    if (!back_.empty()) runs_.push_back({0, back_.size()});
    for (std::string& message : back_)
      front_.push_back(std::move(message));
    front_bytes_ += back_bytes_;
    back_.clear();
    back_bytes_ = 0;
    return;
  }
  const auto [number, bytes] = *segments_.begin();
  segments_.erase(segments_.begin());
  disk_bytes_ -= bytes;
  SpoolSegment segment = read_spool(read_bytes(path_of(number)));
  if (!segment.is_whole) ++lost_;  // at least the one that was torn
  if (segment.messages.empty()) return remove_file(number);
  runs_.push_back({number, segment.messages.size()});
  for (std::string& message : segment.messages) {
    front_bytes_ += message.size() + kRecordHead;
    front_.push_back(std::move(message));
  }
}

void Backlog::acknowledge(size_t count) {
  count = std::min(count, sent_);
  sent_ -= count;
  for (; count > 0; --count) {
    front_bytes_ -= front_.front().size() + kRecordHead;
    front_.pop_front();
    if (--runs_.front().left > 0) continue;
    remove_file(runs_.front().number);
    runs_.pop_front();
  }
}

void Backlog::remove_file(uint64_t number) const {
  if (number != 0) unlink(path_of(number).c_str());
}

Result<void> Backlog::write(uint64_t number, const std::deque<std::string>& messages, bool append) {
  std::string bytes = append ? std::string() : std::string(kSpoolMagic);
  for (const std::string& message : messages)
    bytes += spool_record(message);
  const std::string path = path_of(number);
  const int mode = append ? O_APPEND : O_CREAT | O_TRUNC;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | mode, kFileMode);
  if (fd < 0) return failed(path);
  const off_t size_before = lseek(fd, 0, SEEK_END);
  Result<void> outcome;
  if (!write_all(fd, bytes)) outcome = failed(path);
  // What follows a record that is not whole could not be read.
  if (!outcome && append && (size_before < 0 || ftruncate(fd, size_before) != 0)) {
    can_append_ = false;
  }
  close(fd);
  if (!outcome) {
    if (!append) unlink(path.c_str());
    return outcome;
  }
  segments_[number] += bytes.size();
  disk_bytes_ += bytes.size();
  return outcome;
}

Result<void> Backlog::spill() {
  if (back_.empty()) return {};
  if (!is_open_) return Error{ErrorCode::failed, directory_ + " is not open"};
  // The newest file takes more, as long as it is not large and not being sent.
  const bool append = can_append_ && !segments_.empty() &&
                      segments_.rbegin()->first == last_number_ &&
                      segments_.rbegin()->second < kSegmentMax;
  auto done = write(append ? last_number_ : last_number_ + 1, back_, append);
  if (!done) return done;
  if (!append) ++last_number_;
  can_append_ = true;
  back_.clear();
  back_bytes_ = 0;
  return {};
}

// The front as a segment of its own before all others, instead of those that it was made of.
Result<void> Backlog::write_front() {
  uint64_t lowest = segments_.empty() ? last_number_ + 1 : segments_.begin()->first;
  for (const Run& run : runs_) {
    if (run.number != 0) lowest = std::min(lowest, run.number);
  }
  const uint64_t number = lowest - 1;
  if (auto written = write(number, front_, false); !written) return written;
  last_number_ = std::max(last_number_, number);
  for (const Run& run : runs_)
    remove_file(run.number);
  runs_.assign(1, {number, front_.size()});
  return {};
}

Result<void> Backlog::save() {
  if (auto spilled = spill(); !spilled) return spilled;
  if (front_.empty()) return {};
  if (auto written = write_front(); !written) return written;
  runs_.clear();
  front_.clear();
  front_bytes_ = sent_ = 0;
  return {};
}

Result<void> Backlog::secure() {
  if (auto spilled = spill(); !spilled) return spilled;
  auto is_in_memory = [](const Run& run) { return run.number == 0; };
  if (std::none_of(runs_.begin(), runs_.end(), is_in_memory)) return {};
  if (auto written = write_front(); !written) return written;
  const auto segment = segments_.find(runs_.front().number);  // it is loaded
  disk_bytes_ -= segment->second;
  segments_.erase(segment);
  return {};
}

uint64_t Backlog::discard() {
  uint64_t messages = in_memory();
  for (const auto& [number, bytes] : segments_) {
    messages += read_spool(read_bytes(path_of(number))).messages.size();
    remove_file(number);
  }
  for (const Run& run : runs_)
    remove_file(run.number);
  segments_.clear();
  runs_.clear();
  front_.clear();
  back_.clear();
  front_bytes_ = back_bytes_ = disk_bytes_ = sent_ = 0;
  rmdir(directory_.c_str());
  return messages;
}

}  // namespace postern
