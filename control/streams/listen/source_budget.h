// Limits datagrams per source over kernel sockets beside a port. Only fragments, packets with IP
// options and those of local programs arrive there: 200 per second, 400 at once, for each IPv4
// address or IPv6 /64.
//
// Token buckets in a table of fixed size, indexed by a keyed hash; sources in the same bucket
// share it.
#pragma once

#include <cstdint>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

class SourceBudget {
  public:
    static constexpr std::uint32_t kPerSecond = 200;
    static constexpr std::uint32_t kBurst = 400;

    explicit SourceBudget(std::uint64_t secret);
    // Takes one token. Returns false if none is left.
    bool take(const IpAddress& source, std::uint64_t now_ms);

  private:
    struct Bucket {
        std::uint64_t filled_ms = 0;
        std::uint32_t thousandths = kBurst * 1000;  // of a token
    };
    std::uint64_t secret_;
    std::vector<Bucket> buckets_;
};

}  // namespace steer::stream
