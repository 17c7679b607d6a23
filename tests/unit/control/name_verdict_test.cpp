// Whether matchers and adlists hold a name, by the masks of the program (control/program/build/name_verdict.h).
#define BOOST_TEST_MODULE name_verdict
#include "control/program/build/name_verdict.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "control/config/load.h"
#include "support/temp_folder.h"

namespace steer::build {
namespace {

constexpr const char* kConfig = R"(plugins:
  - tag: s
    type: adlist
    args:
      lists: [block.txt, except.txt]
      allow: ["domain:ok.ads.example", $fine]
  - { tag: fine, type: domain_set, args: { exps: [fine.example] } }
  - { tag: rules, type: adguard_rule, args: { rules: ["||ads.example^", "@@||good.ads.example^"] } }
  - { tag: kept, type: domain_set, args: { exps: [kept.good.ads.example] } }
  - { tag: names, type: domain_set, args: { exps: [own.example, track9.example], files: [block.txt, except.txt], sets: [kept] } }
  - { tag: name, type: qname, args: $rules }
  - { tag: asked, type: question, args: $rules }
  - { tag: name_of_set, type: qname, args: $names }
  - { tag: asked_of_set, type: question, args: $names }
  - tag: main
    type: sequence
    args: [ { matches: [$name, $asked, $name_of_set, $asked_of_set], exec: mark 1 }, { exec: $s }, { exec: forward 192.0.2.1 } ]
  - { tag: udp, type: udp_server, args: { entry: main } }
)";

struct Lists : test::TempFolder {
    Lists() {
        write("block.txt",
              "||ads.example^\n||imp.example^$important\n||fine.example^\n/^track[0-9]+[.]/\n"
              "||den.example^$denyallow=ok.den.example\n||t.example^$dnstype=~A\n"
              "||only.example^$dnstype=AAAA|HTTPS\n");
        write("except.txt",
              "@@||good.ads.example^\n@@||imp.example^\n@@||strong.ads.example^$important\n"
              "@@||track7.example^\n");
        config::LoadOptions options;
        options.base_dir = path;
        loaded = config::load_text(kConfig, "text.yaml", options);
        for (const Error& e : loaded.errors)
            BOOST_TEST_MESSAGE(e.sentence());
        BOOST_REQUIRE(loaded.ok());
    }

    // "all", "none", "all but 1", "only 28 65".
    [[nodiscard]] std::string held(const std::string& plugin, const std::string& name) const {
        const auto rules = config::rules_for(loaded.settings, name);
        BOOST_TEST_REQUIRE(rules.has_value());
        const NameVerdict verdict(loaded.settings, *rules, name);
        for (config::PluginIndex i = 0; i < loaded.settings.plugins.size(); ++i) {
            if (loaded.settings.plugins[i].tag != plugin) continue;
            const auto types = verdict.of(i);
            if (!types) return "unknown";
            std::string out = types->others ? "all" : "none";
            if (!types->except.empty()) out = types->others ? "all but" : "only";
            for (const std::uint16_t type : types->except)
                out += " " + std::to_string(type);
            return out;
        }
        return "no such plugin";
    }

    config::LoadOutcome loaded;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(name_verdict_, Lists)

BOOST_AUTO_TEST_CASE(an_adlist_blocks_what_no_exception_leaves_out) {
    BOOST_TEST(held("s", "X.ads.example.") == "all");
    BOOST_TEST(held("s", "imp.example") == "all");
    BOOST_TEST(held("s", "track8.example") == "all");
    BOOST_TEST(held("s", "den.example") == "all");
    BOOST_TEST(held("s", "good.ads.example") == "none");
    BOOST_TEST(held("s", "strong.ads.example") == "none");
    BOOST_TEST(held("s", "track7.example") == "none");
    BOOST_TEST(held("s", "ok.den.example") == "none");
    BOOST_TEST(held("s", "ok.ads.example") == "none");  // by `allow`
    BOOST_TEST(held("s", "fine.example") == "none");    // by a set of `allow`
    BOOST_TEST(held("s", "other.example") == "none");
}

BOOST_AUTO_TEST_CASE(rules_by_type_say_for_which_types) {
    BOOST_TEST(held("s", "t.example") == "all but 1");
    BOOST_TEST(held("s", "only.example") == "only 28 65");
}

BOOST_AUTO_TEST_CASE(matchers_hold_a_name_unless_an_exception_leaves_it_out) {
    for (const char* matcher : {"name", "asked"}) {
        BOOST_TEST(held(matcher, "ads.example") == "all");
        BOOST_TEST(held(matcher, "good.ads.example") == "none");
    }
    BOOST_TEST(held("rules", "ads.example") == "unknown");  // no matcher
}

BOOST_AUTO_TEST_CASE(a_domain_set_holds_what_no_exception_of_its_lists_leaves_out) {
    for (const char* matcher : {"name_of_set", "asked_of_set"}) {
        BOOST_TEST(held(matcher, "own.example") == "all");
        BOOST_TEST(held(matcher, "x.ads.example") == "all");
        BOOST_TEST(held(matcher, "good.ads.example") == "none");
        BOOST_TEST(held(matcher, "kept.good.ads.example") == "all");  // by a set that it includes
        BOOST_TEST(held(matcher, "imp.example") == "all");
        BOOST_TEST(held(matcher, "strong.ads.example") == "none");
        BOOST_TEST(held(matcher, "ok.den.example") == "none");
    }
    BOOST_TEST(held("asked_of_set", "t.example") == "all but 1");
    BOOST_TEST(held("asked_of_set", "only.example") == "only 28 65");
    BOOST_TEST(held("name_of_set", "only.example") == "none");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::build
