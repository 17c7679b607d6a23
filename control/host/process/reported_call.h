// A system call that a filter reports to a listener (SECCOMP_RET_USER_NOTIF), and its answer. No
// heap, no lock: the caller whose call waits may have any lock of this process.
#pragma once

#include <linux/seccomp.h>

#include <array>
#include <cstddef>

namespace steer {

// Whether this kernel's messages have room here.
bool can_report_calls();

class ReportedCall {
  public:
    // Waits for the next one of this listener. False: its caller has ended, or see errno.
    bool receive(int listener);
    [[nodiscard]] int number() const { return request().data.nr; }
    // The kernel does it. False: the kernel cannot (before Linux 5.5), or see errno.
    bool let_pass(int listener);
    // It fails with `error`.
    bool refuse(int listener, int error);

  private:
    static constexpr std::size_t kRequestRoom = 1024, kReplyRoom = 256;  // messages of the kernel
    friend bool can_report_calls();

    [[nodiscard]] const seccomp_notif& request() const {
        return *reinterpret_cast<const seccomp_notif*>(request_.data());
    }
    bool answer(int listener, unsigned flags, int error);

    alignas(std::max_align_t) std::array<std::byte, kRequestRoom> request_{};
    alignas(std::max_align_t) std::array<std::byte, kReplyRoom> reply_{};
};

}  // namespace steer
