// A response policy zone as a set of names: the blocked ones, or the passed ones.
//
// A set contains names without actions. "d" is only d. "*.d" is the names below d, which a set can
// only contain together with d. Every other record of the zone (other actions, data, names,
// addresses) is a bad line.
#include <boost/unordered/unordered_flat_set.hpp>
#include <string>
#include <utility>
#include <vector>

#include "matchers/list/lines.h"
#include "matchers/list/name_list.h"
#include "matchers/list/rpz_zone.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::matchers {
namespace {

struct SetTrigger {
    std::string name;
    bool below;
    int line;
};

constexpr std::string_view kUsePlugin = "use a plugin of type 'rpz'";

}  // namespace

NameList read_rpz(std::string_view bytes, std::string_view file, bool passthru) {
    NameList out{{{}, BadLines(file)}};
    std::vector<SetTrigger> triggers;
    std::vector<std::pair<Error, int>> more_bad;
    out.list.bad = read_rpz_zone(bytes, file, {}, [&](const RpzRecord& record) {
        const auto refuse = [&](std::string_view what) {
            more_bad.emplace_back(
                Error{quoted(record.owner) + " " + std::string(what) +
                      ", which a set of names does not support: " + std::string(kUsePlugin)},
                record.line);
        };
        if (!record.is_of_name()) return refuse("has a trigger other than a name");
        const bool lets_through = record.action == RpzRecord::Action::passthru;
        if (!lets_through && !record.blocks()) {
            if (passthru) {
                ++out.left_out;
                return;
            }
            return refuse("has an action other than blocking");
        }
        if (lets_through != passthru) {
            ++out.left_out;
            return;
        }
        triggers.push_back({record.name, record.trigger == RpzRecord::Trigger::below, record.line});
    });
    for (auto& [error, line] : more_bad)
        out.list.bad.add(std::move(error), line);

    boost::unordered_flat_set<std::string_view> alone, below;
    for (const SetTrigger& t : triggers)
        (t.below ? below : alone).insert(t.name);
    for (const SetTrigger& t : triggers) {
        if (!t.below && below.contains(t.name)) continue;  // its other line covers both
        if (t.below && !alone.contains(t.name)) {
            out.list.bad.add(
                {quoted("*." + t.name) + " without " + quoted(t.name) +
                 ": a set of names does not support subdomains without their parent; " +
                 std::string(kUsePlugin)},
                t.line);
            continue;
        }
        auto name = parse_name(
            t.name, {.any_escape = true, .stars = true, .printable = true, .numbers = true});
        if (name) {
            out.list.rules.push_back(
                {{t.below ? RuleKind::domain : RuleKind::full, *std::move(name)}, t.line});
        } else {
            out.list.bad.add(std::move(name).error(), t.line);
        }
    }
    return out;
}

}  // namespace steer::matchers
