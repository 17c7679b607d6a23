// Hosts that offer a listed service, from SRV records. Their addresses are repeated with the
// service. (RFC 6763 12.2 puts them in the same packet. RFC 6762 also lets clients query them
// separately, and again while they use them.)
//
// Bounded: kMax names; a further one is ignored until another has expired.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace steer::mdns {

class ServiceHosts {
  public:
    static constexpr std::size_t kMax = 4096;
    // A host's records are repeated while its SRV is known, usually for two minutes (RFC 6762 10).
    static constexpr std::uint32_t kMinSeconds = 120, kMaxSeconds = 4500;

    // Returns false if the table is full.
    bool learn(const std::string& host, std::uint32_t ttl_s, std::uint64_t now_ms);
    [[nodiscard]] bool knows(const std::string& host, std::uint64_t now_ms) const;
    [[nodiscard]] std::size_t size() const { return ends_ms_.size(); }

  private:
    std::unordered_map<std::string, std::uint64_t> ends_ms_;
};

}  // namespace steer::mdns
