#include "dataplane/answer/answer_table.h"

namespace steer {

AnswerRef AnswerTable::find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                            std::uint16_t qclass,
                            matchers::NameMatcher::Scratch& scratch) const noexcept {
    const std::uint32_t value = names.find(qname, scratch);
    if (value == matchers::NameValues::kNone) return kNoAnswer;
    const Range& range = values[value];
    for (std::uint32_t i = range.first; i < range.first + range.count; ++i) {
        if (typed[i].qtype == qtype && typed[i].qclass == qclass) return typed[i].answer;
    }
    return kNoAnswer;
}

}  // namespace steer
