// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/ingress_guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace postern {
namespace {

constexpr uint32_t kHandle = 0x706f7374;  // ours, so that another program's filters stay alone
constexpr uint32_t kPriority = 1;

bpf_tc_hook hook_of(int device_index) {
  bpf_tc_hook hook = {};
  hook.sz = sizeof hook;
  hook.ifindex = device_index;
  hook.attach_point = BPF_TC_INGRESS;
  return hook;
}

int load_dropper() {
  bpf_insn program[2] = {};
  program[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = TC_ACT_SHOT
  program[0].dst_reg = BPF_REG_0;
  program[0].imm = TC_ACT_SHOT;
  program[1].code = BPF_JMP | BPF_EXIT;
  return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "postern_guard", "BSD", program, 2, nullptr);
}

Error refused(const char* what, int error) {
  return Error{error == -EPERM ? ErrorCode::denied : ErrorCode::failed,
               std::string("the kernel cannot be kept off the interface: ") + what + ": " +
                   std::strerror(-error)};
}

}  // namespace

Result<void> attach_ingress_guard(int device_index, bool& made_hook) {
  bpf_tc_hook hook = hook_of(device_index);
  const int made = bpf_tc_hook_create(&hook);
  if (made != 0 && made != -EEXIST) return refused("clsact hook", made);
  made_hook = made == 0;
  const int program = load_dropper();
  if (program < 0) {
    if (made_hook) detach_ingress_guard(device_index, true);
    return refused("BPF program", program);
  }
  bpf_tc_opts options = {};
  options.sz = sizeof options;
  options.prog_fd = program;
  options.handle = kHandle;
  options.priority = kPriority;
  options.flags = BPF_TC_F_REPLACE;
  const int attached = bpf_tc_attach(&hook, &options);
  close(program);
  if (attached == 0) return {};
  if (made_hook) detach_ingress_guard(device_index, true);
  return refused("BPF filter", attached);
}

void detach_ingress_guard(int device_index, bool made_hook) {
  bpf_tc_hook hook = hook_of(device_index);
  bpf_tc_opts options = {};
  options.sz = sizeof options;
  options.handle = kHandle;
  options.priority = kPriority;
  bpf_tc_detach(&hook, &options);
  if (!made_hook) return;
  // Only as a whole the hook goes away with the clsact queue that was made for it.
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  bpf_tc_hook_destroy(&hook);
}

}  // namespace postern
