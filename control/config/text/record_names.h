// Which name a DNS record gives an address: A and AAAA by their owner, PTR by its target. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "matchers/prefix/ip_address.h"

namespace steer::config {

struct RecordName {
    IpAddress address;
    std::string name;     // presentation form, without the last dot
    bool is_ptr = false;  // of a PTR record
};

// No value: another type, a wildcard, an owner of a PTR that is not the name of one address, or
// an address that no client has. `owner` and names in `rdata`: uncompressed wire form.
std::optional<RecordName> name_in_record(std::span<const std::uint8_t> owner, std::uint16_t type,
                                         std::span<const std::uint8_t> rdata);

// Whether a host of a network may have it: it is not a loopback, multicast or unspecified one.
bool is_a_client(const IpAddress& address);

}  // namespace steer::config
