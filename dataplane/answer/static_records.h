// Records as in RouterOS's /ip/dns/static. Of the entries that match a name, in their order, the first one that has
// data for the asked type decides.
//
// An entry for an alias, a forwarder or NXDOMAIN has data for every type. Its effect is a prebuilt answer or another name
// to ask for, and the place where the program continues (to claim a list, to ask a forwarder). A name with entries but
// none for this type exists, so its answer is never NXDOMAIN, whatever upstreams say.
//
// Built by control/program/build, immutable; any number of workers look up at the same time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/answer/answer_store.h"
#include "matchers/name_values.h"

namespace steer {

struct StaticRecords {
    struct Does {
        AnswerRef answer = kNoAnswer;    // answer with this, ...
        std::uint16_t alias = kNoAlias;  // or ask for this index of Snapshot::redirect_targets,
        std::uint16_t pc = 0;            // and, except for an alias, continue the program here
    };
    static constexpr std::uint16_t kNoAlias = 0xffff;
    struct ByType {
        std::uint16_t qtype;
        matchers::NameValues names;  // to an index of `does`
    };

    std::vector<ByType> by_type;   // for types with records in any entry, ascending
    matchers::NameValues by_name;  // of all other types
    std::vector<Does> does;
    AnswerRef nothing = kNoAnswer;  // NOERROR without records

    // nullptr: no entry of this name (class IN) has data for the type. `qname`: lower-cased wire form.
    [[nodiscard]] const Does* find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                   matchers::NameMatcher::Scratch& scratch) const noexcept;
};

}  // namespace steer
