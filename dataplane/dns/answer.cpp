#include "dataplane/dns/answer.h"

#include <algorithm>
#include <array>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/compress.h"
#include "dataplane/dns/hints.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/records.h"
#include "dataplane/dns/scrub.h"

namespace steer::dns {
namespace {

// The smallest address record has 15 bytes: more of them fit in no message.
constexpr std::size_t kMaxAddresses = kMaxMessage / 15;

// Tables of a response with at most this many records. They are on the stack: memory of many pages would be
// touched page by page (-fstack-clash-protection), so most responses get small ones.
template <std::size_t Records, std::size_t Addresses>
struct Tables {
    std::array<RecordPlace, Records> places;
    std::array<std::uint16_t, Records> ttl_at;
    std::array<AddressRef, Addresses> address_at;
};
constexpr std::size_t kFewRecords = 64;

// The results of one pass over the response.
struct Survey {
    template <std::size_t Records, std::size_t Addresses>
    explicit Survey(Tables<Records, Addresses>& tables)
        : places(tables.places.data()),
          ttl_at(tables.ttl_at.data()),
          address_at(tables.address_at.data()) {}

    std::uint16_t counts[kSections] = {0, 0, 0};  // without the OPT
    std::size_t end = 0;                          // after the last record, a final OPT left out
    std::uint16_t found = 0;                      // records, those included that are not kept
    std::size_t opt = 0;                          // offset of the OPT; 0: none
    std::size_t opt_rdata = 0, opt_end = 0;
    bool opt_in_the_middle = false;
    unsigned aliases = 0;             // CNAMEs and DNAMEs of the answer section
    std::uint8_t extended_rcode = 0;  // upper eight bits of twelve
    bool has_asked_type = false;
    bool has_soa = false;
    bool has_ns = false;  // in the authority section
    bool has_hints = false;
    bool has_additional = false;
    std::uint16_t soa_record = 0;  // its place among the records
    std::uint32_t soa_minimum_s = 0;
    std::uint32_t min_ttl_s = UINT32_MAX;
    std::uint32_t address_ttl_s = 0;
    std::uint16_t records = 0;  // that are kept
    std::uint16_t addresses = 0;
    RecordPlace* const places;    // of `found`
    std::uint16_t* const ttl_at;  // offsets in the body
    AddressRef* const address_at;
};

bool is_address(const RecordPlace& r) {
    return r.klass == kIn && (r.type == kA || r.type == kAaaa);
}

bool has_hints(const RecordPlace& r, std::span<const std::uint8_t> message) {
    const std::size_t rdata = r.fixed + kRecordFixed;
    return r.klass == kIn && (r.type == kSvcb || r.type == kHttps) &&
           hints_of(message.subspan(rdata, r.end - rdata)).any();
}

bool note_opt(Survey& s, const Record& r, unsigned section, std::span<const std::uint8_t> message) {
    if (section != kAdditionalSection || !r.root_owner || s.opt != 0) return false;
    s.opt = r.start;
    s.opt_rdata = r.rdata;
    s.opt_end = r.end;
    s.extended_rcode = message[r.fixed + 4];  // RFC 6891 6.1.3: the first byte of its "TTL"
    return true;
}

void note_record(Survey& s, const RecordPlace& r, std::size_t base, std::uint16_t qtype,
                 std::span<const std::uint8_t> message) {
    std::uint32_t ttl_s = load_be32(&message[r.fixed + 4U]);
    if ((ttl_s & 0x80000000U) != 0) ttl_s = 0;
    if (r.section == kAnswerSection) {
        s.has_asked_type |= r.type == qtype || qtype == kAny;
        if (is_address(r)) {
            s.address_at[s.addresses++] = {
                static_cast<std::uint16_t>(r.fixed + kRecordFixed - base), r.type == kAaaa};
            s.address_ttl_s = std::max(s.address_ttl_s, ttl_s);
        } else if (has_hints(r, message)) {
            s.has_hints = true;
            s.address_ttl_s = std::max(s.address_ttl_s, ttl_s);
        }
    } else if (is_address(r) || has_hints(r, message)) {
        s.has_additional = true;
        s.address_ttl_s = std::max(s.address_ttl_s, ttl_s);
    }
    if (r.section == kAuthoritySection && r.type == kNs) s.has_ns = true;
    if (r.section == kAuthoritySection && r.type == kSoa && !s.has_soa) {
        s.has_soa = true;
        s.soa_record = s.records;
        s.soa_minimum_s = load_be32(&message[r.end - 4U]);
        if ((s.soa_minimum_s & 0x80000000U) != 0) s.soa_minimum_s = 0;
    }
    s.ttl_at[s.records++] = static_cast<std::uint16_t>(r.fixed + 4 - base);
    s.min_ttl_s = std::min(s.min_ttl_s, ttl_s);
    ++s.counts[r.section];
}

// Finds the records and the OPT, and checks them.
bool survey(std::span<const std::uint8_t> message, RecordReader& reader, std::size_t base, bool cut,
            Survey& s) {
    s.end = base;
    for (const Section section : {kAnswerSection, kAuthoritySection, kAdditionalSection}) {
        for (unsigned left = load_be16(&message[6 + 2U * section]); left > 0; --left) {
            Record r;
            if (!reader.next(r)) return cut;
            if (r.type == kOpt) {
                if (!note_opt(s, r, section, message)) return false;
                continue;
            }
            s.opt_in_the_middle |= s.opt != 0;
            if (section == kAnswerSection && (r.type == kCname || r.type == kDname)) ++s.aliases;
            s.places[s.found++] = {static_cast<std::uint16_t>(r.start),
                                   static_cast<std::uint16_t>(r.fixed),
                                   static_cast<std::uint16_t>(r.end),
                                   r.type,
                                   r.klass,
                                   section,
                                   true};
            s.end = r.end;
        }
    }
    return true;
}

// Writes RDATA; names in it are compressed again.
bool rewrite_rdata(std::span<const std::uint8_t> message, RecordReader& reader, const Record& r,
                   BodyWriter& writer) {
    const RdataLayout layout = rdata_layout(r.type);
    if (layout.rule == NameRule::none || layout.rule == NameRule::whole) {
        return writer.bytes(message.subspan(r.rdata, r.end - r.rdata));
    }
    std::size_t at = reader.rdata_names(r, layout);
    if (!writer.bytes(message.subspan(r.rdata, at - r.rdata))) return false;
    for (unsigned i = 0; i < layout.names; ++i) {
        Name name;
        at = reader.name(at, &name);
        if (at == 0 || !writer.name(name, layout.rule == NameRule::compress)) return false;
    }
    return writer.bytes(message.subspan(at, r.end - at));
}

// Writes the kept records into `body` and stores the new offsets. No value: no space.
std::optional<std::size_t> rewrite(std::span<const std::uint8_t> message,
                                   std::span<const std::uint8_t> qname, Survey& s,
                                   std::span<std::uint8_t> body) {
    const std::size_t base = kHeaderSize + qname.size() + kTypeAndClass;
    RecordReader reader{RecordReader::BehindQuestion{}, message, base};
    BodyWriter writer{qname, body};
    std::uint16_t record = 0;
    std::uint16_t address = 0;
    for (unsigned i = 0; i < s.found;) {
        Record r;
        if (!reader.next(r)) return std::nullopt;
        if (r.type == kOpt) continue;
        const RecordPlace& place = s.places[i++];
        if (!place.keep) continue;
        Name owner;
        reader.name(r.start, &owner);
        if (!writer.name(owner, true)) return std::nullopt;
        s.ttl_at[record++] = static_cast<std::uint16_t>(writer.size() + 4);
        if (!writer.bytes(message.subspan(r.fixed, kRecordFixed))) return std::nullopt;
        const std::size_t rdata = writer.size();
        if (place.section == kAnswerSection && is_address(place)) {
            s.address_at[address++].rdata_offset = static_cast<std::uint16_t>(rdata);
        }
        if (!rewrite_rdata(message, reader, r, writer)) return std::nullopt;
        store_be16(&body[rdata - 2], static_cast<std::uint16_t>(writer.size() - rdata));
    }
    return writer.size();
}

// RFC 2181 8 and RFC 2308 3 (see the header).
void mend_ttls(std::uint8_t* body, const Survey& s, bool negative) {
    for (std::size_t i = 0; i < s.records; ++i) {
        std::uint8_t* ttl = body + s.ttl_at[i];
        if ((*ttl & 0x80) != 0) store_be32(ttl, 0);
    }
    if (!negative || !s.has_soa) return;
    std::uint8_t* ttl = body + s.ttl_at[s.soa_record];
    store_be32(ttl, std::min(load_be32(ttl), s.soa_minimum_s));
}

// Lays the answer out in `block`: the tables, then the body.
AnswerError lay_out(std::span<const std::uint8_t> message, std::span<const std::uint8_t> qname,
                    Survey& s, Answer answer, std::span<std::uint8_t> block) {
    const std::size_t base = kHeaderSize + qname.size() + kTypeAndClass;
    answer.ttl_count = s.records;
    answer.address_count = s.addresses;
    answer.body_len = 0;
    const std::size_t tables = answer.size();
    if (tables > block.size()) return AnswerError::no_room;
    std::span<std::uint8_t> body = block.subspan(tables);
    body = body.first(std::min(body.size(), kMaxMessage - base));
    std::size_t length = s.end - base;
    if (s.opt_in_the_middle || s.records != s.found) {
        const auto written = rewrite(message, qname, s, body);
        if (!written) return AnswerError::no_room;
        length = *written;
    } else if (length > body.size()) {
        return AnswerError::no_room;
    } else if (length != 0) {
        std::memcpy(body.data(), &message[base], length);
    }
    answer.body_len = static_cast<std::uint16_t>(length);
    mend_ttls(body.data(), s, answer.negative);
    answer.body_sum = checksum_fold(checksum_add(0, body.data(), length));
    std::uint8_t* at = block.data();
    std::memcpy(at, &answer, sizeof answer);
    at += sizeof answer;
    std::memcpy(at, s.ttl_at, s.records * sizeof s.ttl_at[0]);
    at += s.records * sizeof s.ttl_at[0];
    std::memcpy(at, s.address_at, s.addresses * sizeof s.address_at[0]);
    return AnswerError::none;
}

std::uint8_t plain_rcode(std::uint16_t header_flags, std::uint8_t extended) {
    const auto low = static_cast<std::uint8_t>(header_flags & kRcodeMask);
    if (extended == 0) return low;
    return extended == 1 && low == 0 ? kFormErr : kServFail;
}

AnswerError check_question(std::span<const std::uint8_t> response,
                           std::span<const std::uint8_t> qname, std::uint16_t qtype,
                           std::uint16_t qclass, bool exact_case) {
    const auto question = response.subspan(kHeaderSize);
    const std::size_t name = plain_name_length(question);
    if (name == 0 || name + 4 > question.size()) return AnswerError::malformed;
    if (load_be16(&question[name]) != qtype || load_be16(&question[name + 2]) != qclass) {
        return AnswerError::wrong_question;
    }
    if (!same_name(question.first(name), qname)) return AnswerError::wrong_question;
    if (exact_case && std::memcmp(question.data(), qname.data(), name) != 0)
        return AnswerError::other_case;
    return AnswerError::none;
}

struct Asked {
    std::uint16_t qtype, qclass;
};

// Builds the answer of a response with the right question.
AnswerError build_with(Survey& s, std::span<const std::uint8_t> response,
                       std::span<const std::uint8_t> qname, Asked asked,
                       std::span<std::uint8_t> block, UpstreamFacts& facts, Records of) {
    const auto [qtype, qclass] = asked;
    const std::size_t base = kHeaderSize + qname.size() + kTypeAndClass;
    RecordReader reader{RecordReader::BehindQuestion{}, response, base};
    if (!survey(response, reader, base, (facts.flags & kTc) != 0, s)) return AnswerError::malformed;
    facts.has_opt = s.opt != 0;
    if (facts.has_opt) facts.options = response.subspan(s.opt_rdata, s.opt_end - s.opt_rdata);
    facts.rcode = plain_rcode(facts.flags, s.extended_rcode);
    facts.is_bad_cookie =
        (unsigned{s.extended_rcode} << 4 | (facts.flags & kRcodeMask)) == kBadCookie;
    if (of == Records::of_question && s.aliases > kMaxAliases && qtype != kCname)
        facts.rcode = kServFail;  // its chain is not known
    const std::span<RecordPlace> places(s.places, s.found);
    if (of == Records::of_question)
        facts.scrubbed = scrub(response, {qtype, qclass, facts.rcode}, places);
    bool all_of_ad = true;
    for (const RecordPlace& r : places) {
        if (r.keep) {
            note_record(s, r, base, qtype, response);
        } else if (r.section != kAdditionalSection) {
            all_of_ad = false;
        }
    }

    // A chain that ends in one is cut short, unless a resolver says that it is complete.
    facts.is_referral = facts.rcode == kNoError && !s.has_asked_type && !s.has_soa && s.has_ns &&
                        (s.counts[kAnswerSection] == 0 || (facts.flags & kRa) == 0);

    Answer answer = empty_answer(facts.rcode);
    answer.flags = facts.flags & (kTc | kAd);
    // AD covers the complete answer and authority sections (RFC 4035 3.2.3).
    if (!all_of_ad) answer.flags &= static_cast<std::uint16_t>(~kAd);
    answer.ancount = s.counts[kAnswerSection];
    answer.nscount = s.counts[kAuthoritySection];
    answer.arcount = s.counts[kAdditionalSection];
    answer.negative = facts.rcode == kNxDomain || (facts.rcode == kNoError && !s.has_asked_type);
    answer.has_soa = answer.negative && s.has_soa;
    answer.has_hints = s.has_hints;
    answer.has_additional = s.has_additional;
    answer.min_ttl_s = s.records == 0 ? 0 : s.min_ttl_s;
    if (answer.has_soa) answer.min_ttl_s = std::min(answer.min_ttl_s, s.soa_minimum_s);
    answer.address_ttl_s = s.address_ttl_s;
    return lay_out(response, qname, s, answer, block);
}

AnswerError build_of_few(std::span<const std::uint8_t> response,
                         std::span<const std::uint8_t> qname, Asked asked,
                         std::span<std::uint8_t> block, UpstreamFacts& facts, Records of) {
    Tables<kFewRecords, kFewRecords> tables;
    Survey s(tables);
    return build_with(s, response, qname, asked, block, facts, of);
}

[[gnu::noinline]] AnswerError build_of_many(std::span<const std::uint8_t> response,
                                            std::span<const std::uint8_t> qname, Asked asked,
                                            std::span<std::uint8_t> block, UpstreamFacts& facts,
                                            Records of) {
    Tables<kMaxRecords, kMaxAddresses> tables;
    Survey s(tables);
    return build_with(s, response, qname, asked, block, facts, of);
}

}  // namespace

AnswerError build_answer(std::span<const std::uint8_t> response,
                         std::span<const std::uint8_t> qname, std::uint16_t qtype,
                         std::uint16_t qclass, bool exact_case, std::span<std::uint8_t> block,
                         UpstreamFacts& facts, Records of) noexcept {
    facts = UpstreamFacts{};
    if (response.size() < kHeaderSize || response.size() > kMaxMessage)
        return AnswerError::malformed;
    if (block.size() < sizeof(Answer)) return AnswerError::no_room;
    facts.flags = load_be16(&response[2]);
    facts.rcode = static_cast<std::uint8_t>(facts.flags & kRcodeMask);
    if ((facts.flags & kQr) == 0 || (facts.flags & kOpcodeMask) != 0) return AnswerError::malformed;
    const std::uint16_t questions = load_be16(&response[4]);
    if (questions == 0 && facts.rcode != kNoError) {
        facts.no_question = true;
        const Answer answer = empty_answer(facts.rcode);
        std::memcpy(block.data(), &answer, sizeof answer);
        return AnswerError::none;
    }
    if (questions != 1) return AnswerError::wrong_question;
    if (const auto e = check_question(response, qname, qtype, qclass, exact_case);
        e != AnswerError::none)
        return e;

    const unsigned counted =
        unsigned{load_be16(&response[6])} + load_be16(&response[8]) + load_be16(&response[10]);
    return counted <= kFewRecords
               ? build_of_few(response, qname, {qtype, qclass}, block, facts, of)
               : build_of_many(response, qname, {qtype, qclass}, block, facts, of);
}

bool is_within(const Answer& answer, const TtlLimits& limits) noexcept {
    if (limits.least_s == 0 && limits.most_s == UINT32_MAX) return true;
    const std::uint16_t* const offsets = answer.ttl_offsets();
    return std::all_of(offsets, offsets + answer.ttl_count, [&](std::uint16_t offset) {
        const std::uint32_t ttl_s = load_be32(answer.body() + offset);
        return ttl_s >= limits.least_s && ttl_s <= limits.most_s;
    });
}

void limit_ttls(std::uint8_t* block, const TtlLimits& limits, std::uint32_t age_s) noexcept {
    auto& answer = *reinterpret_cast<Answer*>(block);
    const auto limited = [&](std::uint32_t ttl_s) {
        return std::clamp(ttl_s > age_s ? ttl_s - age_s : 0, limits.least_s, limits.most_s);
    };
    std::uint8_t* const body = block + (answer.body() - block);
    for (unsigned i = 0; i < answer.ttl_count; ++i) {
        std::uint8_t* const ttl = body + answer.ttl_offsets()[i];
        store_be32(ttl, limited(load_be32(ttl)));
    }
    answer.min_ttl_s = limited(answer.min_ttl_s);
    if (any_address(answer, [](const std::uint8_t*, bool) { return true; }))
        answer.address_ttl_s = limited(answer.address_ttl_s);
    answer.body_sum = checksum_fold(checksum_add(0, body, answer.body_len));
}

std::size_t write_answer(std::span<std::uint8_t> block, std::uint16_t type, std::uint32_t ttl_s,
                         std::span<const std::uint8_t> rdata) noexcept {
    constexpr std::uint16_t kTtlAt = 6, kRdataAt = 12;
    Answer answer = empty_answer(kNoError);
    answer.negative = false;
    answer.min_ttl_s = ttl_s;
    answer.ancount = answer.ttl_count = 1;
    answer.body_len = static_cast<std::uint16_t>(kRdataAt + rdata.size());
    std::uint8_t* const body = block.data() + sizeof answer + sizeof kTtlAt;
    store_be16(body, 0xc000 | kHeaderSize);
    store_be16(body + 2, type);
    store_be16(body + 4, kIn);
    store_be32(body + kTtlAt, ttl_s);
    store_be16(body + 10, static_cast<std::uint16_t>(rdata.size()));
    std::memcpy(body + kRdataAt, rdata.data(), rdata.size());
    answer.body_sum = checksum_fold(checksum_add(0, body, answer.body_len));
    std::memcpy(block.data(), &answer, sizeof answer);
    std::memcpy(block.data() + sizeof answer, &kTtlAt, sizeof kTtlAt);
    return answer.size();
}

Answer empty_answer(std::uint8_t rcode) noexcept {
    Answer answer{};
    answer.rcode = rcode;
    answer.negative = rcode == kNoError || rcode == kNxDomain;
    return answer;
}

}  // namespace steer::dns
