// Lines of `records` of configuration.replay.
#define BOOST_TEST_MODULE replay
#include "control/observe/replay/captured.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <tuple>

#include "dataplane/dns/name.h"

using namespace steer;
using replay::read_captured;

namespace {

std::string error_of(std::string_view lines) {
    const auto read = read_captured(lines);
    return read ? "" : read.error().text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(lines_are_queries_with_their_answers_the_most_frequent_first) {
    const auto read = read_captured(
        "2 192.0.2.1 198.51.100.1 1 1 WWW.Example.com 0 cdn.example 203.0.113.1\n"
        "30 2001:db8::7 2001:db8::53 28 1 . 3\n"
        "1 192.0.2.1 198.51.100.2 16 3 a\\032b.example");
    BOOST_REQUIRE(read.has_value());
    BOOST_REQUIRE_EQUAL(read->queries.size(), 3U);
    BOOST_CHECK_EQUAL(read->sum, 33U);
    BOOST_CHECK(read->is_complete);
    const auto& [root, www, odd] = std::tie(read->queries[0], read->queries[1], read->queries[2]);
    BOOST_CHECK_EQUAL(dns::name_to_text(www.name), "www.example.com");
    BOOST_CHECK_EQUAL(www.client.to_string(), "192.0.2.1");
    BOOST_CHECK_EQUAL(www.server.value().to_string(), "198.51.100.1");
    BOOST_CHECK_EQUAL(www.answer.value().records, "cdn.example 203.0.113.1");
    BOOST_CHECK(www.answer->is_upstreams);
    BOOST_CHECK_EQUAL(root.qtype, 28);
    BOOST_CHECK_EQUAL(root.name.size(), 1U);
    BOOST_CHECK_EQUAL(root.answer.value().rcode, 3);
    BOOST_CHECK_EQUAL(root.answer->records, "");
    BOOST_CHECK_EQUAL(odd.qclass, 3);
    BOOST_CHECK(!odd.answer);
    BOOST_CHECK_EQUAL(dns::name_to_text(odd.name), "a\\032b.example");
}

BOOST_AUTO_TEST_CASE(an_error_names_the_line_and_what_is_expected) {
    const std::string good = "1 192.0.2.1 198.51.100.1 1 1 example.com\n";
    BOOST_CHECK_EQUAL(error_of(good), "");
    BOOST_CHECK_EQUAL(error_of(""), "");
    const auto line2 = [&](const std::string& line) { return error_of(good + line); };
    BOOST_CHECK_EQUAL(line2("x"), "line 2 of `records`: expected a number of queries, not \"x\"");
    BOOST_CHECK_EQUAL(line2("\n"), "line 2 of `records`: expected a number of queries, not \"\"");
    BOOST_CHECK_EQUAL(line2("1"), "line 2 of `records`: expected a client's address, not \"\"");
    BOOST_CHECK_EQUAL(line2("1 192.0.2.1 nobody 1 1 a"),
                      "line 2 of `records`: expected a server's address, not \"nobody\"");
    BOOST_CHECK_EQUAL(line2("1 192.0.2.1 192.0.2.2 65536 1 a"),
                      "line 2 of `records`: expected a type's number, not \"65536\"");
    BOOST_CHECK_EQUAL(line2("1 192.0.2.1 192.0.2.2 1 -1 a"),
                      "line 2 of `records`: expected a class's number, not \"-1\"");
    BOOST_CHECK_EQUAL(line2("1 192.0.2.1 192.0.2.2 1 1 a..b"),
                      "line 2 of `records`: expected a domain name, not \"a..b\"");
    BOOST_CHECK_EQUAL(line2("1 192.0.2.1 192.0.2.2 1 1 a NXDOMAIN"),
                      "line 2 of `records`: expected an rcode's number, not \"NXDOMAIN\"");
    BOOST_CHECK_EQUAL(error_of("1000000000001 192.0.2.1 192.0.2.2 1 1 a"),
                      "line 1 of `records`: expected a number of queries, not \"1000000000001\"");
}

BOOST_AUTO_TEST_CASE(the_number_of_lines_is_limited) {
    std::string lines;
    for (std::size_t i = 0; i < replay::kMostDistinct; ++i)
        lines += "1 192.0.2.1 192.0.2.2 1 1 a\n";
    BOOST_CHECK_EQUAL(error_of(lines), "");
    BOOST_CHECK_EQUAL(error_of(lines + lines.substr(0, 28)),
                      "line 100001 of `records`: there may be 100000 lines");
}
