// Addresses in SVCB and HTTPS records (ipv4hint, ipv6hint: RFC 9460 7.3). A client connects to them as to A and
// AAAA, often before it has asked for those.
//
// A malformed record (RFC 9460 2.2) has no hints, nor has one in AliasMode, whose parameters are ignored (2.4.2).
// Only Answer::has_hints is stored; hints are read again when needed. Reads nothing outside
// the given spans. Cost: one walk over the parameters of a record.
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
// The hints of a record of the answer section, counted from 0; none for another type or class.
[[nodiscard]] Hints hints_of_record(const Answer& answer, unsigned record) noexcept;

// Whether test(bytes, is_v6) holds for an address that a client may connect to after this answer: first those of A and
// AAAA, then hints; `bytes` are 4 or 16. Stops at the first match.
template <class Test>
bool any_address(const Answer& answer, Test&& test) {
    const AddressRef* const refs = answer.addresses();
    for (unsigned i = 0; i < answer.address_count; ++i) {
        if (test(answer.body() + refs[i].rdata_offset, refs[i].is_v6 != 0)) return true;
    }
    for (unsigned r = 0; answer.has_hints && r < answer.ancount; ++r) {
        const Hints hints = hints_of_record(answer, r);
        for (std::size_t at = 0; at < hints.v4.size(); at += 4) {
            if (test(&hints.v4[at], false)) return true;
        }
        for (std::size_t at = 0; at < hints.v6.size(); at += 16) {
            if (test(&hints.v6[at], true)) return true;
        }
    }
    return false;
}

}  // namespace steer::dns
