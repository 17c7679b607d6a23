// Rules in AdGuard's syntax: what each form means, modifiers, and lines that are none.
#include "matchers/list/adguard_list.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "matchers/list/block_list.h"
#include "matchers/rules_for_all.h"
#include "wire_names.h"

namespace steer::matchers {
namespace {

std::optional<std::uint16_t> type_number(std::string_view name) {
    if (name == "A") return 1;
    if (name == "AAAA") return 28;
    return std::nullopt;
}

AdguardRule rule(std::string_view text) {
    auto read = parse_adguard(text, type_number);
    if (!read || !*read) return {};
    return **std::move(read);
}
std::string error_of(std::string_view text) {
    const auto read = parse_adguard(text, type_number);
    return read ? "" : read.error().text;
}

// Whether the one rule holds a name.
bool holds(std::string_view text, std::string_view name) {
    NameMatcherBuilder builder;
    builder.add(0, rule(text).rule);
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    BOOST_TEST_REQUIRE((image != nullptr), text);
    NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(image->prepare(scratch).has_value());
    return image->match(test::wire(name), scratch).test(0);
}

BOOST_AUTO_TEST_SUITE(adguard)

BOOST_AUTO_TEST_CASE(each_form_of_rule_matches_as_documented) {
    struct Case {
        const char *rule, *in, *out;
    };
    for (const Case& c : std::initializer_list<Case>{
             {"||ads.example^", "a.ads.example", "bads.example"},
             {"||ads.example^", "ads.example", "example"},
             {"||ADS.example^|", "ads.example", "ads.example.org"},
             {"ads.example", "ads.example", "a.ads.example"},
             {"ads.example # why", "ads.example", "a.ads.example"},
             {"|ads.example^", "ads.example", "a.ads.example"},
             {"|ads.", "ads.example", "a.ads.example"},
             {"ads|", "my.ads", "ads.example"},
             {"ads.example^", "bads.example", "ads.example.org"},
             {"||ads.", "a.ads.example", "bads.example"},
             {"||ads", "a.adserver.example", "bads.example"},
             {"-ads-", "my-ads-are.example", "ads.example"},
             {".ads.", "my.ads.example", "ads.example"},
             {"||ad*.example^", "ad12.example", "ad12.example.org"},
             {"||*.ads.example^", "a.ads.example", "ads.example"},
             {"*.ads.example^", "a.ads.example", "ads.example"},
             {"ad*example", "x.ad1.example.org", "a.example"},
             {"/^ad[0-9]+\\./", "ad12.example", "a.ad12.example"},
             {"*", "any.name", "."},
         }) {
        BOOST_TEST(holds(c.rule, c.in), c.rule << " holds " << c.in);
        if (c.out != std::string_view(".")) {
            BOOST_TEST(!holds(c.rule, c.out), c.rule << " does not hold " << c.out);
        }
    }
    BOOST_TEST((rule("||ads.example^").rule.kind == RuleKind::domain));
    BOOST_TEST((rule("ads.example").rule.kind == RuleKind::full));
}

BOOST_AUTO_TEST_CASE(modifiers_are_read) {
    const AdguardRule r =
        rule("@@||ads.example^$important,dnstype=AAAA|A|A,denyallow=b.ads.example|a.ads.example");
    BOOST_TEST((r.exception && r.important && !r.badfilter));
    BOOST_TEST((r.types == std::vector<std::uint16_t>{1, 28} && r.other_types.empty()));
    BOOST_TEST((r.unless == std::vector<std::string>{"a.ads.example", "b.ads.example"}));
    BOOST_TEST((rule("||a.example^$dnstype=~A").other_types == std::vector<std::uint16_t>{1}));
    const AdguardRule regexp = rule("/^ads?$/$important");
    BOOST_TEST((regexp.rule.text == "^ads?$" && regexp.important));
}

BOOST_AUTO_TEST_CASE(an_unsupported_rule_gives_one_sentence) {
    for (const auto& [text, part] : std::vector<std::pair<const char*, const char*>>{
             {"||a.example^$client=1.2.3.4", "\"client=1.2.3.4\" is not supported"},
             {"||a.example^$dnsrewrite=1.2.3.4", "not supported"},
             {"||a.example^$", "not supported"},
             {"||a.example^$dnstype=NOPE", "unknown type \"NOPE\""},
             {"||a.example^$denyallow=a..b", "denyallow is not a name"},
             {"||a.example^$important=1", "not supported"},
             {"0.0.0.0 a.example", "more than one word"},
             {"||a.example/path^", "more than a name"},
             {"|https://a.example^", "more than a name"},
             {"||192.0.2.1^", "about an address"},
             {"||^", "names nothing"},
             {"||a^b.example^", "is not allowed in a name"},
             {"||a\x01*.example^", "is not allowed in a name"}}) {
        const std::string error = error_of(text);
        BOOST_TEST((error.find(part) != std::string::npos), text << ": " << error);
    }
    for (const char* nothing : {"", "! comment", "# comment", "[Adblock Plus 2.0]",
                                "a.example##.ad", "a.example#@#.ad", "a.example#$#body"}) {
        BOOST_TEST((error_of(nothing).empty() && !parse_adguard(nothing, type_number).value()),
                   nothing);
    }
}

BOOST_AUTO_TEST_CASE(a_list_keeps_line_numbers_and_counts_skipped_rules) {
    const auto list =
        read_adguard("! title\r\n||a.example^\r\na.example##.ad\n\n||b.example^$app=x\nb.example",
                     "f", type_number);
    BOOST_TEST_REQUIRE(list.rules.size() == 2U);
    BOOST_TEST((list.rules[0].line == 2 && list.rules[1].line == 6));
    BOOST_TEST(list.left_out == 1U);
    BOOST_TEST(list.bad.count() == 0U);
    BOOST_TEST_REQUIRE(list.bad.left_out().size() == 1U);
    BOOST_TEST(list.bad.left_out()[0].kind == "$app");
    BOOST_TEST(list.bad.left_out()[0].first == 5);
}

BOOST_AUTO_TEST_CASE(adguard_lines_are_distinguished_from_hosts_lines) {
    const ListMarks marks = find_list_marks(
        "\xef\xbb\xbf# both\n0.0.0.0 a.example\r\n||b.example^\n  @@||c.example^\n::1\tlocalhost\n"
        "bare.example\n[Adblock Plus]\n! end\nd.example 0.0.0.0\n");
    BOOST_TEST(marks.adguard.lines == 4U);
    BOOST_TEST(marks.adguard.first == 3);
    BOOST_TEST(marks.adguard.text == "||b.example^");
    BOOST_TEST(marks.hosts.lines == 2U);
    BOOST_TEST(marks.hosts.first == 2);
    BOOST_TEST(marks.is_adguard());
    BOOST_TEST(!find_list_marks("").is_adguard());
    BOOST_TEST(!find_list_marks("bare.example\n").is_adguard());
}

// As AdGuard's own parser: "a" in a file would block every name with that letter.
BOOST_AUTO_TEST_CASE(a_pattern_of_a_file_has_three_characters) {
    const auto list = read_adguard("ad\n|a\nx^\n||x\nads\n*\n.\n**\n", "f", type_number);
    BOOST_TEST(list.bad.count() == 3U);
    BOOST_TEST(
        (list.bad.errors()[0].text.find("fewer than three characters") != std::string::npos));
    BOOST_TEST(list.rules.size() == 5U);
}

BOOST_AUTO_TEST_CASE(a_rule_for_all_names_is_found) {
    const std::vector<std::string> texts{
        "*",      "**",        ".",   "/.*/",    "/^/",   "/./",        "/[a-z]/", "/\\./",
        "/^.+$/", "/(a|b|.)/", "ads", "/[0-9]/", "/^ad/", "||ads*com^", "/(/",     "/.{200}/"};
    std::vector<Rule> rules;
    for (const std::string& text : texts)
        rules.push_back(rule(text).rule);
    std::vector<const Rule*> pointers;
    for (const Rule& one : rules)
        pointers.push_back(&one);
    BOOST_TEST(rules_for_all(pointers) == (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}),
               boost::test_tools::per_element());
    BOOST_TEST(rules_for_all({}).empty());
}

// A name with '_' is no host name: an expression for host names covers what clients ask for.
BOOST_AUTO_TEST_CASE(a_rule_for_nearly_all_host_names_is_found) {
    const auto covers = [](const std::string& text) {
        const Rule one = rule(text).rule;
        const std::vector<const Rule*> pointers{&one};
        return !rules_for_all(pointers).empty();
    };
    for (const char* wide :
         {"/^[a-z0-9.-]+$/", "/^[a-z]/", "/[aeiou]/", "/[a-z]\\.[a-z]/", "/[a-z]{2,}$/",
          "/^[a-z0-9-]+\\./", "/[a-z0-9]{2}/", "/^[^_]+$/", "/(^|\\.)[a-z0-9-]+\\.[a-z]{2,}$/"})
        BOOST_TEST(covers(wide), wide);
    for (const char* meant :
         {"/^ads?[0-9]*\\./", "/\\.(xyz|top)$/", "/[0-9]{3}/", "/^[a-z]{12,}\\./", "/^[0-9]+\\./",
          "/-/", "/^www\\./", "/\\.[a-z]{2}$/", "/^[a-z0-9-]+\\.[a-z]+$/", "/_/", "/[0-9]/",
          "/xn--/", "/^[a-z]\\./", "/a/", "/e/", "/[jqxz]/"})
        BOOST_TEST(!covers(meant), meant);
}

// AdGuard Home reads each line by its own form.
BOOST_AUTO_TEST_CASE(a_block_list_is_read_line_by_line) {
    const auto texts = [](const NameList& list) {
        std::vector<std::string> out;
        for (const auto& [one, line] : list.list.rules)
            out.push_back(std::to_string(line) + " " +
                          (one.kind == RuleKind::full     ? "full:"
                           : one.kind == RuleKind::domain ? "domain:"
                                                          : "regexp:") +
                          one.text);
        for (const AdguardRule& one : list.rules)
            out.push_back(std::to_string(one.line) + (one.exception ? " @@" : " ") + one.rule.text);
        return out;
    };
    const std::string bytes =
        "! Title\n||one.example^\n0.0.0.0\ttwo.example three.example # note\n@@||ok.one.example^\n"
        "four.example\n192.0.2.9 assigned.example\n-ads-\n||five.example^$important\n"
        "127.0.0.1 localhost\n203.0.113.7\n||six.example^$client=x\nwww.\n";
    const auto adguard = read_block_list(bytes, "f", type_number, true);
    BOOST_TEST(
        texts(adguard) == (std::vector<std::string>{"2 domain:one.example", "3 full:two.example",
                                                    "3 full:three.example", "5 full:four.example",
                                                    "7 regexp:-ads-", "12 regexp:www\\.",
                                                    "4 @@ok.one.example", "8 five.example"}),
        boost::test_tools::per_element());
    BOOST_TEST(adguard.list.bad.count() == 1U);
    BOOST_TEST(adguard.left_out == 2U);
    BOOST_TEST(adguard.list.bad.left_out_count() == 1U);
    // Words of other lists are names, and an exception among them is named.
    const auto hosts = read_block_list(bytes, "f", type_number, false);
    BOOST_TEST(
        texts(hosts) == (std::vector<std::string>{"2 domain:one.example", "3 full:two.example",
                                                  "3 full:three.example", "5 full:four.example",
                                                  "7 full:-ads-", "12 full:www", "8 five.example"}),
        boost::test_tools::per_element());
    BOOST_TEST(hosts.list.bad.count() == 2U);
}

BOOST_AUTO_TEST_CASE(a_badfilter_removes_the_same_rule) {
    const auto list = read_adguard(
        "||a.example^\n||a.example^$important\n||a.example^$badfilter\n@@||a.example^\n", "f",
        type_number);
    BOOST_TEST_REQUIRE(list.rules.size() == 4U);
    const BadFilters bad(list.rules);
    BOOST_TEST(bad.removes(list.rules[0]));
    BOOST_TEST(bad.removes(list.rules[0].rule));
    BOOST_TEST((!bad.removes(list.rules[1]) && !bad.removes(list.rules[3])));
}

BOOST_AUTO_TEST_CASE(steps_decide_by_priority) {
    NameMatcherBuilder builder;
    enum Sets : SetId { kException, kBlock, kUnless, kResult, kOther };
    builder.add(kException, {RuleKind::domain, "good.ads.example"});
    builder.add(kBlock, {RuleKind::domain, "ads.example"});
    builder.add(kBlock, {RuleKind::regexp, "^ad[0-9]"});
    builder.add(kUnless, {RuleKind::full, "ad1.example"});
    builder.add(kOther, {RuleKind::domain, "example"});
    builder.decide({kResult, {{kException, std::nullopt, false}, {kBlock, kUnless, true}}});
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    BOOST_TEST_REQUIRE((image != nullptr));
    NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(image->prepare(scratch).has_value());
    for (const auto& [name, in] :
         std::vector<std::pair<const char*, bool>>{{"ads.example", true},
                                                   {"x.good.ads.example", false},
                                                   {"ad1.example", false},
                                                   {"ad2.example", true},
                                                   {"other.example", false}}) {
        TagBits expected;
        expected.set(kOther);
        if (in) expected.set(kResult);
        BOOST_TEST((image->match(test::wire(name), scratch) == expected), name);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::matchers
