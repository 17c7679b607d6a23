#include "dataplane/answer/live_answers.h"

#include "dataplane/dns/query.h"

namespace steer {

const dns::Answer* LiveTable::find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                   std::uint16_t qclass,
                                   matchers::NameMatcher::Scratch& scratch) const noexcept {
    if (qclass != dns::kIn) return nullptr;
    const AnswerTable::Range* const range = names.find_name(qname, scratch);
    if (range == nullptr) return nullptr;
    const AnswerRef found = names.find_typed(*range, qtype, qclass);
    const AnswerRef answer = found != kNoAnswer ? found : nothing;
    return answer == kNoAnswer ? nullptr : &answers.at(answer);
}

}  // namespace steer
