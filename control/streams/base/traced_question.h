// A query that control sends to a worker as a client would (steerctl explain).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dataplane/base/message.h"
#include "matchers/prefix/ip_address.h"

namespace steer::stream {

struct TracedQuestion {
    std::vector<std::uint8_t> message;
    IpAddress client, local;
    std::uint16_t client_port = 0, local_port = 53;
    ClientTransport transport = ClientTransport::udp;
    std::uint64_t trace_id = 0;
};
// Gets the response; empty: there is none.
using TracedAnswer = std::function<void(std::vector<std::uint8_t>)>;

}  // namespace steer::stream
