// parse_rule: what is a rule, and what an operator is notified about what is not.
#define BOOST_TEST_MODULE matchers
#include <boost/test/unit_test.hpp>
#include <string>

#include "matchers/name_matcher.h"

using steer::matchers::parse_rule;
using steer::matchers::RuleKind;

namespace {

std::string error_of(const std::string& text) {
    const auto rule = parse_rule(text, RuleKind::domain);
    return rule ? "accepted: " + rule->text : rule.error().text;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rule)

BOOST_AUTO_TEST_CASE(international_names_become_a_labels) {
    for (const char* text : {"M\xc3\xbcnchen.de", "M\xc3\x9cNCHEN.DE.", "mu\xcc\x88nchen.de",
                             "full:m\xc3\xbcnchen.de"})
        BOOST_CHECK_EQUAL(error_of(text), "accepted: xn--mnchen-3ya.de");
    std::string longest;
    for (int i = 0; i < 40; ++i)
        longest += "m\xc3\xbcnchen.";
    BOOST_CHECK(!contains(error_of(longest + "de"), "accepted"));
}

BOOST_AUTO_TEST_CASE(a_prefix_names_the_kind_of_rule) {
    const auto kind = [](const char* text) { return parse_rule(text, RuleKind::full)->kind; };
    BOOST_CHECK(kind("domain:example.org") == RuleKind::domain);
    BOOST_CHECK(kind("full:example.org") == RuleKind::full);
    BOOST_CHECK(kind("keyword:exam") == RuleKind::keyword);
    BOOST_CHECK(kind("regexp:^ex") == RuleKind::regexp);
    BOOST_CHECK(kind("example.org") == RuleKind::full);
    BOOST_CHECK(parse_rule("example.org", RuleKind::domain)->kind == RuleKind::domain);
}

BOOST_AUTO_TEST_CASE(names_are_lowered_and_lose_the_last_dot) {
    BOOST_CHECK_EQUAL(parse_rule(" WWW.Example.ORG. ", RuleKind::domain)->text, "www.example.org");
    BOOST_CHECK_EQUAL(parse_rule("keyword: Ads.", RuleKind::domain)->text, "ads");
    BOOST_CHECK_EQUAL(parse_rule("0/25.2.0.192.in-addr.arpa", RuleKind::domain)->text,
                      "0/25.2.0.192.in-addr.arpa");
    BOOST_CHECK_EQUAL(parse_rule("_443._tcp.example.org", RuleKind::domain)->text,
                      "_443._tcp.example.org");
}

BOOST_AUTO_TEST_CASE(a_regexp_stays_as_written) {
    BOOST_CHECK_EQUAL(parse_rule("regexp:^A{1,3} #x:y.$", RuleKind::domain)->text,
                      "^A{1,3} #x:y.$");
    BOOST_CHECK_EQUAL(parse_rule("a:b", RuleKind::regexp)->text, "a:b");
}

BOOST_AUTO_TEST_CASE(an_unknown_prefix_is_refused_with_advice) {
    BOOST_CHECK(contains(error_of("geosite:cn"), "\"geosite:\""));
    BOOST_CHECK(contains(error_of("geosite:cn"), "files:"));
    BOOST_CHECK(contains(error_of("suffix:x.org"), "write domain:"));
    BOOST_CHECK(contains(error_of("domian:x.org"), "did you mean domain:?"));
    BOOST_CHECK(contains(error_of("Regex:x"), "regexp:"));
    BOOST_CHECK(contains(error_of("FULL:x.org"), "did you mean full:?"));
    BOOST_CHECK(contains(error_of("https://example.org/"), "write only the name"));
    BOOST_CHECK(contains(error_of("zzzzzzzzz:x"), "a rule starts with domain:"));
    BOOST_CHECK(contains(error_of(std::string(500, 'a') + ":x"), "unknown kind"));
}

BOOST_AUTO_TEST_CASE(a_rule_that_can_never_match_is_refused) {
    BOOST_CHECK(contains(error_of(""), "without a name"));
    BOOST_CHECK(contains(error_of("domain:."), "without a name"));
    BOOST_CHECK(contains(error_of("keyword:"), "without a name"));
    BOOST_CHECK(contains(error_of("regexp:"), "without an expression"));
    BOOST_CHECK(contains(error_of("a..b"), "empty label"));
    BOOST_CHECK(contains(error_of(".example.org"), "empty label"));
    BOOST_CHECK(contains(error_of("*.example.org"), "\"domain:example.org\""));
    BOOST_CHECK(contains(error_of("a.org b.org"), "more than one word"));
    BOOST_CHECK(contains(error_of("0.0.0.0 ads.org"), "more than one word"));
    BOOST_CHECK(contains(error_of("domain:example.org:53"), "without a port"));
    BOOST_CHECK(contains(error_of("a\\.b"), "regexp:"));
    BOOST_CHECK(contains(error_of("m\xfcnchen.de"), "write it in UTF-8"));
    BOOST_CHECK(contains(error_of("keyword:m\xc3\xbcnchen"), "xn--"));
    BOOST_CHECK(contains(error_of(std::string("a\0b", 3)), "control character"));
}

BOOST_AUTO_TEST_CASE(names_and_labels_have_the_lengths_of_the_dns) {
    const std::string label(63, 'a');
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
    BOOST_REQUIRE_EQUAL(longest.size(), 253U);
    BOOST_CHECK(parse_rule(longest, RuleKind::domain));
    BOOST_CHECK(contains(error_of(longest + "b"), "at most 253"));
    BOOST_CHECK(contains(error_of("a" + label + ".org"), "label of 64"));
    BOOST_CHECK(parse_rule("keyword:" + std::string(253, 'k'), RuleKind::domain));
    BOOST_CHECK(contains(error_of("keyword:" + std::string(254, 'k')), "at most 253"));
}

BOOST_AUTO_TEST_CASE(foreign_bytes_are_escaped_in_messages) {
    const std::string text = error_of("x\x1b[31m\xff.org");
    BOOST_CHECK(contains(text, "\\x1b[31m\\xff.org"));
}

BOOST_AUTO_TEST_SUITE_END()
