// One end of a SOCK_SEQPACKET pair between the daemon and a process that it starts: each message is
// sent and read as a unit, descriptors beside it (SCM_RIGHTS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/port/descriptor.h"

namespace steer {

class SequencedSocket {
  public:
    enum class End : std::uint8_t {
        done,
        full,    // now, or empty: only without waiting
        closed,  // the other end is closed
        broken   // another failure, or a message that is longer than `max_bytes`
    };
    static constexpr std::size_t kMaxDescriptors = 64;  // beside one message

    SequencedSocket() = default;
    // `max_bytes`: of a message.
    SequencedSocket(Descriptor fd, std::size_t max_bytes);

    // Two ends, close-on-exec. Each has buffer space for several of the longest messages, even if
    // the kernel's default is small. {-1, -1}: errno has the reason.
    static std::pair<Descriptor, Descriptor> pair(std::size_t max_bytes);

    [[nodiscard]] int fd() const { return fd_.get(); }
    // `descriptors` stay open here; the receiver gets copies.
    End send(std::string_view message, bool waits, std::span<const int> descriptors = {}) const;
    // `message` is valid until the next call. Descriptors beside it are close-on-exec, and are
    // closed if `descriptors` is nullptr.
    End receive(std::string_view& message, bool waits,
                std::vector<Descriptor>* descriptors = nullptr);

  private:
    Descriptor fd_;
    std::string buffer_;
};

}  // namespace steer
