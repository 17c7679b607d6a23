#include "control/sources/transfer/policy_builder.h"
#include "dataplane/answer/rpz.h"
#include "dataplane/policy/rewrites.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

using Does = PolicyAction::Does;

const std::string kCorpText =
    "@ 3600 SOA ns admin 1 3600 900 7200 120\n"
    "@ 3600 NS ns\n"
    "ns 3600 A 192.0.2.53\n"
    "www 300 A 192.0.2.80\n"
    "web 300 CNAME www\n"
    "far 300 CNAME www.other.example.\n"
    "lost 300 CNAME nobody\n"
    "loop 300 CNAME ring\n"
    "ring 300 CNAME loop\n"
    "deep.below 300 TXT text\n"
    "*.wild 300 A 192.0.2.99\n"
    "there.wild 300 A 192.0.2.98\n"
    "sub 3600 NS ns.sub\n"
    "ns.sub 3600 A 192.0.2.54\n";

struct Local {
    Local() : contents(zone_of(kCorpText, "corp.example")) {
        zone = build_local_zone(contents, targets, skipped, 100, SIZE_MAX);
    }
    // "A: 192.0.2.80" and so on: what a question gets.
    std::string ask(const std::string& name, std::uint16_t type = dns::kA) const {
        const auto found = zone->names->find(wire(name), nullptr);
        if (found.value() == PolicyZone::kNone) return "-";
        const auto [of, action] = zone->at(found.value());
        if (action.does == Does::passthru) return "passthru";
        if (action.does == Does::alias)
            return "alias " +
                   dns::name_to_text(all->at(action.alias - Rewrites::kFirstLive).bytes());
        AnswerRef ref =
            action.does == Does::records ? answer_for(action, of.typed, type) : kNoAnswer;
        if (ref == kNoAnswer) ref = action.answer;
        const dns::Answer& answer = of.answers.at(ref);
        BOOST_TEST(((answer.flags & dns::kAa) != 0) == (answer.rcode != dns::kServFail));
        BOOST_TEST(answer.for_one);
        return std::to_string(answer.rcode) + "/" + std::to_string(answer.ancount) + "/" +
               std::to_string(answer.nscount);
    }
    std::shared_ptr<LiveTargets> all = std::make_shared<LiveTargets>();
    std::shared_ptr<ZoneTargets> targets = std::make_shared<ZoneTargets>(all);
    Skipped skipped;
    ZoneContents contents;
    std::unique_ptr<const PolicyZone> zone;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(local_zone)

BOOST_AUTO_TEST_CASE(records_nodata_and_nxdomain) {
    const Local zone;
    BOOST_TEST(zone.ask("www.corp.example") == "0/1/0");
    BOOST_TEST(zone.ask("www.corp.example", dns::kAaaa) == "0/0/1");
    BOOST_TEST(zone.ask("nobody.corp.example") == "3/0/1");
    BOOST_TEST(zone.ask("x.www.corp.example") == "3/0/1");
    BOOST_TEST(zone.ask("corp.example", dns::kNs) == "0/1/0");
    BOOST_TEST(zone.ask("below.corp.example") == "0/0/1");  // an empty non-terminal
    BOOST_TEST(zone.ask("www.other.example") == "-");
}

BOOST_AUTO_TEST_CASE(wildcards_belong_to_the_closest_encloser) {
    const Local zone;
    BOOST_TEST(zone.ask("any.wild.corp.example") == "0/1/0");
    BOOST_TEST(zone.ask("a.b.wild.corp.example") == "0/1/0");
    BOOST_TEST(zone.ask("there.wild.corp.example") == "0/1/0");
    BOOST_TEST(zone.ask("x.there.wild.corp.example") == "3/0/1");
}

BOOST_AUTO_TEST_CASE(cnames_inside_are_resolved_and_others_are_asked_for) {
    const Local zone;
    BOOST_TEST(zone.ask("web.corp.example") == "0/2/0");
    BOOST_TEST(zone.ask("web.corp.example", dns::kCname) == "0/1/0");
    BOOST_TEST(zone.ask("web.corp.example", dns::kAaaa) == "0/1/1");
    BOOST_TEST(zone.ask("far.corp.example") == "alias www.other.example");
    BOOST_TEST(zone.ask("lost.corp.example") == "3/1/1");
    BOOST_TEST(zone.ask("loop.corp.example") == "2/0/0");
    BOOST_TEST(zone.skipped.count == 2U);
}

BOOST_AUTO_TEST_CASE(delegations_are_left_to_the_rest_of_the_program) {
    const Local zone;
    BOOST_TEST(zone.ask("sub.corp.example") == "passthru");
    BOOST_TEST(zone.ask("host.sub.corp.example") == "passthru");
    BOOST_TEST(zone.ask("ns.sub.corp.example") == "passthru");
}

BOOST_AUTO_TEST_CASE(names_above_deep_names_count_too) {
    std::string deep = "x";
    for (int i = 0; i < 50; ++i)
        deep += ".x";
    const ZoneContents contents = zone_of(soa(1) + deep + " 60 A 192.0.2.1\n", "corp.example");
    const auto targets = std::make_shared<ZoneTargets>(std::make_shared<LiveTargets>());
    Skipped skipped;
    BOOST_TEST((build_local_zone(contents, targets, skipped, 52, SIZE_MAX) != nullptr));
    BOOST_TEST((build_local_zone(contents, targets, skipped, 51, SIZE_MAX) == nullptr));
}

// 300 aliases of a name with 200 addresses: 18 KB of records become a megabyte of answers.
BOOST_AUTO_TEST_CASE(answers_of_aliases_are_bounded) {
    std::string text = soa(1);
    for (int i = 1; i <= 200; ++i)
        text += "large 60 A 192.0.2." + std::to_string(i) + "\n";
    for (int i = 1; i <= 300; ++i)
        text += "a" + std::to_string(i) + " " + std::to_string(i) + " CNAME large\n";
    const ZoneContents contents = zone_of(text, "corp.example");
    const auto targets = std::make_shared<ZoneTargets>(std::make_shared<LiveTargets>());
    Skipped skipped;
    const auto all = build_local_zone(contents, targets, skipped, 1'000, SIZE_MAX);
    BOOST_REQUIRE((all != nullptr));
    std::size_t bytes = 0;
    for (const auto& one : all->actions->typed)
        bytes += all->actions->answers.at(one.answer).size();
    BOOST_TEST(bytes > 40 * contents.bytes());
    BOOST_TEST((build_local_zone(contents, targets, skipped, 1'000, 2 * bytes) != nullptr));
    BOOST_TEST((build_local_zone(contents, targets, skipped, 1'000, bytes / 2) == nullptr));
}

// Sets that no message can carry cost time, too.
BOOST_AUTO_TEST_CASE(records_behind_aliases_count_even_if_no_answer_has_them) {
    std::string text = soa(1);
    for (int i = 0; i < 8'000; ++i)
        text +=
            "large 60 A 192.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "\n";
    for (int i = 1; i <= 50; ++i)
        text += "a" + std::to_string(i) + " " + std::to_string(i) + " CNAME large\n";
    const ZoneContents contents = zone_of(text, "corp.example");
    const auto targets = std::make_shared<ZoneTargets>(std::make_shared<LiveTargets>());
    Skipped skipped;
    BOOST_TEST((build_local_zone(contents, targets, skipped, 100, SIZE_MAX) != nullptr));
    const std::size_t most = 10 * contents.bytes();
    BOOST_TEST((build_local_zone(contents, targets, skipped, 100, most) == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
