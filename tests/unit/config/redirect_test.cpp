// Rules of redirect: from the configuration, from lists, and those of search engines.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <variant>

#include "control/config/lists/list_source.h"
#include "control/config/lists/safe_search.h"
#include "control/config/load.h"
#include "dataplane/dns/name.h"
#include "support/temp_folder.h"

using namespace steer::config;

BOOST_AUTO_TEST_SUITE(redirects)

namespace {

LoadOutcome load_with(const steer::test::TempFolder& folder, const std::string& args) {
    folder.write("steer.yaml", "control: { lists: " + (folder / "lists") +
                                   " }\nplugins:\n"
                                   "  - { tag: names, type: redirect, args: {" +
                                   args + R"(} }
  - { tag: up, type: forward, args: { upstreams: [ { addr: 192.0.2.1 } ] } }
  - { tag: main, type: sequence, args: [ { exec: $names }, { exec: $up } ] }
)");
    return load(folder / "steer.yaml");
}

const Redirect& redirect_of(const LoadOutcome& loaded) {
    return std::get<Redirect>(loaded.settings.plugins.at(0).args);
}

// The target of the first rule with this text; empty: there is none.
std::string target_of(const Redirect& redirect, const std::string& rule) {
    const auto at = std::ranges::find_if(redirect.rules,
                                         [&](const RuleAt& one) { return one.rule.text == rule; });
    return at == redirect.rules.end() ? std::string()
                                      : steer::dns::name_to_text(redirect.targets.at(at->value));
}

std::string sentences(const std::vector<steer::Error>& all) {
    std::string out;
    for (const steer::Error& one : all)
        out += one.sentence() + "\n";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(engines_answer_with_their_names_for_safe_search) {
    const steer::test::TempFolder folder;
    const auto loaded = load_with(folder, " safe_search: [ google, youtube_moderate ] ");
    BOOST_TEST_REQUIRE(loaded.ok(), sentences(loaded.errors));
    const Redirect& redirect = redirect_of(loaded);
    BOOST_TEST(target_of(redirect, "www.google.com") == "forcesafesearch.google.com");
    BOOST_TEST(target_of(redirect, "www.google.co.uk") == "forcesafesearch.google.com");
    BOOST_TEST(target_of(redirect, "google.com") == "");  // it has the mail servers
    BOOST_TEST(target_of(redirect, "m.youtube.com") == "restrictmoderate.youtube.com");
    BOOST_TEST(target_of(redirect, "www.bing.com") == "");
    BOOST_TEST(redirect.targets.size() == 2U);
    const auto wrong = load_with(folder, " safe_search: [ altavista ] ");
    BOOST_TEST(!wrong.ok());
    BOOST_TEST(sentences(wrong.errors).find("duckduckgo") != std::string::npos,
               sentences(wrong.errors));
}

BOOST_AUTO_TEST_CASE(every_engine_has_names_that_are_names) {
    for (const SafeSearchEngine& engine : safe_search_engines()) {
        BOOST_TEST(steer::dns::name_from_text(engine.target).has_value(), engine.target);
        const auto names = names_of(engine);
        BOOST_TEST(!names.empty(), engine.name);
        for (const std::string& name : names) {
            BOOST_TEST(steer::dns::name_from_text(name).has_value(), name);
            BOOST_TEST(name != engine.target);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_list_renews_what_the_engines_published) {
    const steer::test::TempFolder folder;
    folder.write("newer.txt",
                 "! a list in AdGuard's form\n"
                 "|www.bing.com^$dnsrewrite=NOERROR;CNAME;stricter.bing.com\n"
                 "||search.example^$dnsrewrite=safe.search.example\n"
                 "www.plain.example safe.plain.example\n"
                 "|yandex.example^$dnsrewrite=NOERROR;A;192.0.2.7\n"
                 "|old.example^$dnsrewrite=NXDOMAIN\n");
    const auto loaded = load_with(folder, " files: [ newer.txt ], safe_search: [ bing ] ");
    BOOST_TEST_REQUIRE(loaded.ok(), sentences(loaded.errors));
    const Redirect& redirect = redirect_of(loaded);
    BOOST_TEST(target_of(redirect, "www.bing.com") == "stricter.bing.com");
    BOOST_TEST(target_of(redirect, "search.example") == "safe.search.example");
    BOOST_TEST(target_of(redirect, "www.plain.example") == "safe.plain.example");
    BOOST_TEST(target_of(redirect, "yandex.example") == "");
    const auto domain = std::ranges::find_if(
        redirect.rules, [](const RuleAt& one) { return one.rule.text == "search.example"; });
    BOOST_TEST((domain->rule.kind == steer::matchers::RuleKind::domain));
    const std::string warnings = sentences(loaded.warnings);
    BOOST_TEST(warnings.find("this and 1 more invalid lines are skipped") != std::string::npos,
               warnings);
    BOOST_TEST(warnings.find("is no other name") != std::string::npos, warnings);
}

BOOST_AUTO_TEST_CASE(a_list_comes_by_url_and_is_judged_before_it_counts) {
    const steer::test::TempFolder folder;
    const auto loaded =
        load_with(folder, R"( files: [ "https://lists.example/safe.txt" ], ready: false )");
    BOOST_TEST_REQUIRE(loaded.ok(), sentences(loaded.errors));
    BOOST_TEST_REQUIRE(loaded.settings.remote_lists.size() == 1U);
    const ListUse use = loaded.settings.remote_lists[0].uses.at(0);
    folder.write("good.txt", "|a.example^$dnsrewrite=NOERROR;CNAME;b.example\n");
    const auto good = check_list(folder / "good.txt", use);
    BOOST_TEST_REQUIRE(good.has_value(), good.error().text);
    BOOST_TEST(*good == 1U);
    folder.write("bad.txt", "||ads.example^\n||trackers.example^\n");
    BOOST_TEST(!check_list(folder / "bad.txt", use).has_value());
    std::string many;
    for (int i = 0; i < 10'001; ++i)
        many += "a" + std::to_string(i) + ".example b" + std::to_string(i) + ".example\n";
    folder.write("many.txt", many);
    const auto refused = check_list(folder / "many.txt", use);
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().text.find("10001 different names") != std::string::npos,
               refused.error().text);
}

BOOST_AUTO_TEST_SUITE_END()
