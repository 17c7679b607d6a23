// Static records as in RouterOS's /ip/dns/static. Entries are checked in their order. The first one
// that matches the name and has data for the asked type is used.
//
// An entry for an alias, a forwarder or NXDOMAIN has data for every type. An entry's effect is a
// prebuilt answer or another name to resolve, and the place where the program continues (to claim a
// list, to query a forwarder). A name without an entry for this type still exists. So its answer is
// never NXDOMAIN, even if an upstream reports it.
//
// Built by control/program/build, then immutable. Workers may search it at the same time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/answer/answer_store.h"
#include "matchers/name_values.h"

namespace steer {

struct StaticRecords {
    struct Does {
        AnswerRef answer = kNoAnswer;    // send this answer, ...
        std::uint16_t alias = kNoAlias;  // or resolve this index of Snapshot::redirect_targets,
        std::uint16_t pc = 0;            // and, except for an alias, continue the program here
    };
    static constexpr std::uint16_t kNoAlias = 0xffff;
    struct ByType {
        std::uint16_t qtype;
        matchers::NameValues names;  // values: indexes of `does`
    };

    std::vector<ByType> by_type;   // types that any entry has records for, ascending
    matchers::NameValues by_name;  // for all other types
    std::vector<Does> does;
    AnswerRef nothing = kNoAnswer;  // NOERROR without records

    // Returns nullptr if no entry of this name (class IN) has data for the type. `qname`:
    // lower-cased wire form.
    [[nodiscard]] const Does* find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                   matchers::NameMatcher::Scratch& scratch) const noexcept;
};

}  // namespace steer
