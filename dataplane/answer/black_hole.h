// The same three answers for every name: one for A, one for AAAA (both of class IN), one for all
// other types.
#pragma once

#include "dataplane/answer/answer_store.h"

namespace steer {

struct BlackHole {
    AnswerRef a, aaaa, other;
    bool blocks = false;  // names of a list or a rule; false: names that the program itself answers

    [[nodiscard]] AnswerRef of(std::uint16_t qtype, std::uint16_t qclass) const noexcept {
        if (qclass != dns::kIn) return other;
        return qtype == dns::kA ? a : qtype == dns::kAaaa ? aaaa : other;
    }
};

}  // namespace steer
