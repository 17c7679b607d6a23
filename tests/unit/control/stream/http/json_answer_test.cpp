// DNS responses as JSON: the fields, text that needs escapes, limits, and malformed responses.
#include "control/streams/http/json_answer.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <random>

#include "control/streams/http/http_answer.h"
#include "matchers/octets.h"
#include "support/dns_message.h"

using namespace steer;
using namespace steer::stream;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::operator+;
using steer::test::wire_name;

namespace {

std::string body_of(const Bytes& response) {
    const auto answer = json_answer(response);
    BOOST_TEST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->body.size() <= kMaxJsonBody);
    return answer->body;
}
boost::json::object object_of(const Bytes& response) {
    return boost::json::parse(body_of(response)).as_object();
}
std::string text_at(const boost::json::value& value, const char* pointer) {
    return std::string(value.at_pointer(pointer).as_string());
}

// Five names of 255 bytes each in 64 KiB: records that point to them all have them whole.
Bytes response_of_long_names() {
    const std::string label(63, '\1');
    const std::string name = label + '.' + label + '.' + label + '.' + std::string(61, '\1');
    DnsMessage m = DnsMessage::response(0, name, 2);
    while (m.size() < 65'000)
        m.record(DnsMessage::kAnswer, {0xc0, 12}, 2, 5, {0xc0, 12});
    return m.opt(1232).bytes();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_json_answer)

BOOST_AUTO_TEST_CASE(all_sections_have_their_records) {
    DnsMessage m = DnsMessage::response(0, "Www.example.com", 28, 0x85b0);
    m.cname("Www.example.com", 300, "n.example.com");
    m.record(DnsMessage::kAnswer, wire_name("n.example.com"), 28, 0x80000001,
             {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    m.record(DnsMessage::kAuthority, {0xc0, 16}, 2, 60, {2, 'n', 's', 0xc0, 16});
    m.record(DnsMessage::kAdditional, {0}, 16, 0, {1, 'a', 2, '"', '\\'});
    m.opt(1232);
    BOOST_TEST(
        body_of(m.bytes()) ==
        R"({"Status":0,"TC":false,"RD":true,"RA":true,"AD":true,"CD":true,)"
        R"("Question":[{"name":"Www.example.com.","type":28}],)"
        R"("Answer":[{"name":"Www.example.com.","type":5,"TTL":300,"data":"n.example.com."},)"
        R"({"name":"n.example.com.","type":28,"TTL":0,"data":"2001:db8::1"}],)"
        R"("Authority":[{"name":"example.com.","type":2,"TTL":60,"data":"ns.example.com."}],)"
        R"("Additional":[{"name":".","type":16,"TTL":0,"data":"\"a\" \"\\\"\\\\\""}]})"
        "\n");
}

BOOST_AUTO_TEST_CASE(sections_without_records_are_left_out) {
    BOOST_TEST(body_of(DnsMessage::response(0, "", 1, 0x8383).opt(1232).bytes()) ==
               R"({"Status":3,"TC":true,"RD":true,"RA":true,"AD":false,"CD":false,)"
               R"("Question":[{"name":".","type":1}]})"
               "\n");
    BOOST_TEST(body_of(DnsMessage(0, 0x8005).bytes()) ==
               R"({"Status":5,"TC":false,"RD":false,"RA":false,"AD":false,"CD":false,)"
               R"("Question":[]})"
               "\n");
}

BOOST_AUTO_TEST_CASE(the_opt_gives_status_subnet_and_comment) {
    DnsMessage m = DnsMessage::response(0, "a.org", 1, 0x8180);
    m.opt(1232, false, 1, 0,
          Bytes{0, 8, 0, 7, 0, 1, 24, 16, 192, 0, 2} +
              Bytes{0, 15, 0, 2, 0, 22, 0, 15, 0, 8, 0, 15} + Bytes{'a', '"', '\\', 0, 0xff, '\n'} +
              Bytes{0, 15, 0, 6, 0x12, 0x34} + Bytes{0xc3, 0xa4, '\r', 0x7f});
    const auto all = object_of(m.bytes());
    BOOST_TEST(all.at("Status").as_int64() == 16);
    BOOST_TEST(!all.contains("Additional"));
    BOOST_TEST(text_at(all, "/edns_client_subnet") == "192.0.2.0/16");
    BOOST_TEST(text_at(all, "/Comment") ==
               "EDE(22): No Reachable Authority; EDE(15): Blocked (a\"\\\\x00\\xff\\x0a); "
               "EDE(4660): code 4660 (\xc3\xa4\\x0d\\x7f)");
    const auto subnet = [](const Bytes& option) {
        const Bytes head{0, 8, 0, static_cast<std::uint8_t>(option.size())};
        const auto got = object_of(
            DnsMessage::response(0, "a.org", 1).opt(1232, false, 0, 0, head + option).bytes());
        return got.contains("edns_client_subnet") ? text_at(got, "/edns_client_subnet") : "";
    };
    BOOST_TEST(subnet({0, 2, 32, 0, 0x20, 1, 0xd, 0xb8}) == "2001:db8::/0");
    for (const Bytes& bad : {Bytes{}, Bytes{0, 1, 8}, Bytes{0, 3, 8, 0, 10},
                             Bytes{0, 1, 8, 0, 10, 0, 0, 0, 0}, Bytes{0, 0, 0, 0}})
        BOOST_TEST(subnet(bad) == "");
}

BOOST_AUTO_TEST_CASE(any_byte_of_names_and_strings_is_valid_json) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const auto b = static_cast<std::uint8_t>(byte);
        DnsMessage m(0, 0x8180);
        m.set(4, 1).raw({1, b, 0}).u16(16).u16(1);
        m.record(DnsMessage::kAnswer, {0xc0, 12}, 16, 5, {2, b, b});
        const std::string body = body_of(m.bytes());
        BOOST_TEST(
            std::ranges::all_of(body, [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n'; }));
        const auto all = boost::json::parse(body);
        const std::string name = text_at(all, "/Answer/0/name");
        BOOST_TEST(text_at(all, "/Question/0/name") == name);
        const std::string digits = std::to_string(1000 + byte).substr(1);
        if (byte < 0x20 || byte >= 0x7f) {
            BOOST_TEST(name == "\\" + digits + ".");
            BOOST_TEST(text_at(all, "/Answer/0/data") == "\"\\" + digits + "\\" + digits + "\"");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_body_is_limited_and_says_that_it_is_cut) {
    const Bytes response = response_of_long_names();
    const auto answer = json_answer(response);
    BOOST_TEST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->cut);
    BOOST_TEST(answer->body.size() <= kMaxJsonBody);
    const auto all = boost::json::parse(answer->body);
    BOOST_TEST(all.at("TC").as_bool());
    BOOST_TEST(all.at("Answer").as_array().size() > 100U);
    const HttpAnswerFields fields(HttpStatus::ok, response, 0, AnswerForm::json);
    BOOST_TEST(fields.fields()[2].value == "no-store");

    Bytes rdata;  // the longest text that has no names
    while (rdata.size() < 65'000)
        rdata = rdata + Bytes{255} + Bytes(255, 0xff);
    const auto text = json_answer(DnsMessage::response(0, "a.org", 16)
                                      .record(DnsMessage::kAnswer, {0}, 16, 5, rdata)
                                      .bytes());
    BOOST_TEST((text && !text->cut));
}

BOOST_AUTO_TEST_CASE(malformed_responses_are_not_answered) {
    DnsMessage m = DnsMessage::response(0, "www.example.com", 1);
    m.record(DnsMessage::kAnswer, {0xc0, 12}, 5, 5, {1, 'n', 0xc0, 16});
    m.record(DnsMessage::kAuthority, {0xc0, 16}, 6, 5, Bytes{0xc0, 12, 0xc0, 16} + Bytes(20));
    const Bytes whole = m.opt(1232).bytes();
    BOOST_TEST(json_answer(whole).has_value());
    for (std::size_t length = 0; length < whole.size(); ++length)
        BOOST_TEST(!json_answer(std::span(whole).first(length)).has_value(), length);
    // A pointer to itself, and one forwards.
    for (const std::uint8_t to : Bytes{33, 36, 40})
        BOOST_TEST(!json_answer(DnsMessage::response(0, "www.example.com", 1)
                                    .record(DnsMessage::kAnswer, {0xc0, to}, 16, 5, {1, 'a'})
                                    .bytes())
                        .has_value());
    BOOST_TEST(
        !json_answer(Bytes(DnsMessage(0, 0x8180).set(4, 2).bytes()) + Bytes(10)).has_value());

    const HttpAnswerFields fields(HttpStatus::ok, Bytes(5), 0, AnswerForm::json);
    BOOST_TEST((fields.status() == HttpStatus::unavailable));
    BOOST_TEST(fields.fields()[0].value == "text/plain");
    BOOST_TEST(chars_of(fields.content()) == text_of(HttpStatus::unavailable));

    std::mt19937 random{7};
    for (int i = 0; i < 20'000; ++i) {
        Bytes bytes = whole;
        for (int edits = 0; edits < 3; ++edits)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        if (const auto answer = json_answer(bytes)) (void)boost::json::parse(answer->body);
    }
}

BOOST_AUTO_TEST_SUITE_END()
