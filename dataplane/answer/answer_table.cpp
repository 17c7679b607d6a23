#include "dataplane/answer/answer_table.h"

namespace steer {

const AnswerTable::Range* AnswerTable::find_name(
    std::span<const std::uint8_t> qname, matchers::NameMatcher::Scratch& scratch) const noexcept {
    const std::uint32_t value = names.find(qname, scratch);
    return value == matchers::NameValues::kNone ? nullptr : &values[value];
}

AnswerRef AnswerTable::find_typed(const Range& range, std::uint16_t qtype,
                                  std::uint16_t qclass) const noexcept {
    for (std::uint32_t i = range.first; i < range.first + range.count; ++i) {
        if (typed[i].qtype == qtype && typed[i].qclass == qclass) return typed[i].answer;
    }
    return kNoAnswer;
}

AnswerRef AnswerTable::find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                            std::uint16_t qclass,
                            matchers::NameMatcher::Scratch& scratch) const noexcept {
    const Range* const range = find_name(qname, scratch);
    return range == nullptr ? kNoAnswer : find_typed(*range, qtype, qclass);
}

}  // namespace steer
