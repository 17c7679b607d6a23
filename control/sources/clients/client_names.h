// Which name a client has. Pure.
//
// Several sources know names: a person, a DHCP lease, a record of the configuration, a PTR record,
// an announcement of mDNS. The addresses of one MAC address are one device, and share the name of
// the best source. A name that a person gave
// to an address wins for that address, one that was given to a MAC address for all of its addresses.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::clients {

// The better source first.
// record: an address of a `static`, `hosts` or `zone` plugin; ptr: a PTR record of one.
enum class NameSource : std::uint8_t { given, lease, record, ptr, mdns, none };
std::string_view word_of(NameSource source);
// Whether the device itself says its name, so that nothing may trust it.
bool is_chosen_by_device(NameSource source);

// What a source says about an address.
struct KnownClient {
    IpAddress address;
    std::string mac;   // lower case; empty: unknown
    std::string name;  // as the source has it; empty: none
    NameSource source = NameSource::none;
    std::string from;  // the router or the plugin
};

// A name that a person gave. The key is a MAC address or an address (key_of()).
struct GivenName {
    std::string name;
    std::int64_t at_s = 0;  // Unix time
    std::string who;        // Caller::name
    bool operator==(const GivenName&) const = default;
};
using GivenNames = std::map<std::string, GivenName>;

struct ClientRow {
    std::optional<IpAddress> address;  // none: only its MAC address is known
    std::string mac, name;
    NameSource source = NameSource::none;
    std::string from;       // the router, the plugin, or who gave the name
    std::int64_t at_s = 0;  // when the name was given
    // Its name in the configuration, where `name` is one that the device chose or that was given.
    std::string configured = {};
    bool is_only_given = false;  // no source knows it
};

// One row for each address, IPv4 first, then for given names without an address. Texts of sources
// that are not safe to print are omitted.
std::vector<ClientRow> merge(std::span<const KnownClient> known, const GivenNames& given);

// Whether the device made up the MAC address (locally administered, IEEE 802). Such an address can
// change at any time.
bool is_private_mac(std::string_view mac);

// "00:1D:aa-bb.." as "00:1d:aa:bb:..", or an address in its shortest form.
Result<std::string> key_of(std::string_view client);
// An address, a prefix or a MAC address in its usual form: "192.0.2.7", "192.0.2.0/24",
// "02:00:00:00:00:01".
Result<std::string> member_of(std::string_view written);
// Error: a name is empty, too long, or not text that can be printed.
Result<std::string> checked_name(std::string_view name);

}  // namespace steer::clients
