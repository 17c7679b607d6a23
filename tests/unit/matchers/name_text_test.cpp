// parse_name: what is a name, its one text form, and what an operator is notified about a form of another program.
#include "matchers/name_text.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "matchers/name_values.h"
#include "wire_names.h"

namespace steer::matchers {
namespace {

std::string text_of(std::string_view text, NameForm form = {}) {
    const auto name = parse_name(text, form);
    return name ? *name : "refused: " + name.error().text;
}

BOOST_AUTO_TEST_SUITE(name_text)

BOOST_AUTO_TEST_CASE(names_have_one_text_form) {
    for (const auto& [text, form] : std::vector<std::pair<const char*, const char*>>{
             {"WWW.Example.ORG.", "www.example.org"},
             {"_443._tcp.example.org", "_443._tcp.example.org"},
             {"-04x.example", "-04x.example"},
             {"lan", "lan"},
             {"0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa"},
             {"b\xc3\xbc"
              "cher.example",
              "xn--bcher-kva.example"},
             {"\xd0\xb4\xd0\xbe\xd0\xbc.\xd1\x80\xd1\x84", "xn--d1aqf.xn--p1ai"},
             {"a\\032b.example", "a\\032b.example"},
             {"a\\065b.example", "aab.example"},
             {"a\\046b.example", "a\\046b.example"},
             {"a\\255.example.", "a\\255.example"}})
        BOOST_TEST(text_of(text) == form, text);
}

BOOST_AUTO_TEST_CASE(a_form_of_another_program_is_refused_with_what_to_write) {
    for (const auto& [text, part] : std::vector<std::pair<const char*, const char*>>{
             {"+.plus.example",
              "\"+.plus.example\" is Clash's form: write \"domain:plus.example\""},
             {".dot.example", "write \"domain:dot.example\""},
             {"*.star.example", "write \"domain:star.example\""},
             {"*-.both.example",
              "smartdns's form for the names below: write "
              "\"regexp:[.]both[.]example$\""},
             {"-.main.example", "write \"full:main.example\""},
             {"|bar.example", "AdGuard's form: write \"full:bar.example\""},
             {"||bar.example^", "AdGuard's form: write \"domain:bar.example\""},
             {"||bar.example^$important", "write \"domain:bar.example\""},
             {"bar.example^", "AdGuard's form"},
             {"@@||bar.example^",
              "exception in AdGuard's form: use a plugin of type 'adguard_rule'"},
             {"/ad[0-9]/", "write \"regexp:ad[0-9]\""},
             {"*", "for all names write \"regexp:.\""},
             {"**", "for all names write"},
             {"*.com.*", "write an expression, \"regexp:^[^.]*[.]com[.][^.]*$\""},
             {"a*b.example", "write an expression, \"regexp:^a[^.]*b[.]example$\""},
             {"trail.example;", "a semicolon behind the name \"trail.example;\": remove it"},
             {"'x.example'", "quotes around the name \"'x.example'\": write \"x.example\""},
             {"\"x.example\"", "without them"},
             {"quote'.example", "\"'\" in the name"},
             {"server=/.x.example/192.0.2.1", "a line of dnsmasq: write \"domain:x.example\""},
             {"address=/#/0.0.0.0", "a line of dnsmasq: write a name"},
             {"server = /x.example/1.1.1.1", "a line of dnsmasq: write \"domain:x.example\""},
             {"DOMAIN-SUFFIX,x.example", "Clash and Surge: write \"domain:x.example\""},
             {"DOMAIN-SUFFIX,x.example,PROXY", "write \"domain:x.example\""},
             {"DOMAIN,x.example", "write \"full:x.example\""},
             {"DOMAIN-REGEX,^ad[0-9]{1,3}$,PROXY", "Clash: write \"regexp:^ad[0-9]{1,3}$\""},
             {"HOST-WILDCARD,*.x.example,proxy", "is a rule of Quantumult that is not a name"},
             {"--ipset=/x.example/vpn", "a line of dnsmasq: write \"domain:x.example\""},
             {"host-suffix, x.example, proxy", "Quantumult: write \"domain:x.example\""},
             {"IP-CIDR,192.0.2.0/24", "is not a name: remove it"},
             {"- '+.x.example'", "a line of a YAML list"},
             {"two.example,three.example", "more than one name"},
             {"a.example b.example", "more than one word"},
             {"x.example/path", "a path in \"x.example/path\": write only the name"},
             {"x.example:53", "without a port"},
             {"a\\.b", "write regexp: before it"},
             {"a\\256.example", "a backslash"},
             {"a\\03", "a backslash"},
             {"a=b", "\"=\" in the name \"a=b\" is not part of a name"},
             {"a#b.example", "\"#\" in the name"},
             {"m\xfcnchen.de", "write it in UTF-8"},
             {"a..example", "one of two dots in a row"},
             {"", "without a name"},
             {".", "without a name"}}) {
        const std::string result = text_of(text);
        BOOST_TEST(result.starts_with("refused: "), text << ": " << result);
        BOOST_TEST((result.find(part) != std::string::npos), text << ": " << result);
    }
}

// A name whose last label is a number is an IPv4 address (RFC 1123 2.1, the URL standard).
BOOST_AUTO_TEST_CASE(an_address_or_a_number_is_refused) {
    for (const auto& [text, part] : std::vector<std::pair<const char*, const char*>>{
             {"10.0.0.1", "\"10.0.0.1\" is an IP address and not a name: write a name, or read"},
             {"10.0.0.0/8", "\"10.0.0.0/8\" is an IP network and not a name"},
             {"2001:db8::1", "is an IP address and not a name"},
             {"2001:db8::/32", "is an IP network and not a name"},
             {"17", "the last label of \"17\" has only digits, which no host name has"},
             {"a.17.", "the last label of \"a.17.\" has only digits"},
             {"\\049", "has only digits"}}) {
        const std::string result = text_of(text);
        BOOST_TEST((result.find(part) != std::string::npos), text << ": " << result);
        BOOST_TEST((text_of(text, {.alone = true}).find("ip_set") == std::string::npos), text);
    }
    for (const char* name :
         {"1.0.0.10.in-addr.arpa", "10.in-addr.arpa", "17.example", "1e", "0x7f"})
        BOOST_TEST(text_of(name) == name);
    // A name of a zone file below its origin, or one that a client asked for.
    BOOST_TEST(text_of("17", {.numbers = true}) == "17");
}

// Letters that IDNA maps to punctuation do not come in by like that.
BOOST_AUTO_TEST_CASE(what_idna_makes_of_letters_is_checked_too) {
    BOOST_TEST(text_of("a\xef\xbc\x8a.example").starts_with("refused: "));  // fullwidth asterisk
    BOOST_TEST(text_of("a\xef\xbd\x9c.example").starts_with("refused: "));  // fullwidth bar
    BOOST_TEST(text_of("a\xe3\x80\x82"
                       "example") == "a.example");  // ideographic full stop
}

BOOST_AUTO_TEST_CASE(zone_files_may_escape_any_byte_and_have_stars) {
    const NameForm zone{.any_escape = true, .stars = true};
    BOOST_TEST(text_of("first\\.last.example", zone) == "first\\046last.example");
    BOOST_TEST(text_of("a\\;b.example", zone) == "a\\059b.example");
    BOOST_TEST(text_of("*", zone) == "*");
    BOOST_TEST(text_of("a.*.example", zone) == "a.*.example");
    BOOST_TEST(text_of("*.example", zone).starts_with("refused: a wildcard"));
    BOOST_TEST(text_of("a*.example", zone).starts_with("refused: a wildcard"));
    BOOST_TEST(text_of("a\\.*", zone).starts_with("refused: a wildcard"));  // an escaped dot
    BOOST_TEST(text_of("a.example\\.", zone) == "a.example\\046");
}

BOOST_AUTO_TEST_CASE(zone_files_may_have_every_printable_byte) {
    const NameForm zone{.any_escape = true, .stars = true, .printable = true};
    BOOST_TEST(text_of("a+b.Example", zone) == "a\\043b.example");
    BOOST_TEST(text_of("a=b.a~b", zone) == "a\\061b.a\\126b");
    BOOST_TEST(text_of("a*.example", zone) == "a\\042.example");
    BOOST_TEST(text_of("-.example", zone) == "-.example");
    BOOST_TEST(text_of("a.*.example", zone) == "a.*.example");
    BOOST_TEST(text_of("*.example", zone).starts_with("refused: a wildcard"));
    BOOST_TEST(text_of("a b.example", zone).starts_with("refused: more than one word"));
}

BOOST_AUTO_TEST_CASE(an_escaped_byte_counts_once) {
    std::string label;
    for (int i = 0; i < 63; ++i)
        label += "\\032";
    BOOST_TEST(text_of(label + ".example") == label + ".example");
    BOOST_TEST((text_of(label + "\\032.example").find("label of 64") != std::string::npos));
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
    BOOST_TEST(text_of(longest) == longest);
    BOOST_TEST((text_of(longest + "b").find("at most 253") != std::string::npos));
    BOOST_TEST(wire_of_name(longest).size() == 254U);
    BOOST_TEST(wire_of_name("a\\032b.example") == std::string("\3a b\7example"));
    for (const char* none : {"", ".", "a..b", "a.", "\\", "\\25", "\\256"})
        BOOST_TEST(wire_of_name(none).empty(), none);
}

BOOST_AUTO_TEST_CASE(escaped_names_match) {
    NameMatcherBuilder builder;
    builder.add(0, {RuleKind::domain, *parse_name("a\\032b.example")});
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    BOOST_TEST_REQUIRE((image != nullptr));
    NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(image->prepare(scratch).has_value());
    const std::string wire("\1x\3a b\7example\0", 15);
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size());
    BOOST_TEST(image->match(bytes, scratch).test(0));
    BOOST_TEST(!image->match(test::wire("ab.example"), scratch).test(0));
}

BOOST_AUTO_TEST_CASE(a_keyword_is_part_of_a_name) {
    BOOST_TEST(*parse_keyword("Ad-Serv_1.") == "ad-serv_1");
    for (const char* bad : {"a*b", "||ads", "a,b", "ads;", "'ads'", ""})
        BOOST_TEST(!parse_keyword(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::matchers
