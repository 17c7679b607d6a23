// Hosts that offer a listed service, by what SRV records said: their addresses go with the service (RFC 6763 12.2 has them in
// the same packet; RFC 6762 lets clients ask for them alone, and again while they use them).
//
// Bounded: kMost names; one more is not remembered until another has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace steer::mdns {

class ServiceHosts {
  public:
    static constexpr std::size_t kMost = 4096;
    // A host's records are asked for again while its SRV is known, which is two minutes as a rule (RFC 6762 10).
    static constexpr std::uint32_t kLeastSeconds = 120, kMostSeconds = 4500;

    // False: there is no room.
    bool learn(const std::string& host, std::uint32_t ttl_s, std::uint64_t now_ms);
    [[nodiscard]] bool knows(const std::string& host, std::uint64_t now_ms) const;
    [[nodiscard]] std::size_t size() const { return ends_ms_.size(); }

  private:
    std::unordered_map<std::string, std::uint64_t> ends_ms_;
};

}  // namespace steer::mdns
