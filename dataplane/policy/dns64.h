// DNS64 (RFC 6147): one plugin's settings for workers, and the names of its addresses (5.3.1).
//
// Control builds it before the snapshot is published; then it is immutable.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/dns/pref64.h"
#include "dataplane/dns/query.h"
#include "dataplane/dns/translate.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

// A translator's prefix, for some or all IPv4 addresses.
struct Dns64Prefix {
    dns::Pref64 prefix;
    matchers::PrefixSet only;    // empty: all but ...
    matchers::PrefixSet except;  // ... these

    [[nodiscard]] bool takes(const IpAddress& v4) const noexcept {
        return (only.empty() || only.contains(v4)) && !except.contains(v4);
    }
};

struct Dns64 final : dns::Translation {
    std::vector<Dns64Prefix> prefixes;  // the first one that takes an address is used
    matchers::PrefixSet uncounted;      // AAAA that do not count
    bool translate_all = false;         // also names with AAAA records
    bool by_family = false;             // not for clients that use IPv4

    bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept override;
    bool counts(const std::uint8_t* v6) const noexcept override {
        return !uncounted.contains(IpAddress::from_v6(v6));
    }
};

// The addresses that lists hold for a prefix: the client's destination, the translator's
// destination, or both.
struct TranslatedPrefix {
    dns::Pref64 prefix;
    bool as_v6 = false, as_v4 = true;  // at least one of them
};

// RFC 6147 3: a validating client must see the signed records.
[[nodiscard]] inline bool validates(const dns::Query& q) {
    return q.edns.dnssec_ok && (q.flags & dns::kCd) != 0;
}

// The IPv4 address in a name under ip6.arpa, if its IPv6 address has one of these prefixes.
[[nodiscard]] std::optional<IpAddress> behind_pointer(std::span<const Dns64> all,
                                                      std::span<const std::uint8_t> name) noexcept;
// The name of an IPv4 address under in-addr.arpa: lower-cased wire form, written to `room`.
using PointerName = std::array<std::uint8_t, 32>;
[[nodiscard]] std::span<const std::uint8_t> write_pointer(const IpAddress& v4,
                                                          PointerName& room) noexcept;

}  // namespace steer
