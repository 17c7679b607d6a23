// The kind of an mDNS name (RFC 6763 4, 7, 9), and services in configurations: `_ipp._tcp`.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace steer::mdns {

// "\x04_ipp\x04_tcp": the two labels of a service type in lower case, in wire form.
using Service = std::string;

// Parses "_ipp._tcp" or "_airplay._TCP.local.". No value: not a service type (RFC 6335 5.1 and 6763
// 7, but names above 15 letters are in use).
std::optional<Service> parse_service(std::string_view text);

enum class NameKind : std::uint8_t {
    service,      // a service type, its subtypes, an instance: `Name._ipp._tcp.local`
    enumeration,  // the list of service types: `_services._dns-sd._udp.local`
    reverse,      // of an address
    host,         // any other
};

struct NameMeaning {
    NameKind kind = NameKind::host;
    std::string_view service;  // of `service`: part of the key
};

// `key`: a name in lower case (message.h).
NameMeaning meaning_of(std::string_view key);

// The services that are repeated; empty: all.
class Services {
  public:
    Services() = default;
    explicit Services(std::set<Service, std::less<>> listed) : listed_(std::move(listed)) {}
    [[nodiscard]] bool all() const { return listed_.empty(); }
    bool operator==(const Services&) const = default;
    [[nodiscard]] bool has(std::string_view service) const { return listed_.contains(service); }

  private:
    std::set<Service, std::less<>> listed_;
};

}  // namespace steer::mdns
