#include "dataplane/dns/query.h"

#include <algorithm>

#include "dataplane/dns/ecs.h"
#include "dataplane/dns/name.h"

namespace steer::dns {
namespace {

// 16 bytes at once in what the CPU has (SSE2, NEON), or 16 single ones.
using Block = std::uint8_t __attribute__((vector_size(16)));

Block lower(Block v) {
    const Block is_upper = reinterpret_cast<Block>(v - 'A' < 26);
    return v | (is_upper & 0x20);
}

std::uint64_t lower(std::uint64_t w) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kTops = 0x80 * kOnes;
    const std::uint64_t low7 = w & ~kTops;
    const std::uint64_t from_a = low7 + (0x80 - 'A') * kOnes;   // top bit: at least 'A'
    const std::uint64_t above_z = low7 + (0x7f - 'Z') * kOnes;  // top bit: above 'Z'
    return w | ((from_a & ~above_z & ~w & kTops) >> 2);
}

// Loads may overlap: lower-casing twice is harmless.
template <class Word>
void lower_word(const std::uint8_t* from, std::uint8_t* to) {
    Word w;
    std::memcpy(&w, from, sizeof w);
    w = lower(w);
    std::memcpy(to, &w, sizeof w);
}

// A name too long for a key with a subnet is asked without it. False: it is malformed.
bool take_ecs(std::span<const std::uint8_t> option, Query& out) noexcept {
    std::array<std::uint8_t, kMaxEcs> ecs;
    const std::size_t n = read_ecs(option, ecs);
    if (n == 0) return false;
    if (out.edns.ecs_len != 0 || out.qname_len + n > UINT8_MAX) return true;
    std::memcpy(out.qname.data() + out.qname_len, ecs.data(), n);
    out.edns.ecs_len = static_cast<std::uint8_t>(n);
    return true;
}

// Only the first cookie counts (RFC 7873 5.2). False: its length is not that of a cookie.
bool take_cookie(std::span<const std::uint8_t> option, std::size_t at, Query& out) noexcept {
    if (!is_cookie_length(option.size())) return false;
    if (out.cookie_length != 0) return true;
    out.cookie_length = static_cast<std::uint8_t>(option.size());
    out.cookie_at = static_cast<std::uint16_t>(at);
    return true;
}

// `at`: offset of the options in the message. False: one of them is malformed.
bool take_options(std::span<const std::uint8_t> options, std::size_t at, Query& out) noexcept {
    constexpr std::size_t kHead = 4;
    while (!options.empty()) {
        if (options.size() < kHead) return false;
        const std::size_t length = load_be16(&options[2]);
        if (kHead + length > options.size()) return false;
        const std::uint16_t code = load_be16(options.data());
        if (code == kEcsCode && !take_ecs(options.subspan(kHead, length), out)) return false;
        if (code == kOptionNsid) out.edns.nsid = true;
        if (code == kOptionCookie && !take_cookie(options.subspan(kHead, length), at + kHead, out))
            return false;
        options = options.subspan(kHead + length);
        at += kHead + length;
    }
    return true;
}

// The options that most clients with cookies send: one cookie, with a server cookie of 16 bytes.
[[gnu::always_inline]] inline bool take_usual_cookie(const std::uint8_t* options, std::size_t size,
                                                     std::size_t at, Query& out) noexcept {
    constexpr std::uint32_t kHead = std::uint32_t{kOptionCookie} << 16 | kCookieSize;
    if (size != kOptionHeadSize + kCookieSize || load_be32(options) != kHead) return false;
    out.cookie_length = kCookieSize;
    out.cookie_at = static_cast<std::uint16_t>(at + kOptionHeadSize);
    return true;
}

// An OPT record (RFC 6891 6.1.2) with the root as its name: bytes behind the name.
constexpr std::size_t kOptFixed = 10;

// The OPT record of the query. `fixed`: its bytes behind the name; its data ends at `end` of the
// message.
[[gnu::always_inline]] inline QueryError take_opt(const std::uint8_t* fixed,
                                                  std::size_t rdata_length, std::size_t end,
                                                  Query& out) noexcept {
    const std::uint8_t version = fixed[5];
    Edns edns{};
    edns.present = true;
    edns.udp_size = std::max(load_be16(fixed + 2), kClassicUdpSize);
    edns.dnssec_ok = (fixed[6] & 0x80) != 0;
    out.edns = edns;
    if (version != 0) return QueryError::bad_edns_version;  // its options may be others
    if (rdata_length == 0 ||
        take_usual_cookie(fixed + kOptFixed, rdata_length, end - rdata_length, out) ||
        take_options({fixed + kOptFixed, rdata_length}, end - rdata_length, out))
        return QueryError::none;
    out.cookie_length = 0;
    return QueryError::bad_option;
}

// The records of the additional section; a query may carry one OPT there (RFC 6891 6.1.1), and
// others that we do not know what to do with, such as TSIG.
[[gnu::noinline]] QueryError parse_records(std::span<const std::uint8_t> message, std::size_t at,
                                           unsigned count, Query& out) noexcept {
    QueryError error = QueryError::none;
    for (; count > 0; --count) {
        const std::size_t name = plain_name_length(message.subspan(at));
        if (name == 0 || at + name + kOptFixed > message.size()) return QueryError::bad_opt;
        const std::uint8_t* fixed = &message[at + name];
        const std::size_t rdata_length = load_be16(fixed + 8);
        at += name + kOptFixed + rdata_length;
        if (at > message.size()) return QueryError::bad_opt;
        if (load_be16(fixed) != kOpt) continue;
        if (name != 1 || out.edns.present) return QueryError::bad_opt;
        error = take_opt(fixed, rdata_length, at, out);
    }
    return at == message.size() ? error : QueryError::trailing_bytes;
}

// The usual additional section is nothing, or one OPT.
[[gnu::always_inline]] inline QueryError parse_additional(std::span<const std::uint8_t> message,
                                                          std::size_t at, unsigned count,
                                                          Query& out) noexcept {
    if (count == 0) return at == message.size() ? QueryError::none : QueryError::trailing_bytes;
    if (count == 1 && message.size() > at + kOptFixed) {
        const std::uint8_t* const fixed = &message[at + 1];
        const std::size_t rdata_length = load_be16(fixed + 8);
        if (message[at] == 0 && load_be16(fixed) == kOpt &&
            at + 1 + kOptFixed + rdata_length == message.size()) [[likely]]
            return take_opt(fixed, rdata_length, message.size(), out);
    }
    return parse_records(message, at, count, out);
}

constexpr std::size_t kAnyRow = counted_as(kAny);
static_assert(kAnyRow + 1 == kOtherType, "ANY is the last type that is counted by name");

// ANY, and types that no zone has (RFC 6895 3.1): OPT, the range for meta types and questions, and
// 0.
QueryError judge_type(std::uint16_t qtype) noexcept {
    constexpr std::uint16_t kFirstMeta = 128;
    if (qtype == kAny) return QueryError::any_type;
    if (qtype == 0 || qtype == kOpt || (qtype >= kFirstMeta && qtype < kIxfr))
        return QueryError::no_record_type;
    return qtype >= kIxfr && qtype < kAny ? QueryError::not_served_type : QueryError::none;
}

// A query without RD, of type ANY, or of a type that is not counted by name.
[[gnu::cold, gnu::noinline]] QueryError judge_rare(const Query& query) noexcept {
    const QueryError error = judge_type(query.qtype);
    if ((query.flags & kRd) != 0 || !is_well_formed(error)) return error;
    return QueryError::no_recursion;
}

[[gnu::always_inline]] inline void lower_in_line(const std::uint8_t* from, std::uint8_t* to,
                                                 std::size_t n) noexcept {
    if (n >= sizeof(Block)) {
        for (std::size_t i = 0; i + sizeof(Block) <= n; i += sizeof(Block))
            lower_word<Block>(from + i, to + i);
        if (n % sizeof(Block) != 0)
            lower_word<Block>(from + n - sizeof(Block), to + n - sizeof(Block));
        return;
    }
    if (n >= 8) {
        lower_word<std::uint64_t>(from, to);
        lower_word<std::uint64_t>(from + n - 8, to + n - 8);
        return;
    }
    std::uint64_t w = 0;
    std::memcpy(&w, from, n);
    w = lower(w);
    std::memcpy(to, &w, n);
}

}  // namespace

void lower_case(const std::uint8_t* from, std::uint8_t* to, std::size_t n) noexcept {
    lower_in_line(from, to, n);
}

QueryError parse_client_query(std::span<const std::uint8_t> message, Query& out) noexcept {
    out.question_end = 0;
    out.qname_len = 0;
    out.qtype = out.qclass = 0;
    out.edns = Edns{};
    out.cookie_length = 0;
    out.type_row = type_row_of(kNoType);
    if (message.size() < kHeaderSize) return QueryError::short_header;
    const std::uint8_t* header = message.data();
    out.id = load_be16(header);
    out.flags = load_be16(header + 2);
    if ((out.flags & kQr) != 0) return QueryError::is_response;
    if ((out.flags & kOpcodeMask) != 0) return QueryError::bad_opcode;
    if (load_be16(header + 4) != 1) return QueryError::question_count;

    const auto question = message.subspan(kHeaderSize);
    const std::size_t name = plain_name_length(question);
    if (name == 0) return QueryError::bad_name;
    if (name + 4 > question.size()) return QueryError::short_question;
    out.qname_len = static_cast<std::uint8_t>(name);
    lower_in_line(question.data(), out.qname.data(), name);
    out.qtype = load_be16(&question[name]);
    out.qclass = load_be16(&question[name + 2]);
    out.type_row = type_row_of(counted_as(out.qtype));
    out.question_end = static_cast<std::uint16_t>(kHeaderSize + name + kTypeAndClass);

    if (load_be32(header + 6) != 0) return QueryError::bad_sections;
    const QueryError error =
        parse_additional(message, out.question_end, load_be16(header + 10), out);
    const bool is_usual = out.type_row < type_row_of(kAnyRow) && (out.flags & kRd) != 0;
    if (is_usual || error != QueryError::none) [[likely]]
        return error;
    return judge_rare(out);
}

QueryError parse_query(std::span<const std::uint8_t> message, Query& out) noexcept {
    const QueryError error = parse_client_query(message, out);
    return is_well_formed(error) ? QueryError::none : error;
}

std::uint16_t rcode_for(QueryError e) noexcept {
    switch (e) {
        case QueryError::none:
        case QueryError::no_recursion:
        case QueryError::any_type:
            return kNoError;
        case QueryError::short_header:
        case QueryError::is_response:
            return kNoReply;
        case QueryError::bad_opcode:
        case QueryError::not_served_type:
            return kNotImp;
        case QueryError::bad_edns_version:
            return kBadVers;
        case QueryError::question_count:
        case QueryError::bad_name:
        case QueryError::short_question:
        case QueryError::no_record_type:
        case QueryError::bad_sections:
        case QueryError::bad_opt:
        case QueryError::bad_option:
        case QueryError::trailing_bytes:
            break;
    }
    return kFormErr;
}

}  // namespace steer::dns
