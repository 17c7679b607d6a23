// DNS64 (RFC 6147): one plugin's settings as workers read them, and the names of its addresses (5.3.1).
//
// Built by control before the snapshot is published, immutable after that.
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

// Of a translator that takes some of the IPv4 addresses, or all.
struct Dns64Prefix {
    dns::Pref64 prefix;
    matchers::PrefixSet only;    // empty: all but ...
    matchers::PrefixSet except;  // ... these

    [[nodiscard]] bool takes(const IpAddress& v4) const noexcept {
        return (only.empty() || only.contains(v4)) && !except.contains(v4);
    }
};

struct Dns64 final : dns::Translation {
    std::vector<Dns64Prefix> prefixes;  // the first that takes an address stands for it
    matchers::PrefixSet uncounted;      // AAAA that are as good as none
    bool translate_all = false;         // names with AAAA as well
    bool by_family = false;             // not for clients that ask over IPv4

    bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept override;
    bool counts(const std::uint8_t* v6) const noexcept override {
        return !uncounted.contains(IpAddress::from_v6(v6));
    }
};

// What the addresses below a prefix are to lists: what a client connects to, and what leaves the translator for it.
struct TranslatedPrefix {
    dns::Pref64 prefix;
    bool as_v6 = false, as_v4 = true;  // one of them at least
};

// RFC 6147 3: who validates must see what was signed.
[[nodiscard]] inline bool validates(const dns::Query& q) {
    return q.edns.dnssec_ok && (q.flags & dns::kCd) != 0;
}

// The IPv4 address that the name of an IPv6 one, under ip6.arpa, has behind a prefix of any of these.
[[nodiscard]] std::optional<IpAddress> behind_pointer(std::span<const Dns64> all,
                                                      std::span<const std::uint8_t> name) noexcept;
// The name of an IPv4 address, under in-addr.arpa: lower-cased wire form in `room`.
using PointerName = std::array<std::uint8_t, 32>;
[[nodiscard]] std::span<const std::uint8_t> write_pointer(const IpAddress& v4,
                                                          PointerName& room) noexcept;

}  // namespace steer
