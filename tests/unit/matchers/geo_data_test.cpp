// geosite.dat and geoip.dat: what selectors take, and bytes that are no such data.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "matchers/list/geo_data.h"

namespace m = steer::matchers;

namespace {

std::string field(char tag, const std::string& bytes) {
    std::string out{static_cast<char>(tag << 3 | 2)};
    std::size_t size = bytes.size();
    for (; size >= 0x80; size >>= 7)
        out += static_cast<char>(size | 0x80);
    return out + static_cast<char>(size) + bytes;
}
std::string number(char tag, char value) {
    return {static_cast<char>(tag << 3), value};
}
std::string domain(char type, const std::string& name, const std::vector<std::string>& with = {}) {
    std::string out = number(1, type) + field(2, name);
    for (const auto& key : with)
        out += field(3, field(1, key) + number(2, 1));
    return field(2, out);
}
std::string geo_list(const std::string& code, const std::string& rules) {
    return field(1, field(1, code) + rules);
}

const std::string kSites =
    geo_list("CN", domain(2, "Example.CN") + domain(3, "www.example.com", {"ads"}) +
                       domain(0, "word") + domain(1, "^a.*b$", {"ads", "!cn"})) +
    geo_list("GEO", domain(2, "geo.example") + domain(2, std::string(300, 'x')) + domain(7, "new") +
                        domain(2, "a:b"));

std::vector<std::string> names(const std::vector<std::string>& selectors) {
    std::vector<std::string> out;
    for (const auto& r : m::read_geosite(kSites, "g.dat", selectors).value().list.rules)
        out.push_back(r.rule.text);
    return out;
}

using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(geo_data)

BOOST_AUTO_TEST_CASE(selectors_are_a_union_and_case_does_not_matter) {
    BOOST_TEST(names({"cn@ADS"}) == (Names{"www.example.com", "^a.*b$"}),
               boost::test_tools::per_element());
    BOOST_TEST(names({"Cn@!cn", "geo"}) == (Names{"^a.*b$", "geo.example"}),
               boost::test_tools::per_element());
    BOOST_TEST(names({"cn@ads@!cn"}) == Names{"^a.*b$"}, boost::test_tools::per_element());
    BOOST_TEST(names({}).size() == 5U);
    BOOST_TEST(names({"cn"}) == (Names{"example.cn", "www.example.com", "word", "^a.*b$"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(kinds_bad_rules_and_missing_lists_are_reported) {
    const auto read = m::read_geosite(kSites, "g.dat", Names{"geo", "cn@none", "nowhere"}).value();
    BOOST_TEST(read.missing == (Names{"cn@none", "nowhere"}), boost::test_tools::per_element());
    const auto errors = read.list.bad.errors();
    BOOST_TEST_REQUIRE(errors.size() == 3U);
    BOOST_TEST(errors[0].sentence().starts_with("g.dat:6: in the list \"geo\": "));
    BOOST_TEST(errors[1].text == "in the list \"geo\": a rule of the unknown kind 7");
    BOOST_TEST(errors[2].line == 8);
    const auto all = m::read_geosite(kSites, "g.dat", {}).value().list.rules;
    BOOST_TEST((all[0].rule.kind == m::RuleKind::domain && all[1].rule.kind == m::RuleKind::full &&
                all[2].rule.kind == m::RuleKind::keyword &&
                all[3].rule.kind == m::RuleKind::regexp));
    BOOST_TEST(all[4].line == 5);
}

BOOST_AUTO_TEST_CASE(a_truncated_file_is_refused_unless_it_ends_between_lists) {
    const std::size_t second = kSites.find("GEO") - 5;
    for (std::size_t size = 0; size < kSites.size(); ++size) {
        const auto read = m::read_geosite(std::string_view(kSites).substr(0, size), "g.dat", {});
        if (read) BOOST_TEST(size == second);
    }
    for (const std::string& bad : {std::string("# a text file\n"), std::string(1000, '\xff'),
                                   std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                                   std::string("\xff\xfe"
                                               "a\0b\0",
                                               6)}) {
        const auto read = m::read_geosite(bad, "g.dat", {});
        BOOST_TEST_REQUIRE(!read);
        BOOST_TEST(read.error().sentence().starts_with("g.dat: this is not geosite data"));
    }
}

BOOST_AUTO_TEST_CASE(prefixes_of_both_families_are_read_with_host_bits_masked) {
    const auto cidr = [](const std::string& address, char length) {
        return field(2, field(1, address) + number(2, length));
    };
    const std::string v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05", 16);
    const std::string bytes = geo_list("US", cidr("\xc0\x00\x02\x09", 24)) +
                              geo_list("DE", cidr(std::string("\xc0\x00\x02\x09", 4), 24) +
                                                 cidr(v6, 32) + cidr("abc", 8) + cidr("abcd", 33)) +
                              geo_list("NOT", cidr("abcd", 8) + number(3, 1));
    const auto read = m::read_geoip(bytes, "i.dat", Names{"de", "not", "fr"}).value();
    BOOST_TEST_REQUIRE(read.list.prefixes.size() == 2U);
    BOOST_TEST(read.list.prefixes[0].prefix.to_string() == "192.0.2.0/24");
    BOOST_TEST(read.list.prefixes[1].prefix.to_string() == "2001:db8::/32");
    BOOST_TEST(read.list.bad.count() == 3U);
    BOOST_TEST(read.missing == (Names{"not", "fr"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
