#include <boost/test/unit_test.hpp>

#include "tools/rossim/address.h"
#include "tools/rossim/journal.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

std::string v4(std::string_view text) {
    const auto address = normalise_address(Family::ipv4, text);
    return address ? (address->is_name ? "name " : "") + address->text : "refused";
}

std::string v6(std::string_view text) {
    const auto address = normalise_address(Family::ipv6, text);
    return address ? (address->is_name ? "name " : "") + address->text : "refused";
}

BOOST_AUTO_TEST_SUITE(value)

BOOST_AUTO_TEST_CASE(durations_are_read) {
    BOOST_TEST(parse_duration("1d").value() == 86400);
    BOOST_TEST(parse_duration("3600").value() == 3600);
    BOOST_TEST(parse_duration("3600s").value() == 3600);
    BOOST_TEST(parse_duration("1h30m").value() == 5400);
    BOOST_TEST(parse_duration("01:00:00").value() == 3600);
    BOOST_TEST(parse_duration("1w2d03:04:05").value() == 788645);
    BOOST_TEST(parse_duration("35w3d13h13m56s").value() == 21474836);
    BOOST_TEST(parse_duration("0s").value() == 0);
    for (const char* bad : {"", "x", "1x", "-1s", "1m1h", "1s1s", "01:70:00", "1:", "1h:2",
                            "99999999999999999999s", "1:2:3:4"}) {
        BOOST_TEST(!parse_duration(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(durations_are_printed) {
    BOOST_TEST(duration_text(0) == "0s");
    BOOST_TEST(duration_text(3600) == "1h");
    BOOST_TEST(duration_text(86398) == "23h59m58s");
    BOOST_TEST(duration_text(788645) == "1w2d3h4m5s");
    BOOST_TEST(duration_text(30 * 86400) == "4w2d");
}

BOOST_AUTO_TEST_CASE(ids_are_upper_case_hex) {
    BOOST_TEST(id_text(0xC4C) == "*C4C");
    BOOST_TEST(parse_id("*c4c").value() == 0xC4CU);
    BOOST_TEST(parse_id_list("*1,*A").value() == (std::vector<std::uint64_t>{1, 10}),
               boost::test_tools::per_element());
    for (const char* bad : {"", "1", "*", "*G", "*1,", "*1,2", "*11111111111111111"}) {
        BOOST_TEST(!parse_id_list(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(ipv4_addresses_are_written_as_on_a_router) {
    BOOST_TEST(v4("192.0.34.166/32") == "192.0.34.166");
    BOOST_TEST(v4("1.1.1.1/24") == "1.1.1.0/24");
    BOOST_TEST(v4("0.0.0.0/0") == "0.0.0.0/0");
    BOOST_TEST(v4("192.168.0.0-192.168.1.255") == "192.168.0.0/23");
    BOOST_TEST(v4("10.0.0.1-10.0.0.5") == "10.0.0.1-10.0.0.5");
    BOOST_TEST(v4("10.0.0.1-10.0.0.1") == "10.0.0.1");
    BOOST_TEST(v4("0.0.0.0-255.255.255.255") == "0.0.0.0/0");
    BOOST_TEST(v4("10.0.0.5-10.0.0.1") == "refused");
    BOOST_TEST(v4("1.1.1.1/33") == "refused");
    BOOST_TEST(v4("2001:db8::1") == "refused");
    BOOST_TEST(v4("159.323.68.211") == "name 159.323.68.211");
    BOOST_TEST(v4("example.com") == "name example.com");
    BOOST_TEST(v4("bad name") == "refused");
    BOOST_TEST(v4("") == "refused");
    BOOST_TEST(v4("a..b") == "refused");
}

BOOST_AUTO_TEST_CASE(ipv6_addresses_keep_their_length) {
    BOOST_TEST(v6("2001:DB8:0:0::1") == "2001:db8::1/128");
    BOOST_TEST(v6("2001:db8::1/64") == "2001:db8::/64");
    BOOST_TEST(v6("::/0") == "::/0");
    BOOST_TEST(v6("2001:db8::/129") == "refused");
    BOOST_TEST(v6("192.0.2.1") == "refused");
    BOOST_TEST(v6("2001:db8::1-2001:db8::2") == "refused");
    BOOST_TEST(v6("example.com") == "name example.com");
}

BOOST_AUTO_TEST_CASE(journal_lines_are_json) {
    Commit commit{1'000'000'000, "edge1",    Change::add,  Family::ipv4, "policy",
                  "10.0.0.1",    60'000'000, "say \"hi\"", 31,           false};
    BOOST_TEST(to_json_line(commit) ==
               "{\"t_ns\":1000000000,\"router\":\"edge1\",\"op\":\"add\",\"family\":4,"
               "\"list\":\"policy\",\"address\":\"10.0.0.1\",\"timeout_s\":60,"
               "\"comment\":\"say \\\"hi\\\"\",\".id\":\"*1F\"}\n");
    commit.left_us = 1'500'000;
    BOOST_TEST(to_json_line(commit).find("\"timeout_s\":1.500000,") != std::string::npos);
    commit.left_us.reset();
    BOOST_TEST(to_json_line(commit).find("\"timeout_s\":null,") != std::string::npos);
    commit.change = Change::up;
    BOOST_TEST(to_json_line(commit) ==
               "{\"t_ns\":1000000000,\"router\":\"edge1\",\"op\":\"up\"}\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim
