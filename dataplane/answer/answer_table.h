// Answers by name, type and class: `hosts` and `arbitrary`. Immutable; any number of workers look up at the same time.
//
// A name finds one value (as in matchers/name_values.h), which has an answer for each of its types.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/answer/answer_store.h"
#include "matchers/name_values.h"

namespace steer {

struct AnswerTable {
    struct Typed {
        std::uint16_t qtype, qclass;
        AnswerRef answer;
    };
    struct Range {
        std::uint32_t first, count;  // of `typed`
    };

    matchers::NameValues names;  // to an index of `values`
    std::vector<Range> values;
    std::vector<Typed> typed;

    // nullptr: the name is not in the table. `qname`: lower-cased wire form.
    [[nodiscard]] const Range* find_name(std::span<const std::uint8_t> qname,
                                         matchers::NameMatcher::Scratch& scratch) const noexcept;
    // kNoAnswer: none.
    [[nodiscard]] AnswerRef find_typed(const Range& range, std::uint16_t qtype,
                                       std::uint16_t qclass) const noexcept;
    // Both; kNoAnswer: none.
    [[nodiscard]] AnswerRef find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                 std::uint16_t qclass,
                                 matchers::NameMatcher::Scratch& scratch) const noexcept;
};

}  // namespace steer
