// Which HTTP requests are DNS queries, what the others get, and for how long an answer is fresh.
#include <boost/test/unit_test.hpp>

#include "control/streams/http/doh_answer.h"
#include "control/streams/http/doh_request.h"
#include "world.h"

using namespace steer;
using namespace steer::stream;
using namespace steer::test;

namespace {

const std::vector<ServedPath> kPaths{{"/dns-query"}, {"/second"}, {"/json", true}};
constexpr std::string_view kType = "application/dns-message";

std::string base64url(const Bytes& bytes) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 6; count -= 6)
            out += kDigits[(bits >> (count - 6)) & 63];
    }
    if (count > 0) out += kDigits[(bits << (6 - count)) & 63];
    return out;
}

HttpStatus status_of(const std::variant<HttpQuery, HttpRefusal>& judged) {
    const auto* refused = std::get_if<HttpRefusal>(&judged);
    return refused != nullptr ? refused->status : HttpStatus::ok;
}
HttpStatus get(const std::string& target) {
    return status_of(judge_head({.method = HttpMethod::get, .target = target}, kPaths));
}
HttpStatus post(const HttpHead& head) {
    return status_of(judge_head(head, kPaths));
}
HttpHead post_head() {
    return {.method = HttpMethod::post, .target = "/dns-query", .content_type = std::string(kType)};
}

// The response of `query` with the records of `rest` (counts: answers, authorities).
Bytes response_with(std::uint16_t flags, std::uint16_t answers, std::uint16_t authorities,
                    const Bytes& rest) {
    Bytes r = make_query(1, "n.example");
    dns::store_be16(&r[2], flags);
    dns::store_be16(&r[6], answers);
    dns::store_be16(&r[8], authorities);
    dns::store_be16(&r[10], 0);
    r.insert(r.end(), rest.begin(), rest.end());
    return r;
}
Bytes record(std::uint8_t type, std::uint32_t ttl_s, const Bytes& rdata) {
    Bytes r{0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(rdata.size())};
    dns::store_be32(&r[6], ttl_s);
    r.insert(r.end(), rdata.begin(), rdata.end());
    return r;
}
Bytes soa(std::uint32_t ttl_s, std::uint8_t minimum) {
    Bytes rdata(22);
    rdata.back() = minimum;
    return record(6, ttl_s, rdata);
}
}  // namespace

BOOST_AUTO_TEST_SUITE(stream_doh_request)

BOOST_AUTO_TEST_CASE(only_canonical_base64url_is_accepted) {
    for (std::size_t length = 0; length < 50; ++length) {
        Bytes bytes(length);
        for (std::size_t i = 0; i < length; ++i)
            bytes[i] = static_cast<std::uint8_t>(251 * (i + 1));
        const auto got = bytes_of_base64url(base64url(bytes));
        BOOST_REQUIRE(got.has_value());
        BOOST_TEST(*got == bytes);
    }
    for (const char* bad :
         {"A", "AAAAA", "AA==", "AAA=", "A+AA", "A/AA", "AA A", "AA\n", "AB", "AAB"})
        BOOST_TEST(!bytes_of_base64url(bad).has_value(), bad);
}

// RFC 8484 4.1.1 has this example.
BOOST_AUTO_TEST_CASE(the_example_of_rfc_8484_is_accepted) {
    const auto judged =
        judge_head({.method = HttpMethod::get,
                    .target = "/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"},
                   kPaths);
    const auto* query = std::get_if<HttpQuery>(&judged);
    BOOST_REQUIRE(query != nullptr);
    BOOST_TEST(query->message == make_query(0, "www.example.com"));
    BOOST_TEST(!query->in_content);
    BOOST_TEST(query->path == 0U);
}

BOOST_AUTO_TEST_CASE(paths_are_compared_as_written) {
    const std::string dns = "?dns=" + base64url(make_query(0, "n.example"));
    BOOST_TEST((get("/dns-query" + dns) == HttpStatus::ok));
    BOOST_TEST((get("https://dns.example/dns-query" + dns) == HttpStatus::ok));
    BOOST_TEST((get("HTTP://dns.example:8080/second" + dns) == HttpStatus::ok));
    for (const char* other : {"/", "", "/dns-query/", "/dns-quer", "/DNS-query", "/dns%2Dquery",
                              "*", "//dns-query", "https://dns.example", "dns-query"})
        BOOST_TEST((get(other + dns) == HttpStatus::not_found), other);
    const auto second = judge_head({.method = HttpMethod::get, .target = "/second" + dns}, kPaths);
    BOOST_TEST(std::get<HttpQuery>(second).path == 1U);
}

BOOST_AUTO_TEST_CASE(a_get_needs_a_dns_parameter) {
    const std::string dns = base64url(make_query(0, "n.example"));
    BOOST_TEST((get("/dns-query?a=b&dns=" + dns + "&c=d") == HttpStatus::ok));
    for (const std::string& bad : std::vector<std::string>{
             "", "?", "?dns", "?dns=", "?Dns=" + dns, "?a=dns=" + dns, "?dns=" + dns + "=",
             "?dns=" + dns + "&dns=" + dns, "?dns=AAABAAABAAAAAAA", "?dns=%41" + dns})
        BOOST_TEST((get("/dns-query" + bad) == HttpStatus::bad_request), bad);
    Bytes response = make_response(make_query(0, "n.example"), 1);
    BOOST_TEST((get("/dns-query?dns=" + base64url(response)) == HttpStatus::bad_request));
    Bytes longest = make_query(0, "n.example");
    longest.resize(kMaxHttpQuery);
    BOOST_TEST((get("/dns-query?dns=" + base64url(longest)) == HttpStatus::ok));
    longest.resize(kMaxHttpQuery + 1);
    BOOST_TEST((get("/dns-query?dns=" + base64url(longest)) == HttpStatus::uri_too_long));
}

BOOST_AUTO_TEST_CASE(names_are_queries_where_the_json_api_is_served) {
    const std::string dns = "dns=" + base64url(make_query(0, "n.example"));
    const auto form = [](const std::string& target) {
        const auto judged = judge_head({.method = HttpMethod::get, .target = target}, kPaths);
        const auto* query = std::get_if<HttpQuery>(&judged);
        return query == nullptr ? "refused" : query->form == AnswerForm::json ? "json" : "message";
    };
    BOOST_TEST(form("/json?name=n.example") == "json");
    BOOST_TEST(form("/json?type=1&name=n.example") == "json");
    BOOST_TEST(form("/json?name=n.example&ct=application/dns-message") == "message");
    BOOST_TEST(form("/json?" + dns) == "message");
    BOOST_TEST(form("/json?name=n.example&" + dns) == "message");
    BOOST_TEST(form("/json?name=n.example&dns=AA") == "refused");
    for (const char* bad : {"/json", "/json?", "/json?type=A", "/json?Name=n.example",
                            "/json?name=", "/dns-query?name=n.example"})
        BOOST_TEST((get(bad) == HttpStatus::bad_request), bad);
    const auto refused = judge_head({.method = HttpMethod::get, .target = "/json"}, kPaths);
    BOOST_TEST(std::get<HttpRefusal>(refused).text.starts_with("Expected 'name' "));
    HttpHead head = post_head();
    head.target = "/json?name=n.example";
    const auto posted = judge_head(head, kPaths);
    BOOST_TEST(std::get<HttpQuery>(posted).in_content);
}

BOOST_AUTO_TEST_CASE(a_post_needs_its_content_type_and_content) {
    BOOST_TEST((post(post_head()) == HttpStatus::ok));
    HttpHead head = post_head();
    for (const char* good : {"Application/DNS-Message", "application/dns-message; a=b",
                             "application/dns-message ;a"}) {
        head.content_type = good;
        BOOST_TEST((post(head) == HttpStatus::ok), good);
    }
    for (const char* bad : {"", "application/dns", "application/dns-messages", "text/plain",
                            "application/dns-json", "application/x-www-form-urlencoded"}) {
        head.content_type = bad;
        BOOST_TEST((post(head) == HttpStatus::unsupported_media_type), bad);
    }
    head.content_type.reset();
    BOOST_TEST((post(head) == HttpStatus::unsupported_media_type));
    head = post_head();
    head.encoded = true;
    BOOST_TEST((post(head) == HttpStatus::unsupported_media_type));
    head = post_head();
    head.content_length = kMaxHttpQuery;
    BOOST_TEST((post(head) == HttpStatus::ok));
    head.content_length = kMaxHttpQuery + 1;
    BOOST_TEST((post(head) == HttpStatus::content_too_large));
}

BOOST_AUTO_TEST_CASE(only_get_head_and_post_are_allowed) {
    const std::string target = "/dns-query?dns=" + base64url(make_query(0, "n.example"));
    const auto with = [&](std::string_view method) {
        return status_of(judge_head({.method = method_of(method), .target = target}, kPaths));
    };
    BOOST_TEST((with("GET") == HttpStatus::ok));
    BOOST_TEST((with("HEAD") == HttpStatus::ok));  // RFC 9110 9.3.2: as a GET, without content
    for (const char* other : {"PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "get", ""})
        BOOST_TEST((with(other) == HttpStatus::method_not_allowed), other);
}

BOOST_AUTO_TEST_CASE(messages_of_an_impossible_size_are_refused) {
    BOOST_TEST((judge_message(make_query(0, "n.example")) == HttpStatus::ok));
    BOOST_TEST((judge_message(Bytes(11)) == HttpStatus::bad_request));
    BOOST_TEST((judge_message({}) == HttpStatus::bad_request));
    BOOST_TEST((judge_message(Bytes(kMaxHttpQuery)) == HttpStatus::ok));
    BOOST_TEST((judge_message(Bytes(kMaxHttpQuery + 1)) == HttpStatus::content_too_large));
}

BOOST_AUTO_TEST_CASE(max_age_is_the_lowest_ttl) {
    const Bytes a{192, 0, 2, 1};
    const auto fresh = [](const Bytes& response) -> long {
        const auto seconds = freshness_s(response);
        return seconds ? static_cast<long>(*seconds) : -1;
    };
    BOOST_TEST(fresh(response_with(0x8180, 2, 0, record(1, 300, a) + record(1, 60, a))) == 60);
    BOOST_TEST(fresh(response_with(0x8180, 1, 0, record(1, 0, a))) == 0);
    BOOST_TEST(fresh(response_with(0x8180, 1, 0, record(1, 0x80000001, a))) == 0);
    // an NS in the authority section says nothing about the answer
    BOOST_TEST(fresh(response_with(0x8180, 1, 1, record(1, 300, a) + record(2, 5, a))) == 300);
    BOOST_TEST(fresh(response_with(0x8183, 0, 1, soa(900, 30))) == 30);
    BOOST_TEST(fresh(response_with(0x8180, 0, 1, soa(20, 30))) == 20);
    BOOST_TEST(fresh(response_with(0x8183, 1, 1, record(5, 300, {0}) + soa(900, 30))) == 30);
    BOOST_TEST(fresh(response_with(0x8180, 0, 0, {})) == -1);
    BOOST_TEST(fresh(response_with(0x8182, 1, 0, record(1, 300, a))) == -1);  // SERVFAIL
    BOOST_TEST(fresh(response_with(0x8185, 0, 0, {})) == -1);                 // REFUSED
    BOOST_TEST(fresh(response_with(0x8380, 1, 0, record(1, 300, a))) == -1);  // TC
    const Bytes whole = response_with(0x8180, 1, 0, record(1, 300, a));
    for (std::size_t length = 0; length < whole.size(); ++length)
        BOOST_TEST(fresh({whole.begin(), whole.begin() + static_cast<long>(length)}) == -1);
}

BOOST_AUTO_TEST_SUITE_END()
