#include "control/observe/recorder/recorded_query.h"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "control/observe/recorder/json_line.h"
#include "sample_query.h"

using namespace steer;
using namespace steer::recorder;
using steer::recorder::test::sample_query;

namespace {

std::string name_text(std::string_view wire) {
    std::string out = "old";
    put_name({reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()}, out);
    return out;
}

std::vector<std::uint8_t> bytes(std::string_view text) {
    return {text.begin(), text.end()};
}

using namespace std::string_view_literals;

// A query for a.b A with an OPT that holds a client subnet of 24 bits (four bytes) and a cookie.
std::vector<std::uint8_t> query_with_options() {
    return bytes(
        "\0\1\1\0\0\1\0\0\0\0\0\1\1a\1b\0\0\1\0\1"
        "\0\0\51\4\xd0\0\0\0\0\0\30"
        "\0\10\0\10\0\1\40\0\xc0\0\2\7"
        "\0\12\0\10ABCDEFGH"sv);
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_are_in_lower_case_and_escaped) {
    BOOST_TEST(name_text("\3WwW\7example\0"sv) == "www.example");
    BOOST_TEST(name_text("\0"sv) == ".");
    BOOST_TEST(name_text("\10<b>\"a.b\\\0"sv) == "<b>\\\"a\\.b\\\\");
    BOOST_TEST(name_text("\3\x1b[m\0"sv) == "\\027[m");
    BOOST_TEST(name_text("\2\xc3\xa4\0"sv) == "\\195\\164");
    BOOST_TEST(name_text("\5ab"sv) == "");  // cut off
    BOOST_TEST(name_text(""sv) == "");
}

BOOST_AUTO_TEST_CASE(client_addresses_are_truncated) {
    const auto cut = [](std::string_view text, unsigned mask4, unsigned mask6) {
        return masked(*IpAddress::parse(text), mask4, mask6).to_string();
    };
    BOOST_TEST(cut("192.0.2.77", 24, 56) == "192.0.2.0");
    BOOST_TEST(cut("192.0.2.77", 32, 56) == "192.0.2.77");
    BOOST_TEST(cut("192.0.2.77", 0, 56) == "0.0.0.0");
    BOOST_TEST(cut("2001:db8:1:2ff::9", 24, 56) == "2001:db8:1:200::");
    BOOST_TEST(cut("2001:db8:1:2ff::9", 24, 128) == "2001:db8:1:2ff::9");
}

BOOST_AUTO_TEST_CASE(subnets_and_cookies_of_clients_are_blanked) {
    auto message = query_with_options();
    blank_client_options(message, 16, 56);
    auto expected = query_with_options();
    expected[42] = expected[43] = 0;  // 192.0.0.0
    for (std::size_t i = 48; i < 56; ++i)
        expected[i] = 0;
    BOOST_TEST(message == expected, boost::test_tools::per_element());
    // Whatever is cut off, nothing behind it is touched.
    for (std::size_t length = 0; length < message.size(); ++length) {
        auto part = query_with_options();
        part.resize(length);
        blank_client_options(part, 0, 0);
        BOOST_TEST(part.size() == length);
    }
}

BOOST_AUTO_TEST_CASE(answers_are_names_addresses_and_types) {
    // www A: a CNAME to cdn.b, an address of that, an MX.
    const auto response = bytes(
        "\0\1\x81\x80\0\1\0\3\0\0\0\0\3www\1b\0\0\1\0\1"
        "\300\14\0\5\0\1\0\0\0\1\0\6\3cdn\300\20"
        "\300\43\0\1\0\1\0\0\0\1\0\4\306\63\144\2"
        "\300\43\0\17\0\1\0\0\0\1\0\4\0\12\300\20"sv);
    std::string text;
    put_answers(response, text);
    BOOST_TEST(text == "cdn.b 198.51.100.2 MX");
    for (std::size_t length = 0; length < response.size(); ++length)
        put_answers({response.data(), length}, text);
    put_answers({}, text);
    BOOST_TEST(text == "");
}

BOOST_AUTO_TEST_CASE(a_line_is_one_json_object) {
    JsonLine line;
    std::string text;
    auto query = sample_query("<script>\\\"\\.x\\027.example");
    query.ede = 15;
    query.upstream = "1.1.1.1";
    query.answers = "198.51.100.2";
    query.trace = 72057594037927937;
    query.decision = "rewritten";
    query.plugin = "lab";
    query.list = "lab.txt";
    query.rule = "steer.yaml:7 qname \"lab\"";
    line.append(query, text);
    query.name = {};
    query.rcode = kNoRcode;
    query.qtype = 0;
    query.end = "drop_short_header";
    line.append(query, text);
    const auto end = text.find('\n');
    const auto first = boost::json::parse(text.substr(0, end)).as_object();
    BOOST_TEST(first.at("name").as_string() == "<script>\\\"\\.x\\027.example");
    BOOST_TEST(first.at("time").as_string() == "2026-11-23T16:00:00.000000Z");
    BOOST_TEST(
        boost::json::serialize(first) ==
        R"({"time":"2026-11-23T16:00:00.000000Z","client":"192.0.2.7","client_port":40000,"server":"192.0.2.53",)"
        R"("transport":"udp","name":"<script>\\\"\\.x\\027.example","type":"A","end":"answered","path":"cache",)"
        R"("decision":"rewritten","plugin":"lab","list":"lab.txt","rule":"steer.yaml:7 qname \"lab\"",)"
        R"("rcode":"NOERROR","ede":15,"answers":"198.51.100.2","upstream":"1.1.1.1","entry":"main",)"
        R"("duration_us":120,"query_size":33,"response_size":49,"worker":0,"stands_for":1,)"
        R"("trace":"100000000000001"})");
    const auto second = boost::json::parse(text.substr(end + 1)).as_object();
    BOOST_TEST(!second.contains("name"));
    BOOST_TEST(!second.contains("rcode"));
    BOOST_TEST(second.at("end").as_string() == "drop_short_header");
    BOOST_TEST(time_text(recorder::test::kBegin + 61'000'007) == "2026-11-23T16:01:01.000007Z");
}
