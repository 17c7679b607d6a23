#include "control/program/build/policy_action.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dataplane/dns/wire.h"

namespace steer::build {
namespace {

// One answer for each type of the records; NODATA for other types.
void set_records(const config::RpzAction& action, KnownAnswers& known,
                 std::vector<AnswerTable::Typed>& typed, std::vector<std::uint16_t>& too_long,
                 PolicyAction& out) {
    std::map<std::uint16_t, std::vector<config::KnownRecord>> sets;
    std::set<std::pair<std::uint16_t, std::vector<std::uint8_t>>> known_data;
    std::uint32_t least_ttl_s = action.ttl_s;
    for (const config::KnownRecord& record : action.records) {
        least_ttl_s = std::min(least_ttl_s, record.ttl_s);
        if (known_data.emplace(record.type, record.rdata).second)
            sets[record.type].push_back(record);
    }
    out.typed.first = static_cast<std::uint32_t>(typed.size());
    for (const auto& [type, records] : sets) {
        const AnswerRef answer = known.unkept(known.of_records(type, dns::kIn, records));
        if (answer == kNoAnswer) {
            too_long.push_back(type);
        } else {
            typed.push_back({type, dns::kIn, answer});
        }
    }
    out.typed.count = static_cast<std::uint32_t>(typed.size()) - out.typed.first;
    out.answer = known.unkept(known.negative(dns::kNoError, least_ttl_s));
}

}  // namespace

std::optional<PolicyAction> policy_action(const config::RpzAction& action, KnownAnswers& known,
                                          std::vector<AnswerTable::Typed>& typed,
                                          const AliasNumber& alias,
                                          std::vector<std::uint16_t>& too_long) {
    using Does = config::RpzAction::Does;
    using Done = PolicyAction::Does;
    PolicyAction out;
    switch (action.does) {
        case Does::nxdomain:
            out.answer = known.unkept(known.negative(dns::kNxDomain, action.ttl_s));
            break;
        case Does::nodata:
            out.answer = known.unkept(known.negative(dns::kNoError, action.ttl_s));
            break;
        case Does::passthru:
            out.does = Done::passthru;
            break;
        case Does::drop:
            out.does = Done::drop;
            break;
        case Does::tcp_only:
            out.does = Done::tcp_only;
            out.answer = known.unkept(known.truncated());
            break;
        case Does::alias:
            out.answer = known.unkept(known.of_records(
                dns::kCname, dns::kIn, {{dns::kCname, dns::kIn, action.ttl_s, action.target}}));
            [[fallthrough]];
        case Does::alias_below: {
            out.does = Done::alias;
            const auto number = alias(action);
            if (!number) return std::nullopt;
            out.alias = *number;
            break;
        }
        case Does::records:
            out.does = Done::records;
            set_records(action, known, typed, too_long, out);
            break;
    }
    return out;
}

BlockNotice block_notice(const config::BlockTerms& terms) {
    return {.code = terms.legal       ? dns::Ede::censored
                    : terms.requested ? dns::Ede::filtered
                                      : dns::Ede::blocked,
            .text = terms.public_name};
}

}  // namespace steer::build
