#include "control/host/process/program_filter.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstdint>

#include "control/host/process/call_filter.h"

namespace steer {
namespace {

constexpr std::uint32_t kDenied = SECCOMP_RET_ERRNO | EPERM;

}  // namespace

ProgramFilter filter_program_to_come(ThreadKind kind, bool listens) {
    const CallRules rules = rules_of(kind);
    (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);  // else the kernel refuses a filter
    int error = ENOSYS;
    if (listens) {
        const long listener =
            install_filter(filter_program(rules, kDenied, SECCOMP_RET_USER_NOTIF),
                           SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_LOG);
        if (listener >= 0) return {Descriptor(static_cast<int>(listener)), 0};
        error = errno;
    }
    (void)install_filter(filter_program(rules, kDenied, SECCOMP_RET_ALLOW),
                         SECCOMP_FILTER_FLAG_LOG);
    return {Descriptor(), error};
}

}  // namespace steer
