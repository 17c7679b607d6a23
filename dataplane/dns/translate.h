// What DNS64 makes of answers (RFC 6147 5.1.7, 5.3): A records become AAAA, AAAA that do not count are left out, and the
// IPv4 hints of SVCB and HTTPS records get IPv6 ones beside them (RFC 9460 7.3). And what policy takes out of answers to
// SVCB and HTTPS: the hints of a family, so that clients ask for its addresses.
//
// CNAME and DNAME chains, authority and additional records stay. Signatures of a record set that was changed are left out,
// and AD is clear: the answer is our own word. Pure, no allocation; cost as of answer_writer.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

// Which addresses become which: one dns64's settings. Addresses in network order, 4 and 16 bytes.
class Translation {
  public:
    // The IPv6 address that stands for an IPv4 one; false: none does.
    virtual bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept = 0;
    // Whether an AAAA record counts.
    virtual bool counts(const std::uint8_t* v6) const noexcept = 0;

  protected:
    ~Translation() = default;
};

enum class Translate : std::uint8_t {
    addresses,     // of an answer to A, that to AAAA
    counted_only,  // of an answer to AAAA, that without those that do not count
    hints,         // of an answer to SVCB or HTTPS: ipv6hint where there is none
    all_hints,     // ... and in place of what is there
    // Of an answer to SVCB or HTTPS: that without ipv4hint and additional A records, without ipv6hint and additional AAAA.
    // A key that `mandatory` names goes from there as well, so that the record stays valid (RFC 9460 8).
    without_v4,
    without_v6,
};

struct TranslateTerms {
    Translate what = Translate::addresses;
    std::span<const std::uint8_t> asked;    // the name that it is about: lower-cased wire form
    std::uint32_t age_s = 0;                // TTLs are lowered by that, not below 0
    std::uint32_t most_ttl_s = UINT32_MAX;  // of the addresses that are made
};

// Whether any address of the answer section, an A record or (of AAAA) one that counts, would be in the new answer.
[[nodiscard]] bool any_translated(const Answer& answer, Translate what,
                                  const Translation& translation) noexcept;
// Whether anything but `addresses` would change anything.
[[nodiscard]] bool would_change(const Answer& answer, Translate what,
                                const Translation& translation) noexcept;

// Writes the new answer into `block` (4-byte aligned) and returns its size; 0: it has no room there, or is longer than a
// message may be.
std::size_t write_translated(const Answer& answer, const TranslateTerms& terms,
                             const Translation& translation,
                             std::span<std::uint8_t> block) noexcept;

// For without_v4 and without_v6, which translate nothing.
const Translation& no_translation() noexcept;

}  // namespace steer::dns
