// The program of a filter of system calls, in classic BPF (seccomp(2)).
//
// Arguments are compared where a call alone says too little: families of sockets, flags of open(),
// executable memory, threads against processes, operations of bpf() and prctl(). Since Linux 5.11 a
// call that is allowed whatever its arguments costs nothing measurable; earlier the kernel runs the
// program for each call, in which frequent calls come first.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "control/host/process/thread_kind.h"

namespace steer {

// `denied`: the value of SECCOMP_RET_... for what the rules do not allow. clone3(), whose arguments
// no filter can read, and calls that these headers do not know fail with ENOSYS: libraries then use
// the older call.
std::vector<sock_filter> filter_program(const CallRules& rules, std::uint32_t denied);

}  // namespace steer
