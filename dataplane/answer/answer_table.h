// Answers by name, type and class, for `hosts` and `arbitrary`. Immutable. Workers may search it at
// the same time.
//
// Each name maps to one value (matchers/name_values.h), which has an answer for each type of the
// name.
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
        std::uint32_t first, count;  // range of `typed`
    };

    matchers::NameValues names;  // values: indexes of `values`
    std::vector<Range> values;
    std::vector<Typed> typed;

    // Returns nullptr if the table does not have the name. `qname`: lower-cased wire form.
    [[nodiscard]] const Range* find_name(std::span<const std::uint8_t> qname,
                                         matchers::NameMatcher::Scratch& scratch) const noexcept;
    // Returns kNoAnswer if the name has no answer of this type.
    [[nodiscard]] AnswerRef find_typed(const Range& range, std::uint16_t qtype,
                                       std::uint16_t qclass) const noexcept;
    // Finds the name and the type. Returns kNoAnswer if one of them is missing.
    [[nodiscard]] AnswerRef find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                 std::uint16_t qclass,
                                 matchers::NameMatcher::Scratch& scratch) const noexcept;
};

}  // namespace steer
