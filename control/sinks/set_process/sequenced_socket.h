// One end of a SOCK_SEQPACKET pair: each message is sent and read as a unit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "dataplane/port/descriptor.h"

namespace steer::sets {

class SequencedSocket {
  public:
    enum class End : std::uint8_t {
        done,
        full,    // now, or empty: only without waiting
        closed,  // the other end is closed
        broken   // another failure, or a message that is longer than kMaxMessage
    };

    SequencedSocket() = default;
    explicit SequencedSocket(Descriptor fd);

    // Two ends, close-on-exec. Each has buffer space for several of the longest messages, even if
    // the kernel's default is small. {-1, -1}: errno has the reason.
    static std::pair<Descriptor, Descriptor> pair();

    [[nodiscard]] int fd() const { return fd_.get(); }
    End send(std::string_view message, bool waits) const;
    // Valid until the next call.
    End receive(std::string_view& message, bool waits);

  private:
    Descriptor fd_;
    std::string buffer_;
};

}  // namespace steer::sets
