// Readers of rule and prefix files: what people's editors leave in them, and bad lines by number.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "matchers/list/hosts_list.h"
#include "matchers/list/prefix_list.h"
#include "matchers/list/rule_list.h"

namespace m = steer::matchers;

namespace {

m::RuleList read(std::string_view bytes) {
    return m::read_rules(bytes, "l.txt", m::RuleKind::domain);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(list)

BOOST_AUTO_TEST_CASE(comments_blank_lines_crlf_and_a_byte_order_mark_are_skipped) {
    const auto list = read(
        "\xef\xbb\xbf"
        "example.org\r\n"
        "# a comment\r\n"
        "\r\n"
        "  full:www.example.org   # said why\r\n"
        "regexp:^a #b\r\n"
        "#full:off.example\r\n"
        "ab.example\t#x\r\n"
        "keyword:last");
    BOOST_CHECK_EQUAL(list.bad.count(), 0U);
    BOOST_REQUIRE_EQUAL(list.rules.size(), 5U);
    BOOST_CHECK_EQUAL(list.rules[0].rule.text, "example.org");
    BOOST_CHECK_EQUAL(list.rules[1].rule.text, "www.example.org");
    BOOST_CHECK_EQUAL(list.rules[1].line, 4);
    BOOST_CHECK_EQUAL(list.rules[2].rule.text, "^a #b");
    BOOST_CHECK_EQUAL(list.rules[3].rule.text, "ab.example");
    BOOST_CHECK_EQUAL(list.rules[4].rule.text, "last");
    BOOST_CHECK_EQUAL(list.rules[4].line, 8);
}

// cat a.txt b.txt
BOOST_AUTO_TEST_CASE(concatenated_files_may_each_have_a_byte_order_mark) {
    const auto list = read(
        "\xef\xbb\xbf"
        "full:a.example\n"
        "\xef\xbb\xbf"
        "full:b.example\n");
    BOOST_CHECK_EQUAL(list.bad.count(), 0U);
    BOOST_REQUIRE_EQUAL(list.rules.size(), 2U);
    BOOST_CHECK_EQUAL(list.rules[1].rule.text, "b.example");
    BOOST_CHECK_EQUAL(list.rules[1].line, 2);
}

BOOST_AUTO_TEST_CASE(bad_lines_are_reported_and_good_ones_kept) {
    const auto list =
        read("good.example\ngeosite:cn\n0.0.0.0 ads.example\ngood.too\n" +
             std::string(100000, 'x') + "\n" + std::string("\0\xff\x01", 3) + "\nlast.good\n");
    BOOST_REQUIRE_EQUAL(list.rules.size(), 3U);
    BOOST_CHECK_EQUAL(list.rules[2].line, 7);
    const auto errors = list.bad.errors();
    BOOST_REQUIRE_EQUAL(errors.size(), 4U);
    BOOST_CHECK(errors[0].sentence().starts_with("l.txt:2: "));
    BOOST_CHECK_EQUAL(errors[1].line, 3);
    BOOST_CHECK_EQUAL(errors[2].line, 5);
    BOOST_CHECK_LT(errors[2].text.size(), 300U);
    BOOST_CHECK_EQUAL(errors[3].line, 6);
}

BOOST_AUTO_TEST_CASE(a_file_of_another_kind_does_not_fill_the_memory) {
    std::string many;
    for (int i = 0; i < 5000; ++i)
        many += "a b\n";
    const auto list = read(many);
    BOOST_CHECK_EQUAL(list.bad.count(), 5000U);
    const auto errors = list.bad.errors();
    BOOST_REQUIRE_EQUAL(errors.size(), m::BadLines::kShown + 1);
    BOOST_CHECK(errors.back().text.starts_with("4000 more bad lines"));
}

BOOST_AUTO_TEST_CASE(empty_files_give_no_rules) {
    for (const char* bytes : {"", "\n", "\xef\xbb\xbf", "\r\n\r\n", "# only\n"}) {
        const auto list = read(bytes);
        BOOST_CHECK(list.rules.empty());
        BOOST_CHECK_EQUAL(list.bad.count(), 0U);
    }
}

BOOST_AUTO_TEST_CASE(utf_16_is_refused_with_one_sentence) {
    using namespace std::string_literals;
    for (const std::string& bytes : {"\xff\xfe"
                                     "a\0.\0b\0\n\0"s,
                                     "\xfe\xff\0a\0.\0b\0\n"s, "a\0.\0b\0\n\0c\0"s, "\0a\0.\0b"s}) {
        const auto list = read(bytes);
        BOOST_CHECK(list.rules.empty());
        BOOST_REQUIRE_EQUAL(list.bad.count(), 1U);
        BOOST_CHECK_EQUAL(list.bad.errors()[0].sentence(),
                          "l.txt:1: the file is UTF-16: save it as UTF-8");
        BOOST_CHECK_EQUAL(m::read_prefixes(bytes, "ips.txt").bad.count(), 1U);
    }
    BOOST_CHECK_EQUAL(read("ab.example\n").bad.count(), 0U);
    BOOST_CHECK_EQUAL(read("a").bad.count(), 0U);
}

BOOST_AUTO_TEST_CASE(hosts_lists_are_read) {
    const auto hosts = m::read_hosts(
        "\xef\xbb\xbf# head\r\n"
        "127.0.0.1 localhost\r\n"
        "0.0.0.0\tAds.example  two.example. # why\r\n"
        "::1 ip6-localhost ip6-loopback\n"
        "0.0.0.0 0.0.0.0\n"
        "192.0.2.1 router.example\n"
        "0.0.0.0 domain:a.example good.example bad..example\n"
        "0.0.0.0\n"
        ":: " +
            std::string(1 << 20, 'x') + "\n" + std::string("\0\1\xfe\n", 4) + "::\tlast.example",
        "h.txt");
    BOOST_REQUIRE_EQUAL(hosts.list.rules.size(), 4U);
    BOOST_CHECK_EQUAL(hosts.list.rules[0].rule.text, "ads.example");
    BOOST_CHECK(hosts.list.rules[0].rule.kind == m::RuleKind::full);
    BOOST_CHECK_EQUAL(hosts.list.rules[1].rule.text, "two.example");
    BOOST_CHECK_EQUAL(hosts.list.rules[2].line, 7);
    BOOST_CHECK_EQUAL(hosts.list.rules[3].line, 11);
    BOOST_CHECK_EQUAL(hosts.left_out, 4U);
    const auto errors = hosts.list.bad.errors();
    BOOST_REQUIRE_EQUAL(errors.size(), 5U);
    const int lines[] = {6, 7, 7, 9, 10};
    for (std::size_t i = 0; i < errors.size(); ++i) {
        BOOST_CHECK_EQUAL(errors[i].line, lines[i]);
        BOOST_CHECK_LT(errors[i].text.size(), 300U);
    }
}

BOOST_AUTO_TEST_CASE(text_after_an_address_is_ignored) {
    const auto list = m::read_prefixes(
        "192.0.2.1 gateway of ::lab\n198.51.100.0/24\tCN\n203.0.113.1#inline\n# 10.0.0.1\n"
        "2001:db8::/32   # 10.0.0.1 10.0.0.2\n",
        "ips.txt");
    BOOST_CHECK_EQUAL(list.bad.count(), 0U);
    std::vector<std::string> read;
    for (const auto& [prefix, line] : list.prefixes)
        read.push_back(prefix.to_string() + " " + std::to_string(line));
    const std::vector<std::string> expected{"192.0.2.1/32 1", "198.51.100.0/24 2",
                                            "203.0.113.1/32 3", "2001:db8::/32 5"};
    BOOST_TEST(read == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(two_addresses_in_a_line_are_a_bad_line) {
    const auto list = m::read_prefixes(
        "192.0.2.1 not 192.0.2.9\n192.0.2.1 192.0.2.2 of the lab\n192.0.2.1/ 192.0.2.2\n",
        "ips.txt");
    BOOST_CHECK_EQUAL(list.prefixes.size(), 1U);
    BOOST_REQUIRE_EQUAL(list.bad.count(), 2U);
    BOOST_CHECK_EQUAL(list.bad.errors()[0].text,
                      "more than one address in a line, \"192.0.2.1\" and \"192.0.2.2\": write "
                      "one a line");
    BOOST_CHECK_EQUAL(list.bad.errors()[0].line, 2);
}

BOOST_AUTO_TEST_CASE(prefixes_are_read) {
    const auto list =
        m::read_prefixes("192.0.2.0/24 # lab\n2001:db8::1\n\nnonsense\n10.0.0.1/40\n", "ips.txt");
    BOOST_REQUIRE_EQUAL(list.prefixes.size(), 2U);
    BOOST_CHECK_EQUAL(list.prefixes[0].prefix.to_string(), "192.0.2.0/24");
    const auto errors = list.bad.errors();
    BOOST_REQUIRE_EQUAL(errors.size(), 2U);
    BOOST_CHECK(errors[0].sentence().starts_with("ips.txt:4: "));
    BOOST_CHECK_EQUAL(errors[1].line, 5);
}

BOOST_AUTO_TEST_SUITE_END()
