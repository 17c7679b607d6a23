// Files that are no lists, or not quite: every reader of lists says so, or takes what is good, at once and in bounds.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "control/config/lists/list_source.h"
#include "control/config/load.h"
#include "control/config/settings/secondary_settings.h"
#include "support/temp_folder.h"

using steer::config::check_list;
using steer::config::ListUse;

BOOST_AUTO_TEST_SUITE(odd_lists)

namespace {

const ListUse kNames{"domain_set", "", "", {}}, kRules{"domain_set", "rules", "", {}},
    kPrefixes{"ip_set", "", "", {}}, kAdguard{"adguard_rule", "", "", {}},
    kHosts{"hosts", "", "", {}}, kGeosite{"geosite", "", "", {}}, kGeoip{"geoip", "", "", {}};

struct File {
    explicit File(const std::string& bytes) : path(folder.write("list", bytes)) {}
    steer::test::TempFolder folder;
    std::string path;
};

// How many rules are taken; what is reported if none.
std::size_t taken(const std::string& bytes, const ListUse& use) {
    const File file(bytes);
    const auto rules = check_list(file.path, use);
    if (!rules) BOOST_TEST(!rules.error().text.empty());
    return rules ? *rules : 0;
}
std::string reported(const std::string& bytes, const ListUse& use) {
    const File file(bytes);
    const auto rules = check_list(file.path, use);
    return rules ? "nothing" : rules.error().text;
}

std::string utf16(const std::string& text, bool big, bool mark) {
    std::string out = !mark ? "" : big ? "\xfe\xff" : "\xff\xfe";
    for (const char c : text)
        out.append(big ? std::string{'\0', c} : std::string{c, '\0'});
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(binary_garbage_is_refused) {
    std::mt19937 random(20261120);
    std::string bytes(1'000'000, '\0');
    for (char& c : bytes)
        c = static_cast<char>(0x80 | (random() & 0x7f));  // no line end in it
    for (const ListUse& use : {kNames, kRules, kPrefixes, kAdguard, kHosts, kGeosite, kGeoip})
        BOOST_TEST(taken(bytes, use) == 0U, use.type);
    for (char& c : bytes)
        c = static_cast<char>(random());
    for (const ListUse& use : {kNames, kRules, kPrefixes, kAdguard, kHosts, kGeosite, kGeoip})
        BOOST_TEST(taken(bytes, use) < 5'000U, use.type);
}

BOOST_AUTO_TEST_CASE(files_of_another_kind_are_refused_with_their_kind) {
    const std::string page = "\xef\xbb\xbf\n  <html>\nads.example\nmore.example\n</html>\n";
    const std::string json = "{\"names\": [\n\"ads.example\"\n]}\nads.example\n";
    for (const ListUse& use : {kNames, kRules, kPrefixes, kAdguard, kHosts}) {
        BOOST_TEST(reported(page, use).find("HTML or XML page") != std::string::npos, use.type);
        BOOST_TEST(reported(json, use).find("JSON") != std::string::npos, use.type);
        BOOST_TEST(reported("\x1f\x8b\x08\nads.example\n", use).find("gzip") != std::string::npos,
                   use.type);
        BOOST_TEST(reported(std::string(20, '\1') + "\nads.example\n", use).find("binary") !=
                       std::string::npos,
                   use.type);
    }
    BOOST_TEST(taken("[Adblock Plus 2.0]\n||ads.example^\n", kAdguard) == 1U);
    BOOST_TEST(reported("<html>", kGeosite) != "nothing");
}

BOOST_AUTO_TEST_CASE(files_of_mostly_bad_lines_are_refused) {
    BOOST_TEST(taken("one.example\na b\n", kNames) == 1U);
    BOOST_TEST(taken("one.example\na b\nc d\n", kNames) == 0U);
    BOOST_TEST(reported("one.example\na b\nc d\n", kNames)
                   .find("2 of its lines are invalid and 1 valid") != std::string::npos);
}

// A publisher that changes the format of a list does not replace a good copy by one that matches nothing.
BOOST_AUTO_TEST_CASE(a_list_in_the_form_of_another_program_is_read_or_refused) {
    for (const auto& [bytes, rules] : std::initializer_list<std::pair<const char*, std::size_t>>{
             {"+.one.example\n+.two.example\n", 2},
             {"payload:\n  - '+.one.example'\n  - two.example\n", 2},
             {"DOMAIN-SUFFIX,one.example\nDOMAIN,two.example\n", 2},
             {".one.example\n.two.example\n", 2},
             {"host-suffix, one.example, proxy\n", 1},
             {"nameserver /one.example/cn\n", 1},
             {"||one.example^\n||two.example^\n", 2},
             {"one.example,two.example\nthree.example,four.example\n", 0},
             {"1,one.example\n2,two.example\n", 0},
             {"*.one.example\n*.two.example\n", 0},
             {"'one.example'\n'two.example'\n", 0},
             {"one.example;\ntwo.example;\n", 0},
             {"https://one.example/x\nhttps://two.example/y\n", 0},
             {"|one.example\n@@||two.example^\n", 2},
             {"one.example\ntwo.example\n@@||three.example^\n", 3}})
        BOOST_TEST(taken(bytes, kNames) == rules, bytes);
    BOOST_TEST(reported("*.one.example\n", kNames).find("write \"domain:one.example\"") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_rule_for_all_names_is_a_bad_line) {
    BOOST_TEST(taken("one.example\nregexp:.*\n", kRules) == 1U);
    ListUse all = kRules;
    all.match_all = true;
    BOOST_TEST(taken("one.example\nregexp:.*\n", all) == 2U);
    BOOST_TEST(taken("||one.example^\n*\n", kAdguard) == 1U);
}

// Lines of the list's own form with a bad name do not make it a list of another form.
BOOST_AUTO_TEST_CASE(a_hosts_list_of_bad_names_stays_a_hosts_list) {
    const std::string bytes =
        "203.0.113.5 nas.example\n0.0.0.0 *\n0.0.0.0 *.star.example\n0.0.0.0 ads.example\n";
    const ListUse ads{"adlist", "", "", {}};
    BOOST_TEST(taken(bytes, ads) == 1U);
    BOOST_TEST(taken(bytes, {"domain_set", "hosts", "", {}}) == 1U);
    BOOST_TEST(taken("0.0.0.0 ads.example\na b\nc d\n", ads) == 0U);
}

BOOST_AUTO_TEST_CASE(a_line_of_a_megabyte_is_a_bad_line) {
    const std::string long_one(1'000'000, 'a');
    BOOST_TEST(taken(long_one + "\nok.example\n", kNames) == 1U);
    BOOST_TEST(taken("regexp:" + long_one + "\nok.example\n", kNames) == 1U);
    BOOST_TEST(taken("#" + long_one + "\nok.example\n", kNames) == 1U);
    BOOST_TEST(taken(long_one + "\n192.0.2.1\n", kPrefixes) == 1U);
    BOOST_TEST(taken("||" + long_one + "^\n||ok.example^\n", kAdguard) == 1U);
    BOOST_TEST(taken(long_one + " 192.0.2.1\nok.example 192.0.2.1\n", kHosts) == 1U);
    BOOST_TEST(reported(long_one, kNames).size() < 1'000U, "it is not repeated to the operator");
}

BOOST_AUTO_TEST_CASE(utf_16_is_refused) {
    for (const bool big : {false, true}) {
        for (const bool mark : {false, true}) {
            for (const auto& [text, use] :
                 {std::pair("ok.example\nmore.example\n", kNames),
                  std::pair("192.0.2.1\n", kPrefixes), std::pair("||ok.example^\n", kAdguard),
                  std::pair("ok.example 192.0.2.1\n", kHosts)}) {
                BOOST_TEST(
                    reported(utf16(text, big, mark), use).find("UTF-16") != std::string::npos,
                    use.type << big << mark);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(international_names_are_converted_and_long_ones_refused) {
    BOOST_TEST(taken("m\xc3\xbcnchen.de\nfull:\xe4\xbe\x8b.example\n", kNames) == 2U);
    BOOST_TEST(taken("m\xfcnchen.de\nok.example\n", kNames) == 1U, "not UTF-8");
    std::string longest;
    for (int i = 0; i < 5; ++i)
        longest += std::string(60, 'a') + ".";
    BOOST_TEST(taken(longest + "example\nok.example\n", kNames) == 1U);
    BOOST_TEST(taken(std::string(64, 'a') + ".example\nok.example\n", kNames) == 1U);
}

// Expressions that would be large or slow elsewhere: refused, or compiled in bounds.
BOOST_AUTO_TEST_CASE(regexps_over_the_limits_are_refused_and_others_compiled) {
    std::string words;
    for (int i = 0; i < 3'000; ++i)
        words += (i == 0 ? "w" : "|w") + std::to_string(i);
    const std::string refused[] = {"(a{1,1000}){1,1000}",
                                   "(" + words + ")+x",
                                   std::string(20'000, 'a'),
                                   "((a{1,500}){1,500}){1,500}",
                                   "(?=a)b",
                                   "(a)\\1"};
    for (const std::string& expression : refused)
        BOOST_TEST(taken("regexp:" + expression + "\nok.example\n", kNames) == 1U,
                   expression.substr(0, 40));
    std::string compiled;
    for (const char* expression :
         {"([a-z]{1,200}){1,200}", "((((a+)+)+)+)+$", ".*a.{100}b", "a.{500}b", "[^.]{60,250}"})
        compiled += "regexp:" + std::string(expression) + "\n";
    ListUse all = kNames;
    all.match_all = true;  // the first one matches every name
    BOOST_TEST(taken(compiled, all) == 5U);
}

BOOST_AUTO_TEST_CASE(missing_files_folders_and_devices_are_refused) {
    BOOST_TEST(!check_list("/nonexistent/list", kNames));
    BOOST_TEST(!check_list("/dev/zero", kNames), "it has no end");
    BOOST_TEST(!check_list("/", kNames));
}

// As a damaged copy of a list from a URL: a start must not fail.
BOOST_AUTO_TEST_CASE(an_unreadable_copy_of_a_secondary_is_empty_until_the_next_transfer) {
    const steer::test::TempFolder folder;
    const std::string copy = steer::config::list_file_of(folder.path.string(), "feed");
    std::filesystem::create_directories(copy);
    const auto loaded = steer::config::load_text(
        "control: { lists: " + folder.path.string() +
            " }\nplugins:\n"
            "  - { tag: feed, type: secondary, args: { zone: feed.example, primaries: [192.0.2.1] "
            "} }\n"
            "  - { tag: names, type: domain_set, args: { files: [ $feed ] } }\n"
            "  - { tag: main, type: sequence, args: [ { matches: qname $names, exec: reject } ] "
            "}\n",
        "test.yaml");
    BOOST_REQUIRE(loaded.ok());
    BOOST_TEST(std::ranges::any_of(loaded.warnings, [&](const steer::Error& e) {
        return e.text.find(copy) != std::string::npos &&
               e.text.ends_with("it is empty until the next transfer");
    }));
}

BOOST_AUTO_TEST_SUITE_END()
