// Reads a client's query: header, exactly one question, an optional OPT (RFC 1035 4.1, RFC 6891
// 6.1).
//
// Cost: one walk over the name; no allocation. Each kind of malformed query has its own error.
// rcode_for() has the rcode of the reply (FORMERR, NOTIMP, BADVERS, or none).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/dns/cookie.h"
#include "dataplane/dns/counted_types.h"
#include "dataplane/dns/wire.h"

namespace steer::dns {

struct Edns {
    bool present : 1 = false;
    bool dnssec_ok : 1 = false;
    bool nsid : 1 = false;  // the client requests the server's identity (RFC 5001)
    // Not none: the reply has the cookie of Query::cookie. Set by the receiver (stages/cookies.h),
    // never by parse_query().
    CookieState cookie : 2 = CookieState::none;
    std::uint8_t ecs_len = 0;  // length of the client's subnet behind Query::qname; 0: none
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
    bool over_v4 = false;            // the client uses IPv4; set by the receiver
    Edns edns;
    std::uint16_t type_row = type_row_of(kNoType);  // row of its counters (counted_types.h)
};
static_assert(sizeof(QueryHead) == 18, "a line of the packet cache has one");

// The source of a question's subnet.
enum class EcsFrom : std::uint8_t {
    client,     // the client sent it
    forwarded,  // the client sent it; it is sent to upstreams
    preset,     // from the configuration
    address,    // from the client's address
    nobody,     // none, even if the client sent one
};

struct Query : QueryHead {
    EcsFrom ecs_from = EcsFrom::client;
    std::uint8_t cookie_length = 0;  // bytes of the first COOKIE option's data; 0: none ...
    std::uint16_t cookie_at = 0;     // ... and their offset in the message
    // Of the reply, and its sum; defined if edns.cookie is not none.
    Cookie cookie;
    std::uint64_t cookie_sum;
    // Lower-cased wire form, then the client's subnet (ecs.h) if it sent one; later bytes are
    // undefined. The message has the name in the client's case, at offset 12.
    alignas(32) std::array<std::uint8_t, 256> qname;

    void set_cookie(const Cookie& own) {
        cookie = own;
        cookie_sum = dns::cookie_sum(own);
    }
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
    bad_name,          // label over 63, name over 255, pointer, or incomplete: FORMERR
    short_question,    // type or class missing: FORMERR
    no_record_type,    // OPT, TSIG, TKEY, 0 and other types that no record in a zone has: FORMERR
    not_served_type,   // a zone transfer, MAILA, MAILB: NOTIMP
    bad_sections,      // answer or authority records in a query: FORMERR
    bad_opt,           // two OPTs, an OPT not at the root, or incomplete: FORMERR
    bad_option,        // an option longer than its OPT, a malformed subnet or cookie: FORMERR
    bad_edns_version,  // version > 0: BADVERS (extended rcode 16)
    trailing_bytes,    // bytes after the last record: FORMERR
    // Of parse_client_query() alone; the query is well-formed, and the policy decides:
    no_recursion,  // RD is clear
    any_type,      // type ANY (RFC 8482)
};

// Fills `out` as far as possible. On an error after the question, `question_end` is set and the
// reply can contain the question. On an earlier error, it is 0.
QueryError parse_query(std::span<const std::uint8_t> message, Query& out) noexcept;

// As parse_query(), but the result also marks a well-formed query without RD or of type ANY. If it
// is both: no_recursion.
QueryError parse_client_query(std::span<const std::uint8_t> message, Query& out) noexcept;
constexpr bool is_well_formed(QueryError e) noexcept {
    return e == QueryError::none || e == QueryError::no_recursion || e == QueryError::any_type;
}

// The rcode of the reply to an error; kNoReply if no reply is sent.
inline constexpr std::uint16_t kNoReply = 0xffff;
std::uint16_t rcode_for(QueryError e) noexcept;

// Lower-cases ASCII in `n` bytes of a wire name (length bytes are below 'A', so they stay).
void lower_case(const std::uint8_t* from, std::uint8_t* to, std::size_t n) noexcept;

}  // namespace steer::dns
