// Upstreams' responses. What build_answer accepts, write_reply must turn into messages that fit the client's size
// and that build_answer reads again, with the same counts, addresses and (aged) TTLs; also as the answer to an alias,
// as what DNS64 makes of it, and without some additional records.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "../require.h"
#include "dataplane/dns/alias.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/hints.h"
#include "dataplane/dns/leave_out.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/pref64.h"
#include "dataplane/dns/translate.h"

using namespace steer::dns;

namespace {

struct alignas(8) Block {
    std::array<std::uint8_t, kMaxMessage + 28 * 1024> bytes;
    [[nodiscard]] const Answer& answer() const {
        return *reinterpret_cast<const Answer*>(bytes.data());
    }
};

// A query with the question of the response; empty if there is none, or if its type is one that is never asked.
std::vector<std::uint8_t> query_for(std::span<const std::uint8_t> response, bool edns) {
    if (response.size() < kHeaderSize) return {};
    const std::size_t name = plain_name_length(response.subspan(kHeaderSize));
    if (name == 0 || kHeaderSize + name + 4 > response.size()) return {};
    std::vector<std::uint8_t> query(kMaxName + 100);
    const std::uint8_t* type = &response[kHeaderSize + name];
    query.resize(write_query(query, 1, response.subspan(kHeaderSize, name), load_be16(type),
                             load_be16(type + 2), true, false, edns, edns));
    Query parsed;
    if (parse_query(query, parsed) != QueryError::none) return {};
    return query;
}

// What any_address() tells: of each address its place in the body.
std::vector<std::size_t> address_places(const Answer& answer) {
    std::vector<std::size_t> places;
    any_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
        REQUIRE(bytes >= answer.body() &&
                bytes + (is_v6 ? 16 : 4) <= answer.body() + answer.body_len);
        places.push_back(static_cast<std::size_t>(bytes - answer.body()));
        return false;
    });
    return places;
}

void check_layout(const Answer& answer) {
    for (unsigned i = 0; i < answer.ttl_count; ++i) {
        REQUIRE(answer.ttl_offsets()[i] + 4U <= answer.body_len);
        REQUIRE((answer.body()[answer.ttl_offsets()[i]] & 0x80) == 0);
    }
    for (unsigned i = 0; i < answer.address_count; ++i) {
        const AddressRef& a = answer.addresses()[i];
        REQUIRE(a.rdata_offset + (a.is_v6 != 0 ? 16U : 4U) <= answer.body_len);
    }
    std::size_t in_answer = 0;
    any_answer_address(answer, [&](const std::uint8_t*, bool) {
        ++in_answer;
        return false;
    });
    REQUIRE(address_places(answer).size() >= in_answer && in_answer >= answer.address_count);
    REQUIRE(answer.has_hints == (in_answer > answer.address_count));
    bool is_behind = false;
    for (unsigned r = answer.ancount; r < answer.ttl_count; ++r)
        is_behind = is_behind || addresses_of_record(answer, r).any();
    REQUIRE(answer.has_additional == is_behind);
    REQUIRE(answer.ttl_count == answer.ancount + answer.nscount + answer.arcount);
    REQUIRE(!answer.has_soa || answer.negative);
}

void check_same(const Answer& a, const Answer& b, std::uint32_t age_s) {
    REQUIRE(a.rcode == b.rcode && a.negative == b.negative && a.has_soa == b.has_soa);
    REQUIRE(a.ancount == b.ancount && a.nscount == b.nscount && a.arcount == b.arcount);
    REQUIRE(a.address_count == b.address_count && a.ttl_count == b.ttl_count &&
            a.body_len == b.body_len);
    REQUIRE(std::equal(a.ttl_offsets(), a.ttl_offsets() + a.ttl_count, b.ttl_offsets()));
    for (unsigned i = 0; i < a.address_count; ++i) {
        REQUIRE(std::memcmp(&a.addresses()[i], &b.addresses()[i], sizeof(AddressRef)) == 0);
    }
    REQUIRE(address_places(a) == address_places(b));
    for (unsigned i = 0; i < a.ttl_count; ++i) {
        const std::uint32_t before = load_be32(a.body() + a.ttl_offsets()[i]);
        const std::uint32_t after = load_be32(b.body() + b.ttl_offsets()[i]);
        REQUIRE(after <= before && (age_s != 0 || after == before || b.has_soa));
    }
}

void reply_and_read_again(const std::vector<std::uint8_t>& query_bytes, const Answer& answer,
                          std::uint32_t age_s, std::uint16_t max_size, Block& block,
                          Records of = Records::of_question) {
    Query query;
    REQUIRE(parse_query(query_bytes, query) == QueryError::none);
    std::vector<std::uint8_t> out(query_bytes);
    out.resize(std::max<std::size_t>(out.size(), max_size));
    bool truncated = false;
    std::uint64_t sum = steer::checksum_narrow(
        steer::checksum_add(0, out.data() + kHeaderSize, query.question_end - kHeaderSize));
    const ReplyOptions options{.age_s = age_s, .max_size = max_size, .ede = Ede::stale};
    const auto length = write_reply(out, query, answer, options, truncated, &sum);
    REQUIRE(length <= max_size);
    // Ones' complement has two zeros.
    REQUIRE(sum % 0xffff ==
            steer::checksum_fold(steer::checksum_add(0, out.data(), length)) % 0xffff);
    UpstreamFacts facts;
    REQUIRE(build_answer(std::span(out).first(length), query.name(), query.qtype, query.qclass,
                         false, block.bytes, facts, of) == AnswerError::none);
    // What was scrubbed once has nothing more to scrub.
    REQUIRE(facts.scrubbed == 0);
    REQUIRE(facts.has_opt == query.edns.present);
    check_layout(block.answer());
    if (truncated) {
        REQUIRE(block.answer().body_len == 0 && (block.answer().flags & kTc) != 0);
    } else {
        check_same(answer, block.answer(), age_s);
    }
}

// What becomes of it behind a redirect is an answer, too, with one record more.
void alias_and_read_again(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                          const Answer& answer, Block& alias, Block& again) {
    static constexpr std::array<std::uint8_t, 7> kAlias{1, 'a', 3, 'o', 'l', 'd', 0};
    const AliasTerms terms{.asked = qname, .alias = kAlias, .qtype = qtype, .age_s = 3};
    const std::size_t size = write_alias_answer(answer, terms, alias.bytes);
    if (size == 0) return;  // names that were compressed better than we do make it too long
    REQUIRE(size == alias.answer().size());
    check_layout(alias.answer());
    REQUIRE(alias.answer().ttl_count == answer.ttl_count + 1);
    REQUIRE(alias.answer().address_count == answer.address_count);
    REQUIRE(address_places(alias.answer()).size() == address_places(answer).size());
    std::vector<std::uint8_t> query(64);
    query.resize(write_query(query, 1, kAlias, qtype, kIn, true, false, true, true));
    reply_and_read_again(query, alias.answer(), 0, 65535, again, Records::all);
}

// Addresses that begin with an even byte are translated, and count.
class EvenOnes final : public Translation {
  public:
    bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept override {
        kWellKnownPref64.embed(v4, v6);
        return v4[0] % 2 == 0;
    }
    bool counts(const std::uint8_t* v6) const noexcept override { return v6[0] % 2 == 0; }
};

void translate_and_read_again(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                              const Answer& answer, Block& made, Block& again) {
    const EvenOnes even;
    std::array<std::uint8_t, kMaxName> name;
    lower_case(qname.data(), name.data(), qname.size());
    for (const Translate what :
         {Translate::addresses, Translate::counted_only, Translate::hints, Translate::all_hints}) {
        const bool is_a = what == Translate::addresses;
        if (is_a ? !any_translated(answer, what, even) : !would_change(answer, what, even))
            continue;
        const TranslateTerms terms{
            .what = what, .asked = {name.data(), qname.size()}, .age_s = 3, .most_ttl_s = 600};
        const std::size_t size = write_translated(answer, terms, even, made.bytes);
        if (size == 0) continue;  // names that were compressed better, or longer than a message
        const Answer& translated = made.answer();
        REQUIRE(size == translated.size());
        check_layout(translated);
        REQUIRE((translated.flags & kAd) == 0);
        if (translated.negative || translated.rcode != kNoError) continue;
        std::vector<std::uint8_t> query(kMaxName + 100);
        query.resize(write_query(query, 1, {name.data(), qname.size()},
                                 is_a ? std::uint16_t{kAaaa} : qtype, kIn, true, false, true,
                                 true));
        reply_and_read_again(query, translated, 0, 65535, again, Records::all);
    }
}

// Additional records with an address that begins with an odd byte are left out.
class KeepsEven final : public AddressFilter {
  public:
    bool keeps(const std::uint8_t* bytes, bool) const noexcept override {
        return bytes[0] % 2 == 0;
    }
};

void leave_out_and_read_again(const std::vector<std::uint8_t>& query,
                              std::span<const std::uint8_t> qname, const Answer& answer,
                              Block& made, Block& again) {
    const KeepsEven even;
    if (!has_to_leave_out(answer, even)) return;
    std::array<std::uint8_t, kMaxName> name;
    lower_case(qname.data(), name.data(), qname.size());
    const std::size_t size =
        write_without(answer, even, {name.data(), qname.size()}, 3, made.bytes);
    if (size == 0) return;  // names that were compressed better than we do make it too long
    REQUIRE(size == made.answer().size());
    check_layout(made.answer());
    REQUIRE(!has_to_leave_out(made.answer(), even));
    REQUIRE(made.answer().ancount == answer.ancount);
    REQUIRE(made.answer().address_count == answer.address_count);
    reply_and_read_again(query, made.answer(), 0, 65535, again, Records::all);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto first = std::make_unique<Block>();
    static const auto second = std::make_unique<Block>();
    static const auto third = std::make_unique<Block>();
    const std::span<const std::uint8_t> response{data, size};
    const auto query = query_for(response, size % 2 == 0);
    if (query.empty()) return 0;
    const std::size_t name = plain_name_length(response.subspan(kHeaderSize));
    const auto qname = response.subspan(kHeaderSize, name);
    const auto qtype = load_be16(&response[kHeaderSize + name]);
    const auto qclass = load_be16(&response[kHeaderSize + name + 2]);
    UpstreamFacts facts;
    if (build_answer(response, qname, qtype, qclass, true, first->bytes, facts) !=
        AnswerError::none)
        return 0;
    check_layout(first->answer());
    reply_and_read_again(query, first->answer(), 0, 65535, *second);
    reply_and_read_again(query, first->answer(), 77, 65535, *second);
    leave_out_and_read_again(query, qname, first->answer(), *second, *third);
    reply_and_read_again(query, first->answer(), 0, 512, *second);
    alias_and_read_again(qname, qtype, first->answer(), *third, *second);
    if (qclass == kIn) translate_and_read_again(qname, qtype, first->answer(), *third, *second);
    // Less room is refused, not overrun.
    std::vector<std::uint8_t> small(first->answer().size() - 1);
    REQUIRE(build_answer(response, qname, qtype, qclass, true, small, facts) ==
            AnswerError::no_room);
    return 0;
}
