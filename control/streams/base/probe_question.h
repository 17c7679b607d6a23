// Our own query that checks whether an upstream answers (health/upstream_probes.h).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

// `upstream`: Upstream::id. `address` and `port`: for an upstream without a channel. `query`: gets
// a random id, and with `random_case` its name a random case. An upstream with a channel is queried
// only through it, so that no probe bypasses a proxy, a mark or encryption.
struct ProbeQuestion {
    std::uint16_t upstream = 0;
    bool has_channel = false;
    bool random_case = false;
    IpAddress address;
    std::uint16_t port = 0;
    std::vector<std::uint8_t> query;
};

// The name's case in a reply. `unknown`: the query had no random case, or the reply has no name.
enum class ReplyCase : std::uint8_t { unknown, kept, changed };

struct ProbeReply {
    // FORMERR or NOTIMP without an OPT, to a query with one (RFC 6891 7).
    bool refuses_edns = false;
    ReplyCase name_case = ReplyCase::unknown;
};
// Called with any reply; never without one.
using ProbeReplied = std::function<void(const ProbeReply& reply)>;

}  // namespace steer::stream
