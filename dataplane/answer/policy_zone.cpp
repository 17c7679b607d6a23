#include "dataplane/answer/policy_zone.h"

#include "dataplane/dns/wire.h"

namespace steer {

AnswerRef answer_for(const PolicyAction& action, std::span<const AnswerTable::Typed> typed,
                     std::uint16_t qtype) noexcept {
    const auto own = typed.subspan(action.typed.first, action.typed.count);
    if (own.empty()) return kNoAnswer;
    if (qtype == dns::kAny) return own.front().answer;  // RFC 8482
    for (const AnswerTable::Typed& one : own) {
        if (one.qtype == qtype) return one.answer;
    }
    return kNoAnswer;
}

}  // namespace steer
