// An answer: a response body that is ready to send, in the format of the cache and of answer
// buffers.
//
// It has everything after the question section except the OPT record, because the OPT's position
// depends on the client. The body always starts at offset 12 + qname_len + 4. So its compression
// pointers are valid in any message with the same name in the question. Immutable once built. One
// block of memory:
//
//   Answer | uint16_t ttl_offsets[ttl_count] | AddressRef addresses[address_count] | body
//
// Offsets are bytes from the start of the body. TTLs in the body are the original ones, big-endian,
// with two corrections. A TTL with the top bit set is 0 (RFC 2181 8). The SOA's TTL in a negative
// answer is at most its MINIMUM (RFC 2308 3).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dataplane/dns/query.h"
#include "dataplane/dns/wire.h"

namespace steer::dns {

struct AddressRef {
    std::uint16_t rdata_offset;  // of the 4 or 16 bytes
    std::uint16_t is_v6;
};

struct Answer {
    std::uint32_t min_ttl_s;  // over all records; if negative, as in RFC 2308 (SOA minimum)
    // Largest TTL of the records with addresses or hints, in all sections; 0: none.
    std::uint32_t address_ttl_s;
    // AD and TC as the upstream sent them, AA of local data; QR, RD, RA, CD are set per reply.
    std::uint16_t flags;
    std::uint16_t body_len;
    std::uint16_t ancount, nscount, arcount;  // arcount without the OPT
    std::uint16_t ttl_count;
    std::uint16_t address_count;
    std::uint8_t rcode;       // 0..15
    bool has_soa : 1;         // a negative answer that may be cached (RFC 2308 5)
    bool negative : 1;        // NXDOMAIN, or NOERROR without a record of the asked type
    bool for_one : 1;         // made for one client's address only: never cached
    bool has_hints : 1;       // the answer section has addresses in SVCB or HTTPS records (hints.h)
    bool has_additional : 1;  // there are addresses behind the answer section (hints.h)
    bool is_brief : 1;        // a failure, of upstreams that live: another try soon may succeed
    std::uint8_t ecs_scope;   // of the client subnet in its query (RFC 7871)
    // Of a failure of an upstream that is trusted (`trust_ad`): its extended error (RFC 8914) plus 1;
    // 0: none.
    std::uint8_t error_after;
    std::uint16_t body_sum;  // checksum_fold() of the body, which saves each reply a pass over it

    [[nodiscard]] const std::uint16_t* ttl_offsets() const {
        return reinterpret_cast<const std::uint16_t*>(this + 1);
    }
    // A and AAAA records of class IN in the answer section. For other sections use
    // any_additional_address() (hints.h).
    [[nodiscard]] const AddressRef* addresses() const {
        return reinterpret_cast<const AddressRef*>(ttl_offsets() + ttl_count);
    }
    [[nodiscard]] const std::uint8_t* body() const {
        return reinterpret_cast<const std::uint8_t*>(addresses() + address_count);
    }
    // Bytes of the whole block.
    [[nodiscard]] std::size_t size() const {
        return sizeof(Answer) + ttl_count * sizeof(std::uint16_t) +
               address_count * sizeof(AddressRef) + body_len;
    }
};
static_assert(sizeof(Answer) == 28 && alignof(Answer) == 4);

enum class AnswerError : std::uint8_t {
    none,
    malformed,       // a name, record or count is invalid: do not use the message
    wrong_question,  // not the question of the query
    no_room,         // larger than `block`
    other_case,      // the query's name, but not in its case (`exact_case`)
};

// An upstream's response, except the body.
struct UpstreamFacts {
    std::uint16_t flags = 0;  // header flag word, host order
    std::uint8_t rcode = 0;   // 0..15; for an extended one: FORMERR for BADVERS, else SERVFAIL
    bool has_opt = false;
    bool is_bad_cookie = false;  // the rcode is BADCOOKIE (RFC 7873 5.3)
    bool no_question = false;    // some servers omit it in errors: then only rcode counts
    std::uint16_t scrubbed = 0;  // number of records that do not belong to the question
    // The response has no answer, but the name servers of a zone (RFC 2308 2.2). Such a server does
    // not resolve for us.
    bool is_referral = false;
    std::span<const std::uint8_t> options = {};  // options of the OPT, in the response
};

// Reads an upstream's response and builds the answer in `block` (4-byte aligned, at least
// sizeof(Answer)). Checks every name and record; compression pointers must point backwards. `qname`
// is the query's name in the case that was sent. The comparison ignores case, unless `exact_case`.
//
// Leaves out the OPT. If the OPT is last or missing, the rest is copied; else names are compressed
// again. Of a truncated response (TC), the records before the cut are kept. Bytes after the last
// record are ignored. Leaves out records that do not belong to the question (scrub.h). If the
// answer or authority section had such records, AD is cleared. Use Records::all only for our own
// responses.
enum class Records : std::uint8_t { of_question, all };
AnswerError build_answer(std::span<const std::uint8_t> response,
                         std::span<const std::uint8_t> qname, std::uint16_t qtype,
                         std::uint16_t qclass, bool exact_case, std::span<std::uint8_t> block,
                         UpstreamFacts& facts, Records of = Records::of_question) noexcept;

// Minimum and maximum of TTLs.
struct TtlLimits {
    std::uint32_t least_s = 0, most_s = UINT32_MAX;
};
// Whether all TTLs of an answer are within the limits.
[[nodiscard]] bool is_within(const Answer& answer, const TtlLimits& limits) noexcept;
// Lowers the TTLs of the answer at `block` by its age, then applies the limits. The caller must own
// the complete block.
void limit_ttls(std::uint8_t* block, const TtlLimits& limits, std::uint32_t age_s = 0) noexcept;

// An answer without records, only an rcode (reject, an empty NOERROR, SERVFAIL).
Answer empty_answer(std::uint8_t rcode) noexcept;

// Writes an answer with one record of the asked name, without compressed names in its data. Returns
// its size. `block` must have space for sizeof(Answer) + 14 bytes and the data.
std::size_t write_answer(std::span<std::uint8_t> block, std::uint16_t type, std::uint32_t ttl_s,
                         std::span<const std::uint8_t> rdata) noexcept;

// Rare contents of an answer's OPT. At least one is not empty.
struct ReplyExtras {
    std::span<const std::uint8_t> ecs = {};  // the client's subnet, if the answer may depend on it
    std::span<const std::uint8_t> options = {};  // options of the upstream, in wire format
    std::string_view ede_text = {};              // EXTRA-TEXT of `ede`, UTF-8
};

// How an answer is sent.
struct ReplyOptions {
    std::uint32_t age_s = 0;                   // lowers all TTLs, not below 0
    std::uint32_t ttl_cap_s = UINT32_MAX;      // maximum TTL that is sent
    std::uint16_t max_size = kClassicUdpSize;  // client's limit; a longer reply has TC, no records
    std::optional<Ede> ede = std::nullopt;     // sent only if the client sent EDNS
    const ReplyExtras* extras = nullptr;
};

// Completes a response in `message`. This already starts with the client's own header and question
// (`query.question_end` bytes, the name in the client's case). Writes flags, counts, body and TTLs,
// and an OPT if the client sent one. Returns the message's length. Sets `truncated` if it set TC.
// `message` must have space for min(max_size, the body's size); no byte behind its end is written.
//
// AA is set for local data; other answers are copies. AD has the upstream's value, only for a
// client that set AD or DO (RFC 6840 5.8). The OPT has our own size, echoes DO, and carries `ede`.
// An EDE that does not fit is left out, first its text.
//
// `sum` (may be nullptr): on input, the checksum of the question section in memory (bytes 12 to
// question_end). On output, the checksum of the message: in memory order, not folded, below 2^58
// (checksum.h). It is derived from the known sums of the parts: summing bytes that were just stored
// would wait for those stores.
std::size_t write_reply(std::span<std::uint8_t> message, const Query& query, const Answer& answer,
                        const ReplyOptions& options, bool& truncated,
                        std::uint64_t* sum = nullptr) noexcept;

// Writes a reply with an extended rcode and no records, for queries that parse_query refused. With
// `truncated`, it has TC. Parameters as above.
std::size_t write_error_reply(std::span<std::uint8_t> message, const Query& query,
                              std::uint16_t rcode, std::optional<Ede> ede = std::nullopt,
                              bool truncated = false) noexcept;

// Writes a query for an upstream; `qname` in the case to send. Returns its length. Needs 12 + 255 +
// 4 + 11 + 24 bytes and those of `options`. `authentic_data`: sets AD, which requests AD in the
// response (RFC 6840 5.7).
std::size_t write_query(std::span<std::uint8_t> message, std::uint16_t id,
                        std::span<const std::uint8_t> qname, std::uint16_t qtype,
                        std::uint16_t qclass, bool recursion_desired, bool checking_disabled,
                        bool edns, bool dnssec_ok, std::span<const std::uint8_t> ecs = {},
                        std::span<const std::uint8_t> options = {},
                        bool authentic_data = false) noexcept;

}  // namespace steer::dns
