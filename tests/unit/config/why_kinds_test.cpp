// `why` beside a naive reading of why_kinds.yaml: each rule there has the name that it holds for in a comment.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "control/config/advice/why.h"
#include "control/config/load.h"
#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

namespace fs = std::filesystem;
const fs::path kFile = fs::path(STEER_SOURCE_ROOT) / "tests/unit/config/why_kinds.yaml";

std::map<std::string, std::set<int>> marks() {
    std::map<std::string, std::set<int>> out;
    std::ifstream in(kFile);
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        constexpr std::string_view kMark = "# holds ";
        const std::size_t at = line.find(kMark);
        if (at != std::string::npos) out[line.substr(at + kMark.size())].insert(number);
    }
    return out;
}

BOOST_AUTO_TEST_SUITE(why_kinds)

BOOST_AUTO_TEST_CASE(why_names_the_line_of_each_rule_of_each_kind) {
    const auto loaded = load(kFile);
    for (const Error& e : loaded.errors)
        BOOST_TEST_MESSAGE(e.sentence());
    BOOST_REQUIRE(loaded.ok());
    const auto expected = marks();
    BOOST_TEST(expected.size() > 15U);
    for (const auto& [name, lines] : expected) {
        const auto rules = rules_for(loaded.settings, name);
        BOOST_REQUIRE(rules.has_value());
        std::set<int> found;
        for (const HoldingRule& rule : *rules) {
            BOOST_TEST(fs::path(rule.file).filename() == kFile.filename());
            found.insert(rule.line);
        }
        BOOST_TEST(found == lines, name << " has other lines");
    }
}

// A new type must be in why_kinds.yaml, or in this list. Servers and sinks of addresses have no rules for names.
BOOST_AUTO_TEST_CASE(every_type_of_plugin_has_its_rules_in_the_file_or_has_none) {
    // The first six have theirs in files (why_test.cpp, geosite_test.cpp) or at run time; the
    // others have none for names.
    const std::set<std::string_view> kOthers{"adguard_rule",
                                             "geosite",
                                             "rpz",
                                             "dynamic_domain_set",
                                             "dhcp_leases",
                                             "secondary",
                                             "any_match",
                                             "black_hole",
                                             "cache",
                                             "client_group",
                                             "client_host",
                                             "client_ip",
                                             "client_mac",
                                             "cron",
                                             "debug_print",
                                             "download",
                                             "drop_resp",
                                             "ecs",
                                             "ecs_handler",
                                             "env",
                                             "_false",
                                             "fallback",
                                             "forward_edns0opt",
                                             "geoip",
                                             "has_resp",
                                             "has_wanted_ans",
                                             "ip_set",
                                             "learn_domain",
                                             "mark",
                                             "metrics_collector",
                                             "prefer_ipv4",
                                             "prefer_ipv6",
                                             "ptr_ip",
                                             "qclass",
                                             "qtype",
                                             "query_recorder",
                                             "query_summary",
                                             "random",
                                             "rate_limiter",
                                             "rcode",
                                             "recursion",
                                             "reload",
                                             "reload_provider",
                                             "resp_ip",
                                             "reverse_lookup",
                                             "ros_list",
                                             "sleep",
                                             "string_exp",
                                             "time",
                                             "_true",
                                             "ttl",
                                             "vlan"};
    const auto loaded = load(kFile);
    std::set<std::string_view> used;
    for (const Plugin& plugin : loaded.settings.plugins)
        used.insert(plugin.type);
    for (const PluginType* const type : plugin_types()) {
        if (type->role == Role::server || type->extras.sink != Sink::none) continue;
        BOOST_TEST((used.contains(type->name) || kOthers.contains(type->name)), type->name);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::config
