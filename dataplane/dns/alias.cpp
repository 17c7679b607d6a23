#include "dataplane/dns/alias.h"

#include "dataplane/dns/answer_writer.h"

namespace steer::dns {
namespace {

Answer head_of(const Answer& answer, const AliasTerms& terms) {
    Answer head = answer;
    if (!terms.with_cname) return head;
    ++head.ancount;
    ++head.ttl_count;
    head.flags &= static_cast<std::uint16_t>(~kAd);  // the CNAME is our own, unsigned data
    const bool is_asked = terms.qtype == kCname || terms.qtype == kAny;
    if (is_asked && head.rcode == kNoError) head.negative = head.has_soa = false;
    return head;
}

}  // namespace

std::size_t write_alias_answer(const Answer& answer, const AliasTerms& terms,
                               std::span<std::uint8_t> block) noexcept {
    AnswerWriter writer(answer, terms.asked, terms.alias, terms.age_s, block);
    if (!writer.begin(head_of(answer, terms))) return 0;
    if (terms.with_cname && !writer.put_cname(terms.cname_ttl_s)) return 0;
    BodyRecord record;
    for (unsigned r = 0; r < answer.ttl_count; ++r) {
        if (!writer.read(r, record.end, record) || !writer.copy(record)) return 0;
    }
    return writer.finish();
}

}  // namespace steer::dns
