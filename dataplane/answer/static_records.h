// Records as RouterOS's /ip/dns/static has them: of the entries that match a name, in their order, the first that has
// something for the type that is asked for decides.
//
// An entry for an alias, a forwarder or NXDOMAIN has something for every type. What one does is either an answer that lies
// ready, or another name that is asked for; and then where the program goes on (to claim a list, to ask a forwarder). A name
// that has entries, but none for this type, exists: whoever is asked for the rest, it is never NXDOMAIN.
//
// Built by control/build, immutable; any number of workers look up at the same time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/answer/answer_store.h"
#include "matchers/name_values.h"

namespace steer {

struct StaticRecords {
    struct Does {
        AnswerRef answer = kNoAnswer;    // this, ...
        std::uint16_t alias = kNoAlias;  // or this of Snapshot::redirect_targets is asked for,
        std::uint16_t pc = 0;            // but for an alias: and the program goes on there
    };
    static constexpr std::uint16_t kNoAlias = 0xffff;
    struct ByType {
        std::uint16_t qtype;
        matchers::NameValues names;  // to an index of `does`
    };

    std::vector<ByType> by_type;   // of types that any entry has records of, ascending
    matchers::NameValues by_name;  // of all other types
    std::vector<Does> does;
    AnswerRef nothing = kNoAnswer;  // NOERROR without records

    // nullptr: no entry of this name, of class IN, has anything for the type. `qname`: lower-cased wire form.
    [[nodiscard]] const Does* find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                   matchers::NameMatcher::Scratch& scratch) const noexcept;
};

}  // namespace steer
