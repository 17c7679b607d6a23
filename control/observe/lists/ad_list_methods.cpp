#include "control/observe/lists/list_reports.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <utility>

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::uint64_t kLongestPauseS = 30 * 86'400;

bool is_pausable(const AdList& list) {
    return !std::ranges::all_of(list.lists, &AdList::Part::is_legal);
}

value ad_lists_json(const Snapshot& snapshot, Now now) {
    array out;
    for (const AdList& list : snapshot.ad_lists) {
        for (const AdList::Part& part : list.lists) {
            out.push_back(object{{"tag", list.tag},
                                 {"list", part.name},
                                 {"names", part.names},
                                 {"matches", part.matches->total()},
                                 {"legal", part.is_legal},
                                 {"paused_s", part.is_legal ? 0 : pause_left_s(list, now)}});
        }
    }
    return object{{"adlists", std::move(out)}};
}

// Of the adlist with that tag, or of all.
ops::RpcResult set_pause(const Snapshot& snapshot, const ops::Arguments& asked,
                         std::uint32_t until_s, Now now) {
    if (snapshot.ad_lists.empty())
        return ops::bad_params("the configuration has no adlist that queries come to");
    const auto tag = asked.find_text("tag");
    const auto is_meant = [&](const AdList& list) { return !tag || *tag == list.tag; };
    if (std::none_of(snapshot.ad_lists.begin(), snapshot.ad_lists.end(), is_meant))
        return ops::bad_params("there is no adlist '" + *tag +
                               "' that queries come to: see 'steerctl adlist'");
    const bool is_end = until_s == 0;
    if (!is_end && std::ranges::none_of(snapshot.ad_lists, [&](const AdList& list) {
            return is_meant(list) && is_pausable(list);
        }))
        return ops::bad_params(
            "its lists are marked `legal`, which no pause ends: an admin suspends them by "
            "'steerctl pause --legal'");
    for (const AdList& list : snapshot.ad_lists) {
        if (is_meant(list) && (is_end || is_pausable(list)))
            list.paused_until_s->store(until_s, std::memory_order_relaxed);
    }
    return ad_lists_json(snapshot, now);
}

ops::RpcResult pause(const Snapshot& snapshot, const ops::Arguments& asked, Now now) {
    const auto seconds = static_cast<std::uint32_t>(asked.number("seconds", 0));
    return set_pause(snapshot, asked, now.s() + seconds, now);
}

}  // namespace

std::uint32_t pause_left_s(const AdList& list, Now now) {
    const std::uint32_t until_s = list.paused_until_s->load(std::memory_order_relaxed);
    return is_pausable(list) && until_s > now.s() ? until_s - now.s() : 0;
}

void add_ad_list_methods(ops::Methods& methods, std::function<const Snapshot&()> snapshot,
                         Clock& clock) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kTag{"tag", ParamType::text, "the tag of an adlist; without it, all"};
    methods.add({.name = "adlist",
                 .help = "Shows the lists of each adlist: names, matches, and the pause.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .run = [snapshot, &clock](const ops::Arguments&) -> ops::RpcResult {
                     return ad_lists_json(snapshot(), clock.now());
                 },
                 .members = "adlists",
                 .result = "each adlist with its lists, names, matches and pause"});
    methods.add(
        {.name = "adlist.pause",
         .help = "Stops blocking for some time. A reload does not end the pause, a restart does.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {{"seconds", ParamType::number, "length of the pause in seconds", true, 1,
                         kLongestPauseS, "s"},
                        kTag},
         .run = [snapshot, &clock](
                    const ops::Arguments& asked) { return pause(snapshot(), asked, clock.now()); },
         .members = "adlists",
         .result = "as `adlist`"});
    methods.add({.name = "adlist.resume",
                 .help = "Ends a pause.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .parameters = {kTag},
                 .run =
                     [snapshot = std::move(snapshot), &clock](const ops::Arguments& asked) {
                         return set_pause(snapshot(), asked, 0, clock.now());
                     },
                 .members = "adlists",
                 .result = "as `adlist`"});
}

void write_ad_list_metrics(ops::MetricWriter& writer, const Snapshot& snapshot, Now now) {
    for (const AdList& list : snapshot.ad_lists) {
        for (const AdList::Part& part : list.lists) {
            writer.family("steerdns_adlist_names");
            writer.sample({{"plugin", list.tag}, {"list", part.name}}, std::uint64_t{part.names});
            writer.family("steerdns_adlist_matches");
            writer.sample({{"plugin", list.tag}, {"list", part.name}}, part.matches->total());
        }
        writer.family("steerdns_adlist_paused");
        writer.sample({{"plugin", list.tag}}, std::uint64_t{pause_left_s(list, now) > 0 ? 1U : 0U});
    }
    for (const Rpz& rpz : snapshot.rpzs) {
        for (const Rpz::Zone& zone : rpz.zones) {
            writer.family("steerdns_rpz_triggers");
            const PolicyZone* const live = zone.load();
            writer.sample({{"plugin", rpz.tag}, {"zone", zone.name}},
                          live == nullptr ? std::uint64_t{zone.rules} : live->triggers);
            writer.family("steerdns_rpz_matches");
            writer.sample({{"plugin", rpz.tag}, {"zone", zone.name}}, zone.matches->total());
        }
    }
}

}  // namespace steer
