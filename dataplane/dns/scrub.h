// Which records of an upstream's response belong to its question (RFC 2181 5.4.1, RFC 5452 4.4).
//
// An upstream relays what some name server said, and a forged or hostile response may hold records of
// any name. Kept are:
// - answer section: the CNAMEs and DNAMEs that lead from the question's name to the last name, and the
//   records of the type asked for that the last name owns; with their RRSIGs. A CNAME chain may be in any
//   order and has at most 16 links. For the types ANY, MAILB and MAILA: all that a name of the chain owns.
//   With NXDOMAIN or YXDOMAIN the chain alone.
// - authority section: SOA, NS and DS of a name of the chain or above one, NSEC and NSEC3, with their
//   RRSIGs. In a negative answer with a SOA no NS: nobody needs it, and fragments forge it.
// - additional section: records of names that the data of a kept NS, MX, SRV, SVCB, HTTPS or the like
//   holds; no CNAME, DNAME, NS or SOA.
// - with any other rcode (SERVFAIL, REFUSED ...): none.
// Records of another class than the question's are never kept.
//
// Pure, no allocation. Cost: nothing but one look at each record if all of them are of the type asked for
// and name the question by a pointer; else one pass with the names expanded. Bounded: 64 aliases, 64
// targets and 64 additional records are looked at.
#pragma once

#include <cstdint>
#include <span>

namespace steer::dns {

enum Section : std::uint8_t { kAnswerSection, kAuthoritySection, kAdditionalSection, kSections };

// A record of a response whose names and lengths are checked; offsets in bytes from its start.
struct RecordPlace {
    std::uint16_t start, fixed, end;
    std::uint16_t type, klass;
    Section section;
    bool keep;
};

struct ScrubTerms {
    std::uint16_t qtype, qclass;
    std::uint8_t rcode;  // with the extended bits, as plain_rcode() has it
};

// Sets `keep` of each. `records`: all of `message` but its OPT, in their order; the question's name lies
// behind the header, whole. Returns how many are not kept.
std::uint16_t scrub(std::span<const std::uint8_t> message, const ScrubTerms& terms,
                    std::span<RecordPlace> records) noexcept;

}  // namespace steer::dns
