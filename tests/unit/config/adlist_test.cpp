// Ad lists: in which syntax a list is read, what is said about one that is in another, and how long one may be.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "control/config/list_source.h"
#include "control/config/load.h"
#include "support/temp_folder.h"

namespace steer::config {
namespace {

namespace fs = std::filesystem;

struct Folder : test::TempFolder {
    // `list`: what stands in `lists`; `more`: other keys of the adlist.
    [[nodiscard]] LoadOutcome load(const std::string& list, const std::string& more = "",
                                   const std::string& control = "") const {
        LoadOptions options;
        options.base_dir = path;
        return load_text("control: { lists: " + path.string() + control + " }\nplugins:\n" +
                             "  - { tag: ads, type: adlist, args: { lists: [ " + list + " ]" +
                             more +
                             " } }\n"
                             "  - { tag: main, type: sequence, args: [ { exec: $ads }, { exec: "
                             "forward 192.0.2.1 } ] }\n",
                         "steer.yaml", options);
    }
};

const Plugin& provider(const LoadOutcome& loaded) {
    const auto& plugins = loaded.settings.plugins;
    const auto ads = std::ranges::find(plugins, "ads", &Plugin::tag);
    return loaded.settings.plugin(std::get<AdList>(ads->args).lists.at(0).provider);
}

bool says(const std::vector<Error>& all, const std::string& text) {
    return std::ranges::any_of(
        all, [&](const Error& e) { return e.sentence().find(text) != std::string::npos; });
}

constexpr std::string_view kAdguard = "[Adblock Plus 2.0]\n! Title: ads\n||ads.example^\n";
constexpr std::string_view kHosts = "# ads\n0.0.0.0 ads.example\n0.0.0.0 more.example\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(adlist)

BOOST_AUTO_TEST_CASE(the_syntax_is_found_from_the_lines) {
    const Folder folder;
    const auto read_as = [&](const std::string& bytes) {
        folder.write("list", bytes);
        const LoadOutcome loaded = folder.load("list");
        BOOST_TEST(loaded.ok());
        return std::string(provider(loaded).type) + " " +
               std::to_string(rules_of(provider(loaded))) + " " +
               std::to_string(loaded.warnings.size());
    };
    BOOST_TEST(read_as(std::string(kAdguard)) == "adguard_rule 1 0");
    BOOST_TEST(read_as("||ads.example^\n@@||fine.ads.example^\nbare.example\n") ==
               "adguard_rule 3 0");
    BOOST_TEST(read_as("bare.example\n! of AdGuard's\n") == "adguard_rule 1 0");
    BOOST_TEST(read_as(std::string(kHosts)) == "domain_set 2 0");
    BOOST_TEST(read_as("bare.example\nother.example\n") == "domain_set 2 0");
    // A mixed one is what more of its lines are; the others are named.
    BOOST_TEST(read_as("||ads.example^\n" + std::string(kHosts)) == "domain_set 2 1");
    BOOST_TEST(read_as("0.0.0.0 ads.example\n" + std::string(kAdguard)) == "adguard_rule 1 1");
}

BOOST_AUTO_TEST_CASE(a_configured_format_is_used_for_every_line) {
    const Folder folder;
    folder.write("list", std::string(kAdguard));
    const LoadOutcome wrong = folder.load("{ list: list, format: hosts }");
    BOOST_TEST(!wrong.ok());
    BOOST_TEST(
        says(wrong.errors,
             "no line of the file \"" + (folder.path / "list").string() +
                 "\" in 'lists' of adlist 'ads' is valid: line 1, \"[Adblock Plus 2.0]\", is "
                 "AdGuard's syntax: write 'format: adguard', or no 'format'"));
    folder.write("list", std::string(kHosts));
    const LoadOutcome other = folder.load("{ list: list, format: adguard }");
    BOOST_TEST(!other.ok());
    BOOST_TEST(says(other.errors,
                    "is valid: line 2, \"0.0.0.0 ads.example\", is a hosts line: "
                    "write 'format: hosts', or no 'format'"));
    folder.write("list", "bare.example\n||ads.example^\n");
    const LoadOutcome some = folder.load("{ list: list, format: adlist }");
    BOOST_TEST(some.ok());
    BOOST_TEST(rules_of(provider(some)) == 1U);
    BOOST_TEST(says(some.warnings,
                    "the list \"list\" in 'lists' of adlist 'ads': line 2, "
                    "\"||ads.example^\", is AdGuard's syntax: write"));
}

// Text of a list is cut where it is said, a path is not: it would name no file.
BOOST_AUTO_TEST_CASE(a_long_path_is_reported_whole) {
    const Folder folder;
    const std::string deep = std::string(100, 'a') + "/" + std::string(100, 'b');
    fs::create_directories((folder.path / deep).parent_path());
    std::ofstream(folder.path / deep).flush();
    BOOST_TEST(says(folder.load(deep).warnings,
                    "the file \"" + (folder.path / deep).string() + "\" in 'lists'"));
    std::ofstream(folder.path / deep) << "bad..name\n";
    BOOST_TEST(says(folder.load(deep).errors,
                    "no line of the file \"" + (folder.path / deep).string() + "\" in 'lists'"));
    const std::string nowhere = deep + "c";
    BOOST_TEST(says(folder.load(nowhere).errors,
                    "the file \"" + (folder.path / nowhere).string() + "\" in 'lists'"));
}

BOOST_AUTO_TEST_CASE(a_list_has_limits) {
    const Folder folder;
    folder.write("list", std::string(kHosts));
    BOOST_TEST(folder.load("list", ", max_names: 2").ok());
    const LoadOutcome longer = folder.load("list", ", max_names: 1");
    BOOST_TEST(!longer.ok());
    BOOST_TEST(says(longer.errors,
                    "the list \"list\" in 'lists' of adlist 'ads' has 2 names, and "
                    "'max_names' allows 1: raise it, or take a shorter list"));
    folder.write("list", "0.0.0.0 ads.example\n" + std::string(2000, '#') + "\n");
    const LoadOutcome larger = folder.load("list", "", ", fetch: { max_size: 1KiB }");
    BOOST_TEST(!larger.ok());
    BOOST_TEST(larger.errors.size() == 1U);
    BOOST_TEST(says(larger.errors,
                    "has 2021 bytes, and 'max_size' in 'fetch' of 'control' allows "
                    "1024: raise it, or take a shorter list"));
    BOOST_TEST(!larger.settings.opened.empty(), "it is read when it has become smaller");
    BOOST_TEST(folder.load("list").ok());
}

// By URL: looked at when it is fetched, in the syntax that it then has.
BOOST_AUTO_TEST_CASE(a_fetched_ad_list_is_checked_by_its_syntax_and_limits) {
    const Folder folder;
    const auto checked = [&](std::string_view bytes, const ListUse& use) {
        folder.write("list", std::string(bytes));
        const auto rules = check_list((folder.path / "list").string(), use);
        return rules ? std::to_string(*rules) : rules.error().text;
    };
    const LoadOutcome loaded = folder.load("\"http://lists.example/ads\"", ", max_names: 2");
    BOOST_TEST_REQUIRE(loaded.ok());
    BOOST_TEST_REQUIRE(loaded.settings.remote_lists.size() == 1U);
    BOOST_TEST_REQUIRE(loaded.settings.remote_lists[0].uses.size() == 1U);
    const ListUse use = loaded.settings.remote_lists[0].uses[0];
    BOOST_TEST(checked(kAdguard, use) == "1");
    BOOST_TEST(checked(kHosts, use) == "2");
    BOOST_TEST(checked("||a.example^\n||b.example^\n||c.example^\n", use) ==
               "it has 3 names, and 'max_names' allows 2");
    ListUse hosts = use;
    hosts.format = "hosts";
    BOOST_TEST(checked(kAdguard, hosts).starts_with("no line of it is valid for type adlist"));
    // A copy in AdGuard's syntax is read so.
    std::ofstream(loaded.settings.remote_lists[0].file) << kAdguard;
    BOOST_TEST(std::string(provider(folder.load("\"http://lists.example/ads\"")).type) ==
               "adguard_rule");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::config
