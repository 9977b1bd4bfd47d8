// SPDX-License-Identifier: BSD-3-Clause
#include "cli/capture_sink.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <vector>

#include "cli/pcapng.h"

namespace postern::cli {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

std::string word(const Json& frame, const char* key) {
  auto found = frame.find(key);
  return found != frame.end() && found->is_string() ? found->get<std::string>() : "";
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Up to the first pair that is no byte.
std::vector<uint8_t> bytes_of(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit_of(hex[i]);
    const int low = digit_of(hex[i + 1]);
    if (high < 0 || low < 0) break;
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return bytes;
}

Error not_written(const std::string& where) {
  return {ErrorCode::failed, where + ": " + std::strerror(errno)};
}

class Lines : public CaptureSink {
 public:
  explicit Lines(bool json) : json_(json) {}

  bool wants_bytes() const override { return json_; }
  void take(const Json& frame) override {
    const std::string line =
        json_ ? frame.dump(-1, ' ', false, Json::error_handler_t::replace) : line_of(frame);
    std::puts(line.c_str());
  }
  Result<void> flush() override {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
    return not_written("standard output");
  }

 private:
  bool json_;
};

class PcapngFile : public CaptureSink {
 public:
  PcapngFile(FILE* file, std::string name, uint32_t snap_length)
      : file_(file), name_(std::move(name)), snap_length_(snap_length) {
    put(pcapng::section_header("postern"));
  }
  ~PcapngFile() override {
    if (file_ != stdout) std::fclose(file_);
  }

  void begin(const Json& interfaces) override {
    for (const Json& interface : interfaces)
      number_of(word(interface, "name"));
  }

  void take(const Json& frame) override {
    const std::vector<uint8_t> bytes = bytes_of(word(frame, "frame"));
    const std::string comment = comment_of(frame);
    pcapng::Frame out;
    out.interface = number_of(word(frame, "interface"));
    out.time_ns = last_ns_ = frame.value("time_ns", last_ns_);
    out.bytes = bytes;
    out.length = frame.value("length", static_cast<uint32_t>(bytes.size()));
    out.is_outbound = word(frame, "stage") == "sent";
    out.comment = comment;
    put(pcapng::enhanced_packet(out));
  }

  Result<void> flush() override {
    if (std::fflush(file_) == 0 && std::ferror(file_) == 0) return {};
    return not_written(name_);
  }

  Result<void> end(const Json& interfaces) override {
    for (const Json& interface : interfaces) {
      put(pcapng::interface_statistics(number_of(word(interface, "name")), last_ns_,
                                       interface.value("matched", uint64_t{0}),
                                       interface.value("lost", uint64_t{0})));
    }
    return flush();
  }

 private:
  void put(const std::string& block) { std::fwrite(block.data(), 1, block.size(), file_); }

  // An interface is described where it is first named.
  uint32_t number_of(const std::string& name) {
    auto [at, is_new] = numbers_.emplace(name, static_cast<uint32_t>(numbers_.size()));
    if (is_new) put(pcapng::interface_description(name, snap_length_));
    return at->second;
  }

  FILE* file_;
  std::string name_;
  uint32_t snap_length_;
  std::map<std::string, uint32_t> numbers_;
  int64_t last_ns_ = int64_t{std::time(nullptr)} * kNsPerSecond;
};

}  // namespace

Result<std::unique_ptr<CaptureSink>> make_capture_sink(const SinkChoice& choice) {
  if (choice.out.empty()) return std::unique_ptr<CaptureSink>(new Lines(choice.json));
  FILE* file = choice.out == "-" ? stdout : std::fopen(choice.out.c_str(), "wbe");
  if (file == nullptr) return not_written(choice.out);
  return std::unique_ptr<CaptureSink>(new PcapngFile(file, choice.out, choice.snap_length));
}

std::string clock_text(int64_t time_ns) {
  const std::time_t second = time_ns / kNsPerSecond;
  std::tm parts = {};
  localtime_r(&second, &parts);
  return fmt::format("{:02}:{:02}:{:02}.{:06}", parts.tm_hour, parts.tm_min, parts.tm_sec,
                     time_ns % kNsPerSecond / 1000);
}

std::string facts_of(const Json& frame) {
  std::string text = word(frame, "protocol");
  if (frame.contains("source")) text += " " + word(frame, "source");
  if (frame.contains("destination")) text += " > " + word(frame, "destination");
  for (const char* key : {"arp", "flags", "icmp"}) {
    if (frame.contains(key)) text += " " + word(frame, key);
  }
  return text + fmt::format(" length {}", frame.value("length", 0));
}

std::string line_of(const Json& frame) {
  std::string line = fmt::format("{} {} {} {}", clock_text(frame.value("time_ns", int64_t{0})),
                                 word(frame, "interface"), word(frame, "stage"), facts_of(frame));
  for (const char* key : {"reason", "rule"}) {
    if (frame.contains(key)) line += fmt::format(" {} {}", key, word(frame, key));
  }
  return line;
}

std::string comment_of(const Json& frame) {
  std::string comment = word(frame, "stage");
  if (frame.contains("reason")) comment += ": " + word(frame, "reason");
  if (frame.contains("rule")) comment += ", rule " + word(frame, "rule");
  return comment;
}

}  // namespace postern::cli
