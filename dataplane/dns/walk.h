// Whether a stub resolver finds the end of an answer, and the order in which it does.
//
// A stub such as glibc's walks once over the answer section. It starts with the question's name, follows a CNAME of the
// present name, and takes the records of the asked type of the present name. It misses what comes too early. So
// CNAMEs come in the order of their chain, before the records at its end, and a DNAME has the CNAME that it stands for
// (RFC 6672 3.1, 3.4). A chain has at most kMaxLinks CNAMEs.
//
// Every maker of answers checks its result here, before it is stored or sent: upstreams' responses (forward/replies.cpp),
// redirects, static records, RPZ and DNS64 (policy/response.cpp), and dumps (control/cache/dump.cpp). Answers from a cache
// were checked when they were stored.
//
// Pure, no allocation. Cost: without a CNAME or DNAME a look at the type of each record; else one pass over the names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/dns/answer.h"

namespace steer::dns {

inline constexpr unsigned kMaxLinks = 16;  // unbound keeps 11, BIND follows 11, PowerDNS 10

enum class Walk : std::uint8_t {
    whole,       // a stub finds all of it
    disordered,  // write_in_order() may help
    too_long,    // more than kMaxLinks CNAMEs: no stub gets it
};

// `asked`: the question's name in lower-cased wire form. `qtype` may be 0: then only the chain counts. Questions for CNAME
// and for all types have no chain.
[[nodiscard]] Walk walk_of(const Answer& answer, std::span<const std::uint8_t> asked,
                           std::uint16_t qtype) noexcept;

// Writes the answer with its chain in order, and with the CNAMEs that its DNAMEs stand for, into `block` (4-byte aligned).
// Returns its size; 0: it does not fit, or no order makes it whole.
std::size_t write_in_order(const Answer& answer, std::span<const std::uint8_t> asked,
                           std::uint16_t qtype, std::span<std::uint8_t> block) noexcept;

}  // namespace steer::dns
