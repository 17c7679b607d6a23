// Reads a client's query: header, exactly one question, an optional OPT (RFC 1035 4.1, RFC 6891 6.1).
//
// Cost: one walk over the name; no allocation. Each kind of malformed query has a name of its own, and
// `reply_to()` has its reply (FORMERR, NOTIMP, BADVERS, none).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/dns/counted_types.h"
#include "dataplane/dns/wire.h"

namespace steer::dns {

struct Edns {
    bool present : 1 = false;
    bool dnssec_ok : 1 = false;
    bool nsid : 1 = false;     // asks for the server's name (RFC 5001)
    std::uint8_t ecs_len = 0;  // of the client's subnet behind Query::qname; 0: none
    std::uint16_t udp_size = kClassicUdpSize;  // as sent, but never below 512 (RFC 6891 6.2.3)
};

// Everything of a query except its name.
struct QueryHead {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;  // the header's flag word, host order
    std::uint16_t qtype = 0;
    std::uint16_t qclass = 0;
    std::uint16_t question_end = 0;  // offset of the byte after the question
    std::uint8_t qname_len = 0;      // wire form with the root byte
    bool over_v4 = false;            // its client asks over IPv4: set by the receiver
    Edns edns;
    std::uint16_t type_row = type_row_of(kNoType);  // where it is counted (counted_types.h)
};
static_assert(sizeof(QueryHead) == 18, "a line of the packet cache has one");

// The source of a question's subnet.
enum class EcsFrom : std::uint8_t {
    client,     // the client's
    forwarded,  // the same, and sent to upstreams
    preset,     // from the configuration
    address,    // from the client's address
    nobody,     // none, whatever the client sent
};

struct Query : QueryHead {
    EcsFrom ecs_from = EcsFrom::client;
    // Lower-cased wire form, then the client's subnet (ecs.h) if it sent one; bytes after that are undefined. The
    // case as sent is in the message, at offset 12.
    alignas(32) std::array<std::uint8_t, 256> qname;

    [[nodiscard]] std::span<const std::uint8_t> name() const { return {qname.data(), qname_len}; }
    [[nodiscard]] std::span<const std::uint8_t> ecs() const {
        return {qname.data() + qname_len, edns.ecs_len};
    }
    [[nodiscard]] std::span<const std::uint8_t> name_and_ecs() const {
        return {qname.data(), std::size_t{qname_len} + edns.ecs_len};
    }
};

enum class QueryError : std::uint8_t {
    none,
    short_header,      // fewer than 12 bytes: no reply is possible
    is_response,       // QR set: never replied to
    bad_opcode,        // not QUERY: NOTIMP
    question_count,    // not exactly one: FORMERR
    bad_name,          // label over 63, name over 255, pointer, or cut off: FORMERR
    short_question,    // type or class missing: FORMERR
    no_record_type,    // OPT, TSIG, TKEY, 0 and other types that no record in a zone has: FORMERR
    not_served_type,   // a zone transfer, MAILA, MAILB: NOTIMP
    bad_sections,      // answer or authority records in a query: FORMERR
    bad_opt,           // two OPTs, an OPT not at the root, or cut off: FORMERR
    bad_option,        // an option longer than its OPT, a malformed subnet or cookie: FORMERR
    bad_edns_version,  // version > 0: BADVERS (extended rcode 16)
    trailing_bytes,    // bytes after the last record: FORMERR
};

// Fills `out` as far as possible: on an error after the question, `question_end` is set and the reply can
// contain the question; before that it is 0.
QueryError parse_query(std::span<const std::uint8_t> message, Query& out) noexcept;

// The rcode of the reply to an error; kNoReply for no reply.
inline constexpr std::uint16_t kNoReply = 0xffff;
std::uint16_t rcode_for(QueryError e) noexcept;

// Lower-cases ASCII in `n` bytes of a wire name (length bytes are below 'A', so they stay).
void lower_case(const std::uint8_t* from, std::uint8_t* to, std::size_t n) noexcept;

}  // namespace steer::dns
