// Checks whether a stub resolver finds all of an answer, and puts the records in such an order.
//
// A stub such as glibc's walks once over the answer section. It starts with the question's name and
// follows each CNAME of its present name. It takes the records of the asked type that belong to its
// present name. It misses records that are before their CNAME. So CNAMEs are in the order of the
// chain, before the records at its end. Each DNAME has the CNAME that it implies (RFC 6672 3.1,
// 3.4). A chain has at most kMaxLinks CNAMEs.
//
// All code that makes an answer checks it here before it stores or sends it. This covers upstream
// responses (forward/replies.cpp); redirects, static records, RPZ and DNS64 (policy/response.cpp);
// and dumps (control/cache/dump.cpp). Answers from a cache were checked when they were stored.
//
// Pure, no allocation. Cost: one check of each record's type; with a CNAME or DNAME, also one pass
// over the names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

inline constexpr unsigned kMaxLinks = 16;  // unbound keeps 11, BIND follows 11, PowerDNS 10

enum class Walk : std::uint8_t {
    whole,       // a stub finds all records
    disordered,  // write_in_order() may help
    too_long,    // more than kMaxLinks CNAMEs: a stub gives up
};

// `asked`: the question's name in lower-cased wire form. `qtype` may be 0: then only the chain is
// checked. Questions for CNAME and for all types have no chain.
[[nodiscard]] Walk walk_of(const Answer& answer, std::span<const std::uint8_t> asked,
                           std::uint16_t qtype) noexcept;

// Writes the answer with its chain in order, and with the CNAMEs that its DNAMEs imply, into
// `block` (4-byte aligned). Returns its size; 0 if it does not fit, or no order makes it whole.
std::size_t write_in_order(const Answer& answer, std::span<const std::uint8_t> asked,
                           std::uint16_t qtype, std::span<std::uint8_t> block) noexcept;

}  // namespace steer::dns
