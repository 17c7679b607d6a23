// Selects the records of an upstream's response that belong to its question (RFC 2181 5.4.1, RFC
// 5452 4.4).
//
// An upstream relays data of other servers. A forged or hostile response may have records of any
// name. Kept are:
// - answer section: the CNAMEs and DNAMEs that lead from the question's name to the last name, and
//   the last name's records of the asked type; with their RRSIGs. A CNAME chain may be in any
//   order. 17 links of it are kept, one more than walk.h allows. For the types ANY, MAILB and
//   MAILA: all records of the chain's names. With NXDOMAIN or YXDOMAIN: only the chain.
// - authority section: SOA, NS and DS of a name in the chain or above one, NSEC and NSEC3, with
//   their RRSIGs. A negative answer with a SOA loses its NS: clients do not need it, and fragments
//   can forge it.
// - additional section: records of names in the data of a kept NS, MX, SRV, SVCB, HTTPS or similar
//   record; no CNAME, DNAME, NS or SOA. With NXDOMAIN or YXDOMAIN: none.
// - with any other rcode (SERVFAIL, REFUSED ...): none.
// Records of another class than the question's are never kept.
//
// Pure, no allocation. Cost: one check per record if all records have the asked type and point to
// the question's name; else one pass with the names expanded. Bounded: checks at most 64 aliases,
// 64 targets and 64 additional records.
#pragma once

#include <cstdint>
#include <span>

namespace steer::dns {

// The most CNAMEs and DNAMEs that scrub() follows; build_answer() makes SERVFAIL of a longer chain.
inline constexpr unsigned kMaxAliases = 64;

enum Section : std::uint8_t { kAnswerSection, kAuthoritySection, kAdditionalSection, kSections };

// A record of a response with checked names and lengths; offsets are bytes from the response's
// start.
struct RecordPlace {
    std::uint16_t start, fixed, end;
    std::uint16_t type, klass;
    Section section;
    bool keep;
};

struct ScrubTerms {
    std::uint16_t qtype, qclass;
    std::uint8_t rcode;  // with the extended bits, as plain_rcode() returns it
};

// Sets `keep` of each record. `records`: all of `message` except its OPT, in order. The question's
// uncompressed name must follow the header. Returns the number of records that are not kept.
std::uint16_t scrub(std::span<const std::uint8_t> message, const ScrubTerms& terms,
                    std::span<RecordPlace> records) noexcept;

}  // namespace steer::dns
