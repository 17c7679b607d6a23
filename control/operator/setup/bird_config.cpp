#include "control/operator/setup/bird_config.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "control/sinks/set_process/route_marks.h"
#include "matchers/safe_text.h"

namespace steer::setup {
namespace {

constexpr int kFirstPreference =
    1000;                   // of an address in several lists, the first list's route is announced
constexpr int kScanS = 20;  // BIRD reads whole tables, in case it missed a change
constexpr int kReceiveBytes = 32 << 20;  // for bursts of changes: 100,000 routes at once

// "(64500,101)", and the attribute that holds it.
struct Community {
    explicit Community(std::string_view text)
        : attribute(std::ranges::count(text, ':') == 2 ? "bgp_large_community" : "bgp_community"),
          value("(" + std::string(text) + ")") {
        std::ranges::replace(value, ':', ',');
    }
    std::string attribute, value;
};

struct BirdList {
    const config::Plugin& plugin;
    const config::KernelSets& sets;
    int preference;
    [[nodiscard]] const config::BgpRoutes& routes() const { return *sets.routes; }
    [[nodiscard]] const std::optional<config::KernelSet>& set(bool v6) const {
        return v6 ? sets.v6 : sets.v4;
    }
    [[nodiscard]] const std::string& next_hop(bool v6) const {
        return v6 ? routes().next_hop6 : routes().next_hop4;
    }
};

std::string table_of(bool v6) {
    return v6 ? "steerdns6" : "steerdns4";
}

void write_list(std::string& out, const BirdList& list, bool v6) {
    const std::string all = table_of(v6), number = list.set(v6)->table;
    const std::string own = all + "_" + number;
    const Community community(list.routes().community);
    const std::string family = v6 ? "ipv6" : "ipv4";
    out += family + " table " + own + ";\n";
    out += "protocol kernel " + own + "_kernel {\n    kernel table " + number +
           ";\n    learn;\n    scan time " + std::to_string(kScanS) + ";\n    netlink rx buffer " +
           std::to_string(kReceiveBytes) + ";\n    " + family + " {\n        table " + own +
           ";\n        import filter {\n            if krt_source != " +
           std::to_string(sets::kRouteProtocol) + " then reject;\n            " +
           community.attribute + ".add(" + community.value +
           ");\n            preference = " + std::to_string(list.preference) +
           ";\n            accept;\n        };\n        export none;\n    };\n}\n";
    out += "protocol pipe " + own + "_pipe {\n    table " + all + ";\n    peer table " + own +
           ";\n    import all;\n    export none;\n}\n";
}

// What a peer gets. A next hop can be set in an export filter only; the preference says which list it is.
void write_export(std::string& out, const std::vector<BirdList>& lists, bool v6) {
    out += "filter " + table_of(v6) + "_export {\n";
    for (const BirdList& list : lists) {
        if (!list.set(v6) || list.next_hop(v6).empty()) continue;
        out += "    if preference = " + std::to_string(list.preference) +
               " then bgp_next_hop = " + list.next_hop(v6) + ";\n";
    }
    out += "    accept;\n}\n";
}

}  // namespace

Result<std::string> bird_config(const config::Settings& settings) {
    std::vector<BirdList> lists;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const sets = std::get_if<config::KernelSets>(&plugin.args);
        if (sets != nullptr && sets->routes)
            lists.push_back({plugin, *sets, kFirstPreference - static_cast<int>(lists.size())});
    }
    if (lists.empty()) {
        return Error{
            "there is no bgp_route: BIRD has nothing to announce; add one (docs/guides/"
            "bgp.md)",
            settings.file};
    }
    std::string out =
        "# BIRD 2: the lists of " + safe_text(settings.file) +
        ", made by steerdnsd --bird-config (docs/guides/bgp.md).\n# Include it in bird.conf, and "
        "export the tables to your peers as shown at the end.\n\n";
    for (const bool v6 : {false, true}) {
        const auto has = [v6](const BirdList& list) { return list.set(v6).has_value(); };
        if (!std::ranges::any_of(lists, has)) continue;
        out += std::string(v6 ? "ipv6" : "ipv4") + " table " + table_of(v6) + ";\n\n";
        for (const BirdList& list : lists) {
            if (!has(list)) continue;
            out += "# bgp_route '" + safe_text(list.plugin.tag) + "', community " +
                   list.routes().community + "\n";
            write_list(out, list, v6);
            out += "\n";
        }
        write_export(out, lists, v6);
        out += "\n";
    }
    out +=
        "# In bird.conf:\n#\n#   protocol device { }\n#   protocol bgp edge1 {\n"
        "#       local as 64500;\n#       neighbor 192.0.2.1 as 64500;\n";
    for (const bool v6 : {false, true}) {
        if (!std::ranges::any_of(lists,
                                 [v6](const auto& list) { return list.set(v6).has_value(); }))
            continue;
        out += std::string("#       ") + (v6 ? "ipv6" : "ipv4") + " { table " + table_of(v6) +
               "; import none; export filter " + table_of(v6) + "_export; };\n";
    }
    out += "#   }\n";
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace steer::setup
