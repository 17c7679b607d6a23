// Addresses in SVCB and HTTPS records (ipv4hint, ipv6hint: RFC 9460 7.3). Clients connect to them
// as to addresses in A and AAAA records, often before they query those.
//
// A malformed record (RFC 9460 2.2) has no hints. A record in AliasMode has none either, because
// its parameters are ignored (2.4.2). An answer stores only has_hints and has_additional; addresses
// are read again when needed. Reads only the given spans. Cost: one walk over a record's
// parameters.
//
// Also walks over the addresses of an answer. Claims, holds and learned addresses use
// any_address(). Rules about the answer itself (rpz-ip, resp_ip) use any_answer_address(). An
// answer without records behind its answer section pays nothing for them.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

enum SvcParamKey : std::uint16_t {
    kMandatory = 0,
    kIpv4Hint = 4,
    kIpv6Hint = 6
};                                               // RFC 9460 14.3.2
inline constexpr std::size_t kSvcParamHead = 4;  // key and length

struct Hints {
    std::span<const std::uint8_t> v4, v6;  // 4 and 16 bytes each

    [[nodiscard]] bool any() const noexcept { return !v4.empty() || !v6.empty(); }
};

// The hints in the RDATA of an SVCB or HTTPS record, whose names are never compressed.
[[nodiscard]] Hints hints_of(std::span<const std::uint8_t> rdata) noexcept;
// The hints of a record, counted from 0 over all sections; empty for another type or class.
[[nodiscard]] Hints hints_of_record(const Answer& answer, unsigned record) noexcept;
// As hints_of_record(), and also the address of an A or AAAA record.
[[nodiscard]] Hints addresses_of_record(const Answer& answer, unsigned record) noexcept;

// Whether test(bytes, is_v6) is true for one of these addresses; `bytes` has 4 or 16. Stops at the
// first match.
template <class Test>
bool any_of(const Hints& addresses, Test&& test) {
    for (std::size_t at = 0; at < addresses.v4.size(); at += 4) {
        if (test(&addresses.v4[at], false)) return true;
    }
    for (std::size_t at = 0; at < addresses.v6.size(); at += 16) {
        if (test(&addresses.v6[at], true)) return true;
    }
    return false;
}

// Addresses of the answer section: first those in A and AAAA records, then hints.
template <class Test>
bool any_answer_address(const Answer& answer, Test&& test) {
    const AddressRef* const refs = answer.addresses();
    for (unsigned i = 0; i < answer.address_count; ++i) {
        if (test(answer.body() + refs[i].rdata_offset, refs[i].is_v6 != 0)) return true;
    }
    for (unsigned r = 0; answer.has_hints && r < answer.ancount; ++r) {
        if (any_of(hints_of_record(answer, r), test)) return true;
    }
    return false;
}

// Addresses behind the answer section: of the hosts in SRV, MX, NS, SVCB and HTTPS records.
template <class Test>
bool any_additional_address(const Answer& answer, Test&& test) {
    for (unsigned r = answer.ancount; answer.has_additional && r < answer.ttl_count; ++r) {
        if (any_of(addresses_of_record(answer, r), test)) return true;
    }
    return false;
}

// All addresses that a client may connect to because of this answer.
template <class Test>
bool any_address(const Answer& answer, Test&& test) {
    return any_answer_address(answer, test) || any_additional_address(answer, test);
}

}  // namespace steer::dns
