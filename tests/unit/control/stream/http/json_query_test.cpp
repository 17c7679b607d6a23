// Parameters of the JSON API: which queries they are, and the texts for wrong ones.
#include "control/streams/http/json_query.h"

#include <boost/test/unit_test.hpp>

#include "dataplane/dns/query.h"
#include "support/dns_message.h"

using namespace steer;
using namespace steer::stream;
using steer::test::Bytes;
using steer::test::DnsMessage;

namespace {

constexpr std::uint16_t kFlags = 0x0120;  // RD and AD

Bytes message_of(std::string_view parameters) {
    const auto read = read_json_query(parameters);
    const auto* query = std::get_if<JsonQuery>(&read);
    BOOST_TEST_REQUIRE(query != nullptr, parameters);
    dns::Query parsed;
    BOOST_TEST(dns::is_well_formed(dns::parse_client_query(query->message, parsed)), parameters);
    return query->message;
}
std::string_view refusal_of(std::string_view parameters) {
    const auto read = read_json_query(parameters);
    const auto* text = std::get_if<std::string_view>(&read);
    return text != nullptr ? *text : "";
}
Bytes query_of(std::string_view name, std::uint16_t type, std::uint16_t flags = kFlags) {
    return DnsMessage::query(0, name, type, flags).opt(1232).bytes();
}
Bytes with_subnet(const Bytes& option) {
    return DnsMessage::query(0, "a.org", 1, kFlags).opt(1232, false, 0, 0, option).bytes();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_json_query)

BOOST_AUTO_TEST_CASE(a_name_is_enough) {
    BOOST_TEST(message_of("name=www.Example.com") == query_of("www.Example.com", 1));
    BOOST_TEST(message_of("name=www.example.com.") == query_of("www.example.com", 1));
    BOOST_TEST(message_of("name=.&type=ns") == query_of("", 2));
    BOOST_TEST(message_of("name=xn--qxam&type=") == query_of("xn--qxam", 1));
}

BOOST_AUTO_TEST_CASE(names_are_percent_decoded_and_have_escapes) {
    BOOST_TEST(message_of("name=www%2Eexample.com") == query_of("www.example.com", 1));
    BOOST_TEST(message_of("%6eame=a%5C046b.org") ==
               DnsMessage(0, kFlags)
                   .set(4, 1)
                   .raw({3, 'a', '.', 'b', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1})
                   .opt(1232)
                   .bytes());
    BOOST_TEST(message_of("name=a+b.org") == message_of("name=a%20b.org"));
    BOOST_TEST(message_of("name=a%5C255.org")[14] == 255);
}

BOOST_AUTO_TEST_CASE(types_are_mnemonics_or_numbers) {
    for (const auto& [text, type] :
         {std::pair("AAAA", 28), std::pair("aaaa", 28), std::pair("28", 28),
          std::pair("TYPE65534", 65534), std::pair("https", 65), std::pair("ANY", 255)})
        BOOST_TEST(message_of("name=a.org&type=" + std::string(text)) ==
                   query_of("a.org", static_cast<std::uint16_t>(type)));
    for (const char* bad : {"0", "65536", "-1", "none", "TYPE", "1x", "A,AAAA"})
        BOOST_TEST(
            refusal_of("name=a.org&type=" + std::string(bad)).starts_with("Expected 'type' "), bad);
}

BOOST_AUTO_TEST_CASE(cd_and_do_set_their_bits) {
    BOOST_TEST(message_of("name=a.org&cd=1") == query_of("a.org", 1, kFlags | 0x10));
    BOOST_TEST(message_of("name=a.org&cd=TRUE") == query_of("a.org", 1, kFlags | 0x10));
    BOOST_TEST(message_of("name=a.org&cd=0&do=false") == query_of("a.org", 1));
    BOOST_TEST(message_of("name=a.org&do=1") ==
               DnsMessage::query(0, "a.org", 1, kFlags).opt(1232, true).bytes());
    BOOST_TEST(refusal_of("name=a.org&cd=2").starts_with("Expected 'cd' "));
    BOOST_TEST(refusal_of("name=a.org&cd").starts_with("Expected 'cd' "));
    BOOST_TEST(refusal_of("name=a.org&do=yes").starts_with("Expected 'do' "));
}

// RFC 7871 6: no address byte behind the prefix, and no bit.
BOOST_AUTO_TEST_CASE(a_client_subnet_is_an_option) {
    const auto asked = [](std::string_view text) {
        return message_of("name=a.org&edns_client_subnet=" + std::string(text));
    };
    BOOST_TEST(asked("192.0.2.255/23") == with_subnet({0, 8, 0, 7, 0, 1, 23, 0, 192, 0, 2}));
    BOOST_TEST(asked("192.0.2.255") == with_subnet({0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2}));
    BOOST_TEST(asked("192.0.2.255/32") == with_subnet({0, 8, 0, 8, 0, 1, 32, 0, 192, 0, 2, 255}));
    BOOST_TEST(asked("0.0.0.0/0") == with_subnet({0, 8, 0, 4, 0, 1, 0, 0}));
    BOOST_TEST(asked("2001:db8::%2F32") ==
               with_subnet({0, 8, 0, 8, 0, 2, 32, 0, 0x20, 1, 0xd, 0xb8}));
    BOOST_TEST(asked("2001:db8:1:2::1") ==
               with_subnet({0, 8, 0, 11, 0, 2, 56, 0, 0x20, 1, 0xd, 0xb8, 0, 1, 0}));
    for (const char* bad : {"", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/-1", "::/129", "::/256",
                            "example.org", "192.0.2.0/24/1"})
        BOOST_TEST(refusal_of("name=a.org&edns_client_subnet=" + std::string(bad))
                       .starts_with("Expected 'edns_client_subnet' "),
                   bad);
}

BOOST_AUTO_TEST_CASE(ct_chooses_the_form_of_the_answer) {
    const auto form = [](std::string_view ct) {
        return std::get<JsonQuery>(read_json_query("name=a.org&ct=" + std::string(ct))).form;
    };
    BOOST_TEST((form("application/dns-message") == AnswerForm::message));
    BOOST_TEST((form("Application%2FDNS-Message") == AnswerForm::message));
    for (const char* other : {"", "application/dns-json", "application/x-javascript", "other"})
        BOOST_TEST((form(other) == AnswerForm::json), other);
}

BOOST_AUTO_TEST_CASE(the_first_of_equal_parameters_counts_and_others_are_ignored) {
    BOOST_TEST(message_of("random_padding=%FF&name=a.org&name=b.org&x&&=&type=1&type=none") ==
               query_of("a.org", 1));
}

BOOST_AUTO_TEST_CASE(wrong_names_are_refused_with_one_line) {
    const std::string label(63, 'a');
    const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'a');
    BOOST_TEST(message_of("name=" + longest).size() == 12U + 255 + 4 + 11);
    for (const std::string& bad :
         {std::string("type=A"), std::string("name"), std::string("name="), std::string("name=.."),
          std::string("name=.a.org"), std::string("name=a..org"), std::string("name=%CE%B5%CE%BB"),
          std::string("name=a%5C"), std::string("name=a%5C256"), "name=" + label + "a",
          "name=" + longest + "a"}) {
        const auto text = refusal_of(bad);
        BOOST_TEST(text.starts_with("Expected 'name' "), bad);
        BOOST_TEST(text.find('\n') == text.size() - 1);
    }
    for (const char* bad : {"name=a%", "name=a%zz", "name=a.org&x=\xc3\xa4", "name=a b"})
        BOOST_TEST(refusal_of(bad).starts_with("Expected parameters "), bad);
}

BOOST_AUTO_TEST_SUITE_END()
