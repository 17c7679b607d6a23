// Answers in the order in which a stub resolver walks them (walk.h). An upstream's response is read; put in order if it is
// out of it; made the answer to an alias, and translated by DNS64. A stub's walk, written without code of the product,
// judges each: walk_of() says `whole` exactly when the stub follows every CNAME and finds every record. Put in order, no
// record is lost.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "../require.h"
#include "dataplane/dns/alias.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/pref64.h"
#include "dataplane/dns/translate.h"
#include "dataplane/dns/walk.h"
#include "support/stub_walk.h"

using namespace steer::dns;

namespace {

struct alignas(8) Block {
    std::array<std::uint8_t, kMaxMessage + 28 * 1024> bytes;
    [[nodiscard]] const Answer& answer() const {
        return *reinterpret_cast<const Answer*>(bytes.data());
    }
};

// As a client gets it that asked this.
std::vector<std::uint8_t> sent(const Answer& answer, std::span<const std::uint8_t> qname,
                               std::uint16_t qtype) {
    std::vector<std::uint8_t> out(kHeaderSize);
    store_be16(&out[2], static_cast<std::uint16_t>(kQr | answer.rcode));
    store_be16(&out[4], 1);
    store_be16(&out[6], answer.ancount);
    store_be16(&out[8], answer.nscount);
    store_be16(&out[10], answer.arcount);
    out.insert(out.end(), qname.begin(), qname.end());
    out.insert(out.end(),
               {static_cast<std::uint8_t>(qtype >> 8), static_cast<std::uint8_t>(qtype), 0, 1});
    out.insert(out.end(), answer.body(), answer.body() + answer.body_len);
    return out;
}

// An unfinished DNAME is no fault of a stub's walk: it knows none.
bool has_dname(const Answer& answer) {
    for (unsigned r = 0; r < answer.ancount; ++r) {
        if (load_be16(answer.body() + answer.ttl_offsets()[r] - 4) == kDname) return true;
    }
    return false;
}

Walk judge(const Answer& answer, std::span<const std::uint8_t> qname, std::uint16_t qtype) {
    const Walk walk = walk_of(answer, qname, qtype);
    const auto stub = steer::test::walk_as_stub(sent(answer, qname, qtype));
    REQUIRE(stub.has_value());
    if (walk == Walk::whole) REQUIRE(stub->is_whole());
    if (walk == Walk::too_long) REQUIRE(!stub->is_whole());
    if (walk == Walk::disordered) REQUIRE(!stub->is_whole() || has_dname(answer));
    return walk;
}

class EvenOnes final : public Translation {
  public:
    bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept override {
        kWellKnownPref64.embed(v4, v6);
        return v4[0] % 2 == 0;
    }
    bool counts(const std::uint8_t* v6) const noexcept override { return v6[0] % 2 == 0; }
};

// What is made of an answer that is whole is whole, or has one link too many.
void make_others(const Answer& answer, std::span<const std::uint8_t> qname, std::uint16_t qtype,
                 Block& room) {
    static constexpr std::array<std::uint8_t, 7> kAlias{1, 'a', 3, 'o', 'l', 'd', 0};
    const AliasTerms terms{.asked = qname, .alias = kAlias, .qtype = qtype};
    if (write_alias_answer(answer, terms, room.bytes) != 0)
        REQUIRE(judge(room.answer(), kAlias, qtype) != Walk::disordered || has_dname(answer));
    const EvenOnes even;
    if (qtype != kA || !any_translated(answer, Translate::addresses, even)) return;
    if (write_translated(answer, {.asked = qname}, even, room.bytes) != 0)
        REQUIRE(judge(room.answer(), qname, kAaaa) == Walk::whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto first = std::make_unique<Block>();
    static const auto second = std::make_unique<Block>();
    static const auto third = std::make_unique<Block>();
    const std::span<const std::uint8_t> response{data, size};
    if (size < kHeaderSize) return 0;
    const std::size_t length = plain_name_length(response.subspan(kHeaderSize));
    if (length == 0 || kHeaderSize + length + kTypeAndClass > size) return 0;
    std::array<std::uint8_t, kMaxName> lower;
    lower_case(&response[kHeaderSize], lower.data(), length);
    const std::span<const std::uint8_t> qname(lower.data(), length);
    const auto qtype = load_be16(&response[kHeaderSize + length]);
    UpstreamFacts facts;
    if (build_answer(response, qname, qtype, kIn, false, first->bytes, facts) !=
            AnswerError::none ||
        facts.no_question)
        return 0;
    const Walk walk = judge(first->answer(), qname, qtype);
    if (walk == Walk::whole) {
        make_others(first->answer(), qname, qtype, *third);
        return 0;
    }
    const std::size_t ordered = write_in_order(first->answer(), qname, qtype, second->bytes);
    if (walk == Walk::too_long) REQUIRE(ordered == 0);
    if (ordered == 0) return 0;
    const Answer& before = first->answer();
    const Answer& after = second->answer();
    REQUIRE(ordered == after.size());
    REQUIRE(judge(after, qname, qtype) == Walk::whole);
    REQUIRE(after.ancount >= before.ancount && after.nscount == before.nscount &&
            after.arcount == before.arcount);
    REQUIRE(after.address_count == before.address_count && after.rcode == before.rcode);
    REQUIRE(after.ancount == before.ancount || has_dname(before));
    make_others(after, qname, qtype, *third);
    return 0;
}
