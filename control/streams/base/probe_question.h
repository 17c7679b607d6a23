// Our own query that checks whether an upstream answers (health/upstream_probes.h).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

// `upstream`: Upstream::id. `address` and `port`: for an upstream without a channel. `query`: gets
// a random id. An upstream with a channel is queried only through it, so that no probe bypasses a
// proxy, a mark or encryption.
struct ProbeQuestion {
    std::uint16_t upstream = 0;
    bool has_channel = false;
    IpAddress address;
    std::uint16_t port = 0;
    std::vector<std::uint8_t> query;
};
// Called with any reply; never without one. `refuses_edns`: FORMERR or NOTIMP without an OPT, to a
// query with an OPT (RFC 6891 7).
using ProbeReplied = std::function<void(bool refuses_edns)>;

}  // namespace steer::stream
