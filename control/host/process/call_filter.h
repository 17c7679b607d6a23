// The program of a filter of system calls, in classic BPF (seccomp(2)).
//
// Arguments are compared where a call alone says too little: families of sockets, flags of open(),
// executable memory, threads against processes, operations of bpf() and prctl(). Since Linux 5.11 a
// call that is allowed whatever its arguments costs nothing measurable; earlier the kernel runs the
// program for each call, in which frequent calls come first.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <vector>

#include "control/host/process/thread_kind.h"

namespace steer {

// `denied`: the value of SECCOMP_RET_... for what the rules do not allow; `executes`: for execve()
// and execveat() of rules that execute once. clone3(), whose arguments no filter can read, and
// calls that these headers do not know fail with ENOSYS: libraries then use the older call.
std::vector<sock_filter> filter_program(const CallRules& rules, std::uint32_t denied,
                                        std::uint32_t executes = SECCOMP_RET_USER_NOTIF);

// For the calling thread, and what it starts. `flags`: of seccomp(2). A descriptor of the listener,
// or 0; negative: see errno. In a signal handler, too.
long install_filter(const std::vector<sock_filter>& program, unsigned flags);

}  // namespace steer
