#include "dataplane/answer/static_records.h"

#include <algorithm>

namespace steer {

const StaticRecords::Does* StaticRecords::find(
    std::span<const std::uint8_t> qname, std::uint16_t qtype,
    matchers::NameMatcher::Scratch& scratch) const noexcept {
    const auto at = std::lower_bound(by_type.begin(), by_type.end(), qtype,
                                     [](const ByType& t, std::uint16_t q) { return t.qtype < q; });
    const matchers::NameValues& names =
        at != by_type.end() && at->qtype == qtype ? at->names : by_name;
    const std::uint32_t value = names.find(qname, scratch);
    return value == matchers::NameValues::kNone ? nullptr : &does[value];
}

}  // namespace steer
