// DNS64's changes to answers (RFC 6147 5.1.7, 5.3). A records become AAAA records, and AAAA records
// that do not count are removed. IPv4 hints of SVCB and HTTPS records get matching IPv6 hints (RFC
// 9460 7.3). Also removes one family's hints from SVCB and HTTPS records, so that clients query its
// addresses.
//
// CNAME and DNAME chains, authority and additional records stay. Signatures of changed record sets
// are removed. AD is cleared, because we changed the answer. Pure, no allocation; cost as in
// answer_writer.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

// The address mapping of one dns64. Addresses have 4 or 16 bytes, in network order.
class Translation {
  public:
    // Writes the IPv6 address for an IPv4 address. Returns false if there is none.
    virtual bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept = 0;
    // Whether an AAAA record counts.
    virtual bool counts(const std::uint8_t* v6) const noexcept = 0;

  protected:
    ~Translation() = default;
};

enum class Translate : std::uint8_t {
    addresses,     // turns an A answer into an AAAA answer
    counted_only,  // removes AAAA that do not count
    hints,         // SVCB and HTTPS: adds ipv6hint if there is none
    all_hints,     // ... and replaces an existing one
    // SVCB and HTTPS: removes ipv4hint and additional A records, or ipv6hint and additional AAAA
    // records. Also removes the key from `mandatory`, so that the record stays valid (RFC 9460 8).
    without_v4,
    without_v6,
};

struct TranslateTerms {
    Translate what = Translate::addresses;
    std::span<const std::uint8_t> asked;    // the answer's name: lower-cased wire form
    std::uint32_t age_s = 0;                // lowers the TTLs, not below 0
    std::uint32_t most_ttl_s = UINT32_MAX;  // for the new addresses
};

// Whether the new answer would have an address: from an A record, or from an AAAA that counts.
[[nodiscard]] bool any_translated(const Answer& answer, Translate what,
                                  const Translation& translation) noexcept;
// Whether a change other than `addresses` would have an effect.
[[nodiscard]] bool would_change(const Answer& answer, Translate what,
                                const Translation& translation) noexcept;

// Writes the new answer into `block` (4-byte aligned) and returns its size. Returns 0 if it does
// not fit, or would be longer than a message may be.
std::size_t write_translated(const Answer& answer, const TranslateTerms& terms,
                             const Translation& translation,
                             std::span<std::uint8_t> block) noexcept;

// For without_v4 and without_v6, which do not translate addresses.
const Translation& no_translation() noexcept;

}  // namespace steer::dns
