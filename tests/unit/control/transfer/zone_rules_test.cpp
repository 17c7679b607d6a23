// The rules of zones by transfer that `why` and `explain` show.
#include "control/sources/transfer/zone_rules.h"

#include <memory>
#include <string>

#include "control/sources/transfer/policy_builder.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

using Says = config::HoldingRule::Says;

const std::string kZone = "rpz.example";

struct Policies {
    explicit Policies(const std::string& text) {
        PolicyBuilder builder(wire(kZone),
                              std::make_shared<ZoneTargets>(std::make_shared<LiveTargets>()));
        zone = builder.build(zone_of(text, kZone));
        live->zone = zone.get();
        for (unsigned plugin = 0; plugin < 2; ++plugin) {  // both have the same zone
            Rpz& rpz = snapshot.rpzs.emplace_back();
            rpz.zones.emplace_back().name = "a file";
            rpz.zones.emplace_back().name = "$feed";
            rpz.zones.back().live = live;
        }
    }
    // "rule in", "rule not in"; "-": none.
    std::string at(const std::string& name) const {
        const auto rules = zone_rules(snapshot, name);
        if (rules.empty()) return "-";
        BOOST_TEST(rules.size() == 1U);
        BOOST_TEST(rules.front().source == "$feed");
        BOOST_TEST(!rules.front().is_local);
        return rules.front().rule + " " + std::string(config::text_of(rules.front().says));
    }

    std::shared_ptr<LivePolicy> live = std::make_shared<LivePolicy>();
    std::unique_ptr<const PolicyZone> zone;
    Snapshot snapshot;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(zone_rules_)

BOOST_AUTO_TEST_CASE(the_closest_trigger_of_a_transferred_zone_is_shown) {
    const Policies policies(soa(1) +
                            "bad.example 60 CNAME .\n*.bad.example 60 CNAME .\n"
                            "good.bad.example 60 CNAME rpz-passthru.\n");
    BOOST_TEST(policies.at("Bad.Example.") == "bad.example in");
    BOOST_TEST(policies.at("www.bad.example") == "*.bad.example in");
    BOOST_TEST(policies.at("good.bad.example") == "good.bad.example not in");
    BOOST_TEST(policies.at("other.example") == "-");
    BOOST_TEST(policies.at("not a name..") == "-");
}

BOOST_AUTO_TEST_CASE(a_trigger_for_all_names_is_shown) {
    const Policies policies(soa(1) + "* 60 CNAME .\n");
    BOOST_TEST(policies.at("any.example") == "* in");
}

BOOST_AUTO_TEST_CASE(a_zone_that_is_missing_has_no_rules) {
    Policies policies(soa(1) + "* 60 CNAME .\n");
    policies.live->zone = nullptr;
    BOOST_TEST(policies.at("any.example") == "-");
}

BOOST_AUTO_TEST_CASE(rules_belong_to_the_plugins_that_use_the_zone) {
    config::Settings settings;
    settings.plugins.resize(4);
    settings.plugins[0].tag = "feed";
    settings.plugins[0].args = config::Secondary{};
    config::Rpz rpz;
    rpz.zones.emplace_back().secondary = 0;
    settings.plugins[2].args = rpz;
    config::Zone local;
    local.secondary = 0;
    settings.plugins[3].args = local;
    std::vector<config::HoldingRule> rules{{1, Says::in, "first", "", 1, 1},
                                           {3, Says::in, "last", "", 1, 1}};
    add_zone_rules(settings, {{"$feed", false, Says::not_in, "bad.example"}}, rules);
    BOOST_REQUIRE(rules.size() == 3U);
    BOOST_TEST(rules[1].plugin == 2U);
    BOOST_TEST(rules[1].rule == "bad.example");
    BOOST_TEST(rules[1].file == "$feed");
    BOOST_TEST((rules[1].says == Says::not_in));
    add_zone_rules(settings, {{"$feed", true, Says::in, "corp.example"}}, rules);
    BOOST_REQUIRE(rules.size() == 4U);
    BOOST_TEST(rules[3].plugin == 3U);
    BOOST_TEST(rules[3].rule == "corp.example");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
