// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/eal.h"

#include <bpf/libbpf.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>

namespace postern {
namespace {

constexpr size_t kLogBytesMax = 4u << 20;  // of dpdk.log in one run
constexpr size_t kMessageMax = 256;        // of the message kept for errors

// What the process knows of its EAL. DPDK holds it in statics, so this does too.
struct EalState {
  bool is_started = false;
  bool uses_hugepages = false;
  FILE* file = nullptr;
  size_t written = 0;
  char last[kMessageMax] = {};
};
EalState eal_state;

std::mutex& log_lock() {
  static std::mutex lock;
  return lock;
}

ssize_t write_log(void*, const char* text, size_t length) {
  const std::lock_guard guard(log_lock());
  std::string_view line(text, length);
  while (!line.empty() && line.back() == '\n')
    line.remove_suffix(1);
  if (!line.empty()) {
    const size_t kept = std::min(line.size(), kMessageMax - 1);
    std::copy_n(line.data(), kept, eal_state.last);
    eal_state.last[kept] = 0;
  }
  if (eal_state.file != nullptr && eal_state.written < kLogBytesMax) {
    eal_state.written += std::fwrite(text, 1, length, eal_state.file);
    std::fflush(eal_state.file);
  }
  return static_cast<ssize_t>(length);
}

// libbpf and libxdp speak to stderr unless told otherwise.
int print_library(int level, const char* format, va_list arguments) {
  constexpr int kWarning = 0;  // LIBBPF_WARN and LIBXDP_WARN
  if (level > kWarning) return 0;
  char text[kMessageMax];
  const int length = std::vsnprintf(text, sizeof text, format, arguments);
  write_log(nullptr, text, std::min(static_cast<size_t>(std::max(length, 0)), sizeof text - 1));
  return length;
}

int print_bpf(libbpf_print_level level, const char* format, va_list arguments) {
  return print_library(level, format, arguments);
}
int print_xdp(libxdp_print_level level, const char* format, va_list arguments) {
  return print_library(level, format, arguments);
}

void take_messages(const std::string& run_dir) {
  // Lives as long as the process, as DPDK's own threads may write to it at any time.
  if (!run_dir.empty()) eal_state.file = std::fopen((run_dir + "/dpdk.log").c_str(), "we");
  cookie_io_functions_t functions = {};
  functions.write = write_log;
  FILE* stream = fopencookie(nullptr, "w", functions);
  if (stream != nullptr) {
    std::setvbuf(stream, nullptr, _IOLBF, 0);
    rte_openlog_stream(stream);
  }
  libbpf_set_print(print_bpf);
  libxdp_set_print(print_xdp);
}

// DPDK keeps a folder per instance where this variable points, else below /var/run.
class RuntimeFolder {
 public:
  explicit RuntimeFolder(const std::string& run_dir) {
    const char* before = std::getenv(kVariable);
    if (before != nullptr) before_ = before;
    if (!run_dir.empty()) setenv(kVariable, run_dir.c_str(), 1);
  }
  ~RuntimeFolder() {
    if (before_) {
      setenv(kVariable, before_->c_str(), 1);
    } else {
      unsetenv(kVariable);
    }
  }
  RuntimeFolder(const RuntimeFolder&) = delete;
  RuntimeFolder& operator=(const RuntimeFolder&) = delete;

 private:
  static constexpr const char* kVariable = "RUNTIME_DIRECTORY";
  std::optional<std::string> before_;
};

std::string core_list() {
  std::string text;
  for (const uint32_t core : allowed_cores()) {
    if (!text.empty()) text += ',';
    text += std::to_string(core);
  }
  return text;
}

bool is_iommu_bypassed() {
  std::ifstream parameter("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
  char answer = 'N';
  parameter >> answer;
  return answer == 'Y';
}

}  // namespace

std::vector<uint32_t> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<uint32_t> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (uint32_t core = 0; core < RTE_MAX_LCORE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

uint64_t free_hugepages_mib(const std::string& sys) {
  std::error_code ignored;
  uint64_t kib = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(sys + "/kernel/mm/hugepages", ignored)) {
    const std::string name = entry.path().filename();  // hugepages-2048kB
    constexpr std::string_view kPrefix = "hugepages-";
    if (!name.starts_with(kPrefix)) continue;
    std::ifstream count(entry.path() / "free_hugepages");
    uint64_t pages = 0;
    if (count >> pages) kib += pages * std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10);
  }
  return kib / 1024;
}

Result<std::vector<std::string>> eal_arguments(const EalSettings& settings, uint64_t free_mib) {
  const bool fits = free_mib >= settings.memory_mib;
  if (settings.hugepages == Hugepages::required && !fits) {
    const uint64_t pages = (settings.memory_mib + 1) / 2;
    return Error{
        ErrorCode::exhausted,
        "system.memory: " + std::to_string(settings.memory_mib) +
            " MiB of hugepages are required, " + std::to_string(free_mib) +
            " MiB are free; reserve them with: sysctl -w vm.nr_hugepages=" + std::to_string(pages)};
  }
  const bool huge = settings.hugepages != Hugepages::off && fits;
  // One EAL folder an instance: two of them must not meet in the default one.
  const size_t instance = std::hash<std::string>{}(settings.run_dir);
  std::vector<std::string> arguments = {"postern", "--no-telemetry",
                                        "--file-prefix=postern-" + std::to_string(instance),
                                        "--lcores=0@(" + core_list() + ")"};
  if (huge) {
    arguments.push_back("--in-memory");
  } else {
    arguments.insert(arguments.end(),
                     {"--no-huge", "--no-shconf", "-m", std::to_string(settings.memory_mib)});
  }
  const bool physical = huge && !settings.pci_devices.empty() && is_iommu_bypassed();
  arguments.push_back(physical ? "--iova-mode=pa" : "--iova-mode=va");
  if (settings.pci_devices.empty()) arguments.push_back("--no-pci");
  for (const std::string& device : settings.pci_devices) {
    arguments.insert(arguments.end(), {"-a", device});
  }
  arguments.insert(arguments.end(), settings.extra_args.begin(), settings.extra_args.end());
  return arguments;
}

Result<void> start_eal(const EalSettings& settings) {
  if (eal_state.is_started) return {};
  auto arguments = eal_arguments(settings, free_hugepages_mib());
  if (!arguments) return std::move(arguments).error();
  take_messages(settings.run_dir);

  const RuntimeFolder folder(settings.run_dir);
  std::vector<char*> pointers;
  for (std::string& argument : *arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(arguments->size()), pointers.data()) < 0) {
    return Error{ErrorCode::failed, "DPDK does not start: " + eal_reason(rte_errno)};
  }
  eal_state.is_started = true;
  eal_state.uses_hugepages = rte_eal_has_hugepages() != 0;
  return {};
}

bool eal_uses_hugepages() {
  return eal_state.uses_hugepages;
}

std::string last_eal_message() {
  const std::lock_guard guard(log_lock());
  return eal_state.last;
}

void forget_eal_message() {
  const std::lock_guard guard(log_lock());
  eal_state.last[0] = 0;
}

std::string eal_reason(int error) {
  std::string message = last_eal_message();
  if (message.empty() && error != 0) return rte_strerror(error);
  if (error != 0) message += " (" + std::string(rte_strerror(error)) + ")";
  return message.empty() ? "no reason given" : message;
}

}  // namespace postern
