#include "dataplane/answer/live_answers.h"

#include "dataplane/dns/query.h"

namespace steer {

const dns::Answer* LiveTable::find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                   std::uint16_t qclass,
                                   matchers::NameMatcher::Scratch& scratch) const noexcept {
    if (qclass != dns::kIn) return nullptr;
    const AnswerRef found = names.find(qname, qtype, qclass, scratch);
    if (found != kNoAnswer) return &answers.at(found);
    const bool is_known = names.names.find(qname, scratch) != matchers::NameValues::kNone;
    return is_known && nothing != kNoAnswer ? &answers.at(nothing) : nullptr;
}

}  // namespace steer
