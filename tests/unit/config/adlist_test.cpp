// Ad lists: in which syntax a list is read, what is reported about one that is in another, and how long one may be.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "control/config/lists/list_source.h"
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
                             "  - { tag: ads, type: adlist, args: { cname: true, lists: [ " + list +
                             " ]" + more +
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
    BOOST_TEST(read_as(std::string(kAdguard)) == "domain_set 1 0");
    BOOST_TEST(read_as("||ads.example^\n@@||fine.ads.example^\nbare.example\n") ==
               "domain_set 2 0");
    BOOST_TEST(read_as("bare.example\n! of AdGuard's\n") == "domain_set 1 0");
    BOOST_TEST(read_as(std::string(kHosts)) == "domain_set 2 0");
    BOOST_TEST(read_as("bare.example\nother.example\n") == "domain_set 2 0");
    // Each line is read by its own form.
    BOOST_TEST(read_as("||ads.example^\n" + std::string(kHosts)) == "domain_set 3 0");
    BOOST_TEST(read_as("0.0.0.0 ads.example\n" + std::string(kAdguard)) == "domain_set 2 0");
    // Other formats are those of the whole file.
    BOOST_TEST(read_as("address=/ads.example/0.0.0.0\naddress=/.more.example/#\n") ==
               "domain_set 2 0");
    BOOST_TEST(read_as("DOMAIN-SUFFIX,ads.example\nDOMAIN,more.example\n") == "domain_set 2 0");
    BOOST_TEST(read_as("+.ads.example\n+.more.example\nbare.example\n") == "domain_set 3 0");
}

BOOST_AUTO_TEST_CASE(a_configured_format_is_used_for_the_whole_file) {
    const Folder folder;
    const auto read_as = [&](const std::string& bytes, const std::string& format) {
        folder.write("list", bytes);
        const LoadOutcome loaded = folder.load("{ list: list, format: " + format + " }");
        BOOST_TEST(loaded.ok());
        return rules_of(provider(loaded));
    };
    const std::string mixed = "||ads.example^\n0.0.0.0 two.example\nbare.example\n";
    for (const char* format : {"adguard", "hosts", "adlist"})
        BOOST_TEST(read_as(mixed, format) == 3U, format);
    folder.write("list", std::string(kHosts));
    const LoadOutcome wrong = folder.load("{ list: list, format: dnsmasq }");
    BOOST_TEST(!wrong.ok());
    BOOST_TEST(says(wrong.errors, "no line of the file \"" + (folder.path / "list").string() +
                                      "\" in 'lists' of adlist 'ads' is valid"));
}

// A list of hosts lines has no exceptions: one among them is named.
BOOST_AUTO_TEST_CASE(an_exception_counts_in_a_list_of_adguard) {
    const Folder folder;
    folder.write(
        "list",
        "0.0.0.0 a.example\n0.0.0.0 b.example\n@@||a.example^\n||c.example^\n0.0.0.0 d.example\n");
    const LoadOutcome loaded = folder.load("list");
    BOOST_TEST(loaded.ok());
    BOOST_TEST(std::string(provider(loaded).type) == "domain_set");
    BOOST_TEST(rules_of(provider(loaded)) == 4U);
    BOOST_TEST(says(loaded.warnings,
                    "list:3: an exception of AdGuard, \"@@||a.example^\", in a list "
                    "of another form: write 'format: adguard'"));
    const LoadOutcome adguard = folder.load("{ list: list, format: adguard }");
    BOOST_TEST(rules_of(provider(adguard)) == 4U);  // the exception is a set of its own
    BOOST_TEST(adguard.warnings.empty());
}

BOOST_AUTO_TEST_CASE(the_lists_of_an_adlist_are_one_policy) {
    const Folder folder;
    folder.write("block", "||ads.example^\n||bad.example^\n||gone.example^\n");
    folder.write("hosts", "0.0.0.0 good.ads.example\n0.0.0.0 other.example\n");
    folder.write("fix",
                 "@@||good.ads.example^\n@@||bad.example^$important\n||gone.example^$badfilter\n");
    const LoadOutcome loaded = folder.load("block, hosts, fix");
    BOOST_TEST_REQUIRE(loaded.ok());
    const auto& plugins = loaded.settings.plugins;
    const auto ads = std::ranges::find(plugins, "ads", &Plugin::tag);
    const auto& lists = std::get<AdList>(ads->args).lists;
    BOOST_TEST_REQUIRE(lists.size() == 3U);
    BOOST_TEST(rules_of(loaded.settings.plugin(lists[0].provider)) == 2U);  // without gone.example
    BOOST_TEST(lists[2].exceptions == 2U);
    for (const AdListPart& part : lists) {
        const auto& set = std::get<DomainSet>(loaded.settings.plugin(part.provider).args);
        BOOST_TEST_REQUIRE(set.exceptions.has_value());
        const auto& all = std::get<DomainSet>(loaded.settings.plugin(*set.exceptions).args);
        BOOST_TEST(all.steps.size() == 2U);
    }
}

// One stray line would block everything.
BOOST_AUTO_TEST_CASE(a_rule_for_all_names_needs_match_all) {
    const Folder folder;
    for (const char* line : {"*", "**", ".", "||*^", "/.*/", "/./"}) {
        folder.write("list", "||ads.example^\n" + std::string(line) + "\n");
        const LoadOutcome loaded = folder.load("{ list: list, format: adguard }");
        BOOST_TEST(loaded.ok());
        BOOST_TEST(rules_of(provider(loaded)) == 1U, line);
        BOOST_TEST(says(loaded.warnings, "list:2: the rule covers all names"), line);
        const LoadOutcome all = folder.load("{ list: list, format: adguard, match_all: true }");
        BOOST_TEST(all.ok());
        BOOST_TEST(rules_of(provider(all)) == 2U, line);
    }
    folder.write("list", "address=/ads.example/0.0.0.0\naddress=/#/0.0.0.0\n");
    BOOST_TEST(rules_of(provider(folder.load("list"))) == 1U);
    BOOST_TEST(rules_of(provider(folder.load("{ list: list, match_all: true }"))) == 2U);
}

// Text of a list is cut where it is reported, a path is not: it would name no file.
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

// By URL: checked when it is fetched, in the syntax that it then has.
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
    BOOST_TEST(checked(kAdguard, hosts) == "1");
    hosts.format = "dnsmasq";
    BOOST_TEST(checked(kAdguard, hosts).starts_with("no line of it is valid for type adlist"));
    BOOST_TEST(checked("@@||ads.example^\n", use) == "1");
    BOOST_TEST(checked("*\n.\n", use).starts_with("no line of it is valid for type adlist"));
    ListUse all = use;
    all.match_all = true;
    all.format = "adguard";
    BOOST_TEST(checked("*\n.\n", all) == "2");
    // A copy in AdGuard's syntax is read so.
    std::ofstream(loaded.settings.remote_lists[0].file) << kAdguard;
    BOOST_TEST(std::string(provider(folder.load("\"http://lists.example/ads\"")).type) ==
               "domain_set");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::config
