// Unreadable menus, missing functions of the router's version, and routers whose menus contradict
// their version.
#include <algorithm>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

using routeros::Feature;
using routeros::FeatureId;
using routeros::Version;

// A menu of devices with a switch chip: others do not have it, whatever their version.
bool is_of_hardware(const Table& table) {
    return table.feature == "doctor, switch chips";
}

Finding advice_on(std::string check, std::string what, std::string why, std::string advice) {
    Finding finding = problem(std::move(check), std::move(what), std::move(why), std::move(advice));
    finding.level = Level::advice;
    return finding;
}

// What only newer versions have.
struct Sign {
    std::string what;
    Version first;
};

std::vector<Sign> signs_of(const RouterFacts& router) {
    std::vector<Sign> signs;
    for (const auto& [menu, table] : router.tables) {
        const Feature* const feature = routeros::find_feature(table.feature);
        if (feature != nullptr && table.error.empty()) signs.push_back({menu, feature->first});
    }
    for (const Row& row : router.table("/ip/service").rows) {
        if (row.has("max-sessions"))
            signs.push_back(
                {"max-sessions in /ip/service", routeros::feature(FeatureId::max_sessions).first});
        if (row.is("dynamic")) signs.push_back({"connections in /ip/service", {7, 19, 0}});
    }
    return signs;
}

// The newest sign that the version does not explain.
void check_signs(const RouterFacts& router, const Version& version, Findings& out) {
    Sign newest{{}, version};
    for (const Sign& sign : signs_of(router)) {
        const bool is_newer = std::pair(newest.first.major, newest.first.minor) <
                              std::pair(sign.first.major, sign.first.minor);
        if (is_newer) newest = sign;
    }
    if (newest.what.empty()) return;
    out.push_back(advice_on("version-contradicted",
                            "the router reports RouterOS " + router.version + ", but it has " +
                                newest.what + ", which came with " + newest.first.to_string(),
                            "SteerDNS cannot tell from this version what the router can do",
                            "look at the version on the router itself: /system package print"));
}

void check_absent(const RouterFacts& router, const std::string& menu, const Table& table,
                  const std::optional<Version>& version, Findings& out) {
    if (is_of_hardware(table)) return;
    const Feature* const feature = routeros::find_feature(table.feature);
    const Version first = feature != nullptr ? feature->first : routeros::kOldestCompared;
    if (version && feature != nullptr && *version < first) return;  // check_features()
    const bool must_be_there = version && *version >= first;
    out.push_back(
        must_be_there
            ? advice_on("menu-hidden",
                        "the router reports RouterOS " + router.version + ", which has " + menu +
                            ", but refuses it: " + table.error,
                        "the checks that need it were left out",
                        "look with a user with all rights, and at /system package print: the "
                        "user's rights hide the menu, or another version runs")
            : advice_on("menu-unread", menu + " does not exist on this router",
                        "the checks that need it were left out", "a newer RouterOS has it"));
}

}  // namespace

void check_menus(const RouterFacts& router, Findings& out) {
    const auto version = router.parsed_version();
    if (!version)
        out.push_back(advice_on(
            "version-unknown",
            router.version.empty() ? "the router does not report its version"
                                   : "the router reports the version \"" + router.version +
                                         "\", which is none of RouterOS",
            "SteerDNS cannot tell what the router can do", "look at /system resource print"));
    for (const auto& [menu, table] : router.tables) {
        if (table.is_absent()) {
            check_absent(router, menu, table, version, out);
        } else if (!table.error.empty()) {
            out.push_back(advice_on("menu-unread", menu + " cannot be read: " + table.error,
                                    "the checks that need it were left out",
                                    "give the user's group the policy read"));
        }
    }
    if (version) check_signs(router, *version, out);
}

void check_features(const RouterFacts& router, const Expected& expected, Findings& out) {
    const auto version = router.parsed_version();
    if (!version) return;
    for (const FeatureId id : expected.features) {
        if (!routeros::lacks(*version, routeros::feature(id))) continue;
        out.push_back(problem("version-lacks", routeros::lack_text(*version, routeros::feature(id)),
                              "the configuration uses it", "update the router"));
    }
}

}  // namespace steer::doctor
