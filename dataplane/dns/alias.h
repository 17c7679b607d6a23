// Turns the answer to a question into the answer to its alias: first `alias CNAME asked`, then all
// records of the answer. Their names are compressed again (RFC 1034 3.6.2).
//
// Pure, no allocation. Cost: one pass over the body, at most 64 comparisons a label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

struct AliasTerms {
    std::span<const std::uint8_t>
        asked;  // the name in the answer's question; both in lower-cased wire form
    std::span<const std::uint8_t> alias;
    std::uint16_t qtype = kA;
    bool with_cname = true;  // false: only compresses the names again
    std::uint32_t cname_ttl_s = 1;
    std::uint32_t age_s = 0;  // of `answer`; lowers its TTLs, not below 0
};

// Writes the new answer into `block` (4-byte aligned) and returns its size. Returns 0 if it does
// not fit, or would be longer than a message may be.
std::size_t write_alias_answer(const Answer& answer, const AliasTerms& terms,
                               std::span<std::uint8_t> block) noexcept;

}  // namespace steer::dns
