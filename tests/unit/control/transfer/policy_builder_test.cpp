// A transferred policy zone has the meaning that its text has in a file.
#include "control/sources/transfer/policy_builder.h"

#include <map>
#include <sstream>

#include "control/sources/transfer/zone_file.h"
#include "dataplane/answer/rpz.h"
#include "dataplane/dns/name.h"
#include "matchers/list/rpz_zone.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

const std::string kPolicy = "rpz.example";
using Does = PolicyAction::Does;

const std::string kPolicyText = soa(1) +
                                "@ 300 NS localhost.\n"
                                "bad.example 300 CNAME .\n"
                                "*.bad.example 300 CNAME .\n"
                                "none.example 300 CNAME *.\n"
                                "good.bad.example 300 CNAME rpz-passthru.\n"
                                "own.example 300 CNAME own.example.\n"
                                "gone.example 300 CNAME rpz-drop.\n"
                                "tcp.example 300 CNAME rpz-tcp-only.\n"
                                "other.example 300 CNAME walled.example.\n"
                                "logged.example 300 CNAME *.log.example.\n"
                                "data.example 60 A 192.0.2.20\n"
                                "data.example 60 AAAA 2001:db8::20\n"
                                "24.0.2.0.192.rpz-client-ip 300 CNAME rpz-passthru.\n"
                                "32.7.100.51.198.rpz-ip 300 CNAME .\n";

struct Built {
    explicit Built(const std::string& text)
        : contents(zone_of(text, kPolicy)),
          builder(wire(kPolicy), std::make_shared<ZoneTargets>(targets)) {
        zone = builder.build(contents);
    }
    void change(const ZoneDifference& by) {
        std::vector<Bytes> touched;
        const auto done = contents.apply({by}, touched);
        BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().text));
        zone = builder.change(contents, touched);
    }
    // The action for a name; "-": none.
    std::string at(const std::string& name) const {
        const auto found = zone->names->find(wire(name), zone->changes.get());
        std::uint32_t action = found.value();
        if (action == PolicyZone::kNone) action = zone->all;
        if (action == PolicyZone::kNone) return "-";
        const auto [of, does] = zone->at(action);
        switch (does.does) {
            case Does::deny:
                return of.answers.at(does.answer).rcode == dns::kNxDomain ? "nxdomain" : "nodata";
            case Does::passthru:
                return "passthru";
            case Does::drop:
                return "drop";
            case Does::tcp_only:
                return "tcp-only";
            case Does::alias:
                return "alias " + std::to_string(does.alias);
            case Does::records:
                return "records " + std::to_string(does.typed.count);
        }
        return "";
    }

    std::shared_ptr<LiveTargets> targets = std::make_shared<LiveTargets>();
    ZoneContents contents;
    PolicyBuilder builder;
    std::unique_ptr<const PolicyZone> zone;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(policy_builder)

BOOST_AUTO_TEST_CASE(each_trigger_and_action) {
    const Built zone(kPolicyText);
    BOOST_TEST(zone.at("bad.example") == "nxdomain");
    BOOST_TEST(zone.at("www.bad.example") == "nxdomain");
    BOOST_TEST(zone.at("good.bad.example") == "passthru");
    BOOST_TEST(zone.at("x.good.bad.example") == "nxdomain");
    BOOST_TEST(zone.at("none.example") == "nodata");
    BOOST_TEST(zone.at("x.none.example") == "-");
    BOOST_TEST(zone.at("own.example") == "passthru");
    BOOST_TEST(zone.at("gone.example") == "drop");
    BOOST_TEST(zone.at("tcp.example") == "tcp-only");
    BOOST_TEST(zone.at("other.example").starts_with("alias"));
    BOOST_TEST(zone.at("logged.example").starts_with("alias"));
    BOOST_TEST(zone.at("data.example") == "records 2");
    BOOST_TEST(zone.zone->triggers == 12U);
    BOOST_TEST(!zone.zone->clients->empty());
    const auto client = zone.zone->clients->find(*IpAddress::parse("192.0.2.9"));
    BOOST_TEST((zone.zone->at(client.value).action.does == Does::passthru));
    const auto address = zone.zone->addresses->find(*IpAddress::parse("198.51.100.7"));
    BOOST_TEST((zone.zone->at(address.value).action.does == Does::deny));
    const LiveTargets::Target& walled = zone.targets->at(0);
    const LiveTargets::Target& log = zone.targets->at(1);
    BOOST_TEST((walled.is_below != log.is_below));
}

// The two readers of a policy zone: of text, and of records.
BOOST_AUTO_TEST_CASE(triggers_and_actions_are_those_of_the_text) {
    std::map<std::string, std::string> by_text, by_records;
    std::ostringstream text;
    write_zone_text(zone_of(kPolicyText, kPolicy), [&](std::string_view piece) { text << piece; });
    const auto kind = [](matchers::RpzRecord::Action action) {
        constexpr std::array<std::string_view, 8> kNames{
            "nxdomain", "nodata", "passthru", "drop", "tcp_only", "alias", "alias_below", "data"};
        return std::string(kNames[static_cast<std::size_t>(action)]);
    };
    const auto bad = matchers::read_rpz_zone(
        text.str(), "zone", "",
        [&](const matchers::RpzRecord& r) { by_text[std::string(r.owner)] = kind(r.action); });
    BOOST_TEST(bad.count() == 0U);
    const ZoneContents contents = zone_of(kPolicyText, kPolicy);
    contents.for_each([&](ByteSpan owner, OwnerRecords records) {
        const auto trigger = policy_trigger(owner, contents.zone());
        BOOST_REQUIRE(trigger);
        if (trigger->kind == PolicyTrigger::Kind::none) return;
        const auto action = policy_action_of(owner, records, contents.zone());
        BOOST_REQUIRE(action);
        constexpr std::array<std::string_view, 8> kNames{
            "nxdomain", "nodata", "passthru", "drop", "tcp_only", "alias", "alias_below", "data"};
        by_records[dns::name_to_text(below_zone(owner, contents.zone()))] =
            kNames[static_cast<std::size_t>(action->does)];
    });
    BOOST_TEST((by_text == by_records));
}

BOOST_AUTO_TEST_CASE(a_change_shares_the_large_table) {
    Built zone(kPolicyText);
    const auto* const names = zone.zone->names.get();
    zone.change(
        difference(1, soa(1) + "bad.example 300 CNAME .\ngone.example 300 CNAME rpz-drop.\n", 2,
                   soa(2) + "new.example 300 CNAME .\ngone.example 300 CNAME *.\n"
                            "fresh.example 60 A 192.0.2.77\n"
                            "32.8.100.51.198.rpz-ip 300 CNAME rpz-drop.\n",
                   kPolicy));
    BOOST_TEST(zone.zone->names.get() == names);
    BOOST_REQUIRE(zone.zone->changes != nullptr);
    BOOST_TEST(zone.zone->changes->size() == 4U);
    BOOST_TEST(zone.at("bad.example") == "-");
    BOOST_TEST(zone.at("www.bad.example") == "nxdomain");
    BOOST_TEST(zone.at("new.example") == "nxdomain");
    BOOST_TEST(zone.at("gone.example") == "nodata");
    BOOST_TEST(zone.at("fresh.example") == "records 1");
    BOOST_TEST(zone.zone->serial == 2U);
    const auto address = zone.zone->addresses->find(*IpAddress::parse("198.51.100.8"));
    BOOST_TEST((zone.zone->at(address.value).action.does == Does::drop));
    // And back, over the same changes.
    zone.change(difference(2, soa(2) + "new.example 300 CNAME .\n", 3,
                           soa(3) + "bad.example 300 CNAME .\n* 300 CNAME rpz-passthru.\n",
                           kPolicy));
    BOOST_TEST(zone.at("bad.example") == "nxdomain");
    BOOST_TEST(zone.at("new.example") == "passthru");
    BOOST_TEST(zone.at("fresh.example") == "records 1");
    const std::uint64_t triggers = zone.zone->triggers;
    zone.contents.merge();
    zone.zone = zone.builder.merge(zone.contents);
    BOOST_TEST(zone.zone->changes == nullptr);
    BOOST_TEST(zone.zone->triggers == triggers);
    BOOST_TEST(zone.at("bad.example") == "nxdomain");
    BOOST_TEST(zone.at("gone.example") == "nodata");
}

// Each is compared with the ones before by a search, not one by one.
BOOST_AUTO_TEST_CASE(many_records_of_one_name_cost_a_logarithm_each) {
    std::string text = soa(1);
    for (int i = 0; i < 200'000; ++i) {
        text += "large 60 A 10." + std::to_string(i / 62'500) + "." +
                std::to_string(i / 250 % 250) + "." + std::to_string(i % 250) + "\n";
    }
    const Built zone(text);
    BOOST_TEST(zone.contents.records() == 200'001U);
    BOOST_TEST(zone.zone->triggers == 1U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_applied_is_skipped_and_named) {
    Built zone(soa(1) +
               "a.rpz-nsdname 60 CNAME .\nx.rpz-else 60 CNAME .\nc 60 CNAME rpz-what.\n"
               "d 60 CNAME inside.rpz.example.\ne 60 NS ns.example.\ngood 60 CNAME .\n");
    BOOST_TEST(zone.builder.skipped().count == 5U);
    BOOST_TEST(!zone.builder.skipped().first.empty());
    BOOST_TEST(zone.at("good") == "nxdomain");
    BOOST_TEST(zone.at("c") == "-");
    zone.change(
        difference(1, soa(1) + "c 60 CNAME rpz-what.\n", 2, soa(2) + "c 60 CNAME .\n", kPolicy));
    BOOST_TEST(zone.builder.skipped().count == 4U);
    BOOST_TEST(zone.at("c") == "nxdomain");
}

BOOST_AUTO_TEST_CASE(a_zone_cannot_take_the_targets_of_others) {
    const auto all = std::make_shared<LiveTargets>([] { return std::uint64_t{1}; });
    all->divide(4);
    const auto greedy = std::make_shared<ZoneTargets>(all);
    const auto other = std::make_shared<ZoneTargets>(all);
    TargetUses of_greedy, of_other;
    for (std::size_t i = 0; i < 2 * LiveTargets::kMost; ++i) {
        const auto number =
            of_greedy.number_of(greedy, wire("n" + std::to_string(i) + ".example"), false, 60);
        BOOST_REQUIRE(number.has_value() == (i < LiveTargets::kMost / 4));
    }
    const auto known = of_greedy.number_of(greedy, wire("n7.example"), false, 60);
    BOOST_REQUIRE(known.has_value());
    BOOST_TEST((*known == of_greedy.number_of(greedy, wire("n7.example"), false, 60)));
    BOOST_TEST((known != of_greedy.number_of(greedy, wire("n8.example"), false, 60)));
    const auto number = of_other.number_of(other, wire("n7.example"), false, 60);
    BOOST_REQUIRE(number.has_value());
    BOOST_TEST((all->at(*number).name[1] == 'n'));
    BOOST_TEST((*number != *known));
}

BOOST_AUTO_TEST_CASE(a_number_rests_before_another_target_gets_it) {
    std::uint64_t now_s = 1;
    const auto all = std::make_shared<LiveTargets>([&] { return now_s; });
    all->divide(LiveTargets::kMost / 2);
    const auto zone = std::make_shared<ZoneTargets>(all);
    auto uses = std::make_unique<TargetUses>();
    const auto first = uses->number_of(zone, wire("a.example"), false, 60);
    auto copy = std::make_unique<TargetUses>(*uses);
    uses = std::make_unique<TargetUses>();
    BOOST_TEST((uses->number_of(zone, wire("a.example"), false, 60) == first));  // the copy has it
    uses.reset();
    copy.reset();
    TargetUses next;
    BOOST_TEST((next.number_of(zone, wire("b.example"), false, 60).has_value()));
    BOOST_TEST((!next.number_of(zone, wire("c.example"), false, 60).has_value()));
    now_s += LiveTargets::kRestS - 1;
    BOOST_TEST((!next.number_of(zone, wire("c.example"), false, 60).has_value()));
    BOOST_TEST((dns::name_to_text(all->at(*first).bytes()) == "a.example"));
    now_s += 1;
    BOOST_TEST((next.number_of(zone, wire("c.example"), false, 60) == first));
    BOOST_TEST((dns::name_to_text(all->at(*first).bytes()) == "c.example"));
}

// As a feed whose targets change every hour.
BOOST_AUTO_TEST_CASE(transfers_give_back_the_targets_that_they_replace) {
    std::uint64_t now_s = 1;
    const auto all = std::make_shared<LiveTargets>([&] { return now_s; });
    PolicyBuilder builder(wire(kPolicy), std::make_shared<ZoneTargets>(all));
    std::unique_ptr<const PolicyZone> zone;
    for (unsigned serial = 1; serial <= 20; ++serial) {
        std::string text = soa(serial);
        for (int i = 0; i < 1'000; ++i) {
            text += "n" + std::to_string(i) + " 60 CNAME t" + std::to_string(i) + "." +
                    std::to_string(serial) + ".example.\n";
        }
        zone = builder.build(zone_of(text, kPolicy));
        BOOST_REQUIRE(builder.skipped().count == 0U);
        now_s += 3'600;
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
