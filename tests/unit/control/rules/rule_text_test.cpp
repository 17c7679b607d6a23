// What a change makes of a rule file's text.
#include "control/sources/rules/rule_text.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using steer::rules::edit_rules;
using steer::rules::make_change;
using steer::rules::RuleChange;

BOOST_AUTO_TEST_SUITE(rule_text)

namespace {

// "+rule" and "-rule"
std::vector<RuleChange> changes(const std::vector<std::string>& texts) {
    std::vector<RuleChange> out;
    for (const std::string& text : texts)
        out.push_back(make_change(text[0] == '+', text.substr(1)).value());
    return out;
}

std::string edited(const std::string& bytes, const std::vector<std::string>& texts) {
    return edit_rules(bytes, changes(texts)).value().bytes;
}

std::string error_of(const std::string& rule) {
    const auto change = make_change(true, rule);
    return change ? "" : change.error().text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(other_lines_stay_unchanged) {
    const std::string bytes =
        "\xef\xbb\xbf# mine\r\n\n  domain:a.example   # because\nbad rule here\nfull:b.example";
    BOOST_TEST(edited(bytes, {"+c.example"}) == bytes + "\nc.example\n");
    BOOST_TEST(edited(bytes, {"-a.example"}) ==
               "\xef\xbb\xbf# mine\r\n\nbad rule here\nfull:b.example");
    BOOST_TEST(edited(bytes, {"-full:b.example", "+full:b.example"}) ==
               "\xef\xbb\xbf# mine\r\n\n  domain:a.example   # because\nbad rule here\n"
               "full:b.example\n");
    BOOST_TEST(edited("", {"+a.example"}) == "a.example\n");
    BOOST_TEST(edited("a.example\n", {"-a.example"}).empty());
}

// Rules are the same if they mean the same.
BOOST_AUTO_TEST_CASE(adding_a_present_rule_changes_nothing) {
    const std::string bytes = "A.example.\n";
    const auto out =
        edit_rules(bytes, changes({"+domain:a.example", "+full:a.example", "-x.example",
                                   "+full:A.EXAMPLE", "-keyword:a.example"}))
            .value();
    BOOST_TEST(out.changed == (std::vector<bool>{false, true, false, false, false}));
    BOOST_TEST(out.bytes == bytes + "full:a.example\n");
    BOOST_TEST(!edit_rules(bytes, changes({"+a.example"})).value().any());
}

BOOST_AUTO_TEST_CASE(changes_are_applied_one_after_the_other) {
    BOOST_TEST(edited("", {"+a.example", "+b.example", "-a.example"}) == "b.example\n");
    BOOST_TEST(edited("a.example\na.example # twice\n", {"-a.example"}).empty());
    BOOST_TEST(edited("a.example\n", {"-a.example", "+a.example", "-a.example"}).empty());
}

BOOST_AUTO_TEST_CASE(a_regexp_is_a_whole_line) {
    const std::string bytes = "regexp:^a # b$\n";
    BOOST_TEST(!edit_rules(bytes, changes({"+regexp:^a # b$"})).value().any());
    BOOST_TEST(edited(bytes, {"-regexp:^a # b$"}).empty());
}

BOOST_AUTO_TEST_CASE(invalid_rules_are_refused) {
    BOOST_TEST(error_of("a.example").empty());
    BOOST_TEST(error_of("suffix:a.example").find("write domain:") != std::string::npos);
    BOOST_TEST(error_of("two words").find("one rule a line") != std::string::npos);
    BOOST_TEST(!error_of("").empty());
    BOOST_TEST(!error_of("regexp:(").empty());
    for (const char* rule : {"#a.example", "regexp:a\nb", "regexp:a\n"})
        BOOST_TEST(!error_of(rule).empty() == (std::string(rule) != "regexp:a\n"), rule);
    BOOST_TEST(edit_rules("\xff\xfe"
                          "a",
                          changes({"+a.example"}))
                   .error()
                   .text.find("UTF-16") != std::string::npos);
}

// It would not be read any more.
BOOST_AUTO_TEST_CASE(a_result_that_reads_as_utf_16_is_refused) {
    const std::string bytes("a.example\n#\0e\0x\0", 16);
    const auto left = edit_rules(bytes, changes({"-a.example"}));
    BOOST_TEST(left.error().text.find("begins as UTF-16 does") != std::string::npos);
    BOOST_TEST(edited(bytes, {"+b.example"}) == bytes + "\nb.example\n");
}

BOOST_AUTO_TEST_SUITE_END()
