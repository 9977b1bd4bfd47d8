// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/spf/confinement.h"

#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POSTERN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POSTERN_SANITIZED 1
#endif
#endif

namespace postern::mail {
namespace {

#ifdef POSTERN_SANITIZED
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

constexpr unsigned kNobody = 65534;

void limit(__rlimit_resource resource, uint64_t most) {
  const rlimit both = {most, most};
  setrlimit(resource, &both);
}

void limit_all() {
  if (!kIsSanitized) limit(RLIMIT_AS, kSpfMemoryMax);
  limit(RLIMIT_CPU, kSpfCpuMaxS);
  limit(RLIMIT_NOFILE, kSpfDescriptorsMax);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NPROC, 0);
}

// Whether it may or not: without capabilities root is who owns root's files, which the list of
// system calls keeps closed.
void leave_root() {
  if (geteuid() == 0 && setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0)
    static_cast<void>(setresuid(kNobody, kNobody, kNobody) == 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none = {};
  syscall(SYS_capset, &header, none.data());
  prctl(PR_SET_DUMPABLE, 0);
}

#if defined(__x86_64__)
// What a resolver needs whose files are open, malloc(), and to write the answer.
constexpr auto kCalls = std::to_array<unsigned>(
    {SYS_read,         SYS_write,           SYS_readv,        SYS_writev,    SYS_close,
     SYS_newfstatat,   SYS_fstat,           SYS_poll,         SYS_ppoll,     SYS_mmap,
     SYS_munmap,       SYS_mremap,          SYS_mprotect,     SYS_brk,       SYS_madvise,
     SYS_rt_sigaction, SYS_rt_sigprocmask,  SYS_rt_sigreturn, SYS_ioctl,     SYS_connect,
     SYS_sendto,       SYS_sendmsg,         SYS_sendmmsg,     SYS_recvfrom,  SYS_recvmsg,
     SYS_setsockopt,   SYS_getsockopt,      SYS_fcntl,        SYS_futex,     SYS_getpid,
     SYS_gettid,       SYS_clock_gettime,   SYS_gettimeofday, SYS_time,      SYS_getrandom,
     SYS_uname,        SYS_restart_syscall, SYS_exit,         SYS_exit_group});

void admit_calls() {
  constexpr uint8_t kHere = 0, kNext = 1;  // instructions that a jump leaves out
  constexpr sock_filter kAllow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  constexpr sock_filter kRefuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  std::vector<sock_filter> code = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, kNext, kHere), kRefuse,
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const unsigned call : kCalls) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, kHere, kNext));
    code.push_back(kAllow);
  }
  // Sockets of the internet alone; the first argument, its lower half.
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, kNext, kHere));
  code.push_back(kRefuse);
  code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)));
  for (const unsigned family : {AF_INET, AF_INET6}) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, family, kHere, kNext));
    code.push_back(kAllow);
  }
  code.push_back(kRefuse);
  const sock_fprog program = {static_cast<unsigned short>(code.size()), code.data()};
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
void admit_calls() {}
#endif

}  // namespace

void confine() {
  alarm(kSpfLifeMaxS);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  leave_root();
  limit_all();
  if (!kIsSanitized) admit_calls();
}

}  // namespace postern::mail
