// DNS cookies: the test vectors of RFC 9018 (appendix A), ages, rollovers, options.
#include "dataplane/dns/cookie.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/dns/answer.h"
#include "dataplane/dns/checksum.h"
#include "support/dns_message.h"

using namespace steer;
using namespace steer::dns;
using steer::test::operator+;

namespace {

std::vector<std::uint8_t> bytes_of(std::string_view hex) {
    std::vector<std::uint8_t> out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(
            static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
    return out;
}

CookieSecret secret_of(std::string_view hex) {
    const auto bytes = bytes_of(hex);
    return CookieSecret::of(std::span<const std::uint8_t, kCookieSecretSize>(bytes));
}

Cookie cookie_of(std::string_view hex) {
    const auto bytes = bytes_of(hex);
    Cookie cookie{};
    std::ranges::copy(bytes, cookie.begin());
    return cookie;
}

std::string text_of(std::span<const std::uint8_t> bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t byte : bytes) {
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

const CookieSecret kSecret = secret_of("e5e973e5a6b2a43f48e7dc849e37bfcf");
constexpr std::uint8_t kClient[]{198, 51, 100, 100};
constexpr std::uint8_t kOther[]{203, 0, 113, 203};

}  // namespace

BOOST_AUTO_TEST_SUITE(cookies)

// RFC 9018 A.1, A.2: a new server cookie, and its replacement.
BOOST_AUTO_TEST_CASE(server_cookies_are_those_of_the_rfc) {
    Cookie cookie = cookie_of("2464c4abcf10c957");
    make_server_cookie(cookie, kSecret, 1559731985, kClient);
    BOOST_TEST(text_of(cookie) == "2464c4abcf10c957010000005cf79f111f8130c3eee29480");

    CookieKeys keys{.current = kSecret};
    const CookieCheck check = check_cookie(cookie, keys, 1559734385, kClient);
    BOOST_TEST(check.is_valid);
    BOOST_TEST(check.is_renewed);
    BOOST_TEST(text_of(cookie) == "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
}

// RFC 9018 A.3: reserved bytes of another implementation are part of the hash. The reply of the RFC
// is two hours younger than the query's cookie.
BOOST_AUTO_TEST_CASE(reserved_bytes_are_accepted) {
    const Cookie sent = cookie_of("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
    const CookieKeys keys{.current = kSecret};
    Cookie cookie = sent;
    BOOST_TEST(check_cookie(cookie, keys, 0x5cf78f71 + 60, kOther).is_valid);
    BOOST_TEST((cookie == sent));
    const CookieCheck check = check_cookie(cookie, keys, 1559734700, kOther);
    BOOST_TEST(!check.is_valid);
    BOOST_TEST(check.is_renewed);
    BOOST_TEST(text_of(cookie) == "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
}

// RFC 9018 A.4: IPv6, and a secret that was replaced.
BOOST_AUTO_TEST_CASE(the_secret_before_is_accepted) {
    const auto client = bytes_of("20010db80220000159ded0f4876982b8");
    Cookie cookie = cookie_of("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
    CookieKeys keys{.current = secret_of("445536bcd2513298075a5d379663c962"),
                    .other = secret_of("dd3bdf9344b678b185a6f5cb60fca715")};
    Cookie without = cookie;
    BOOST_TEST(!check_cookie(without, keys, 1559741961, client).is_valid);
    keys.has_other = true;
    const CookieCheck check = check_cookie(cookie, keys, 1559741961, client);
    BOOST_TEST(check.is_valid);
    BOOST_TEST(check.is_renewed);
    BOOST_TEST(text_of(cookie) == "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
}

BOOST_AUTO_TEST_CASE(age_decides_about_a_cookie) {
    constexpr std::uint32_t kMade = 0xffffff00;  // the time wraps around soon
    const CookieKeys keys{.current = kSecret};
    const auto check = [&](std::uint32_t now_s) {
        Cookie cookie = cookie_of("0102030405060708");
        make_server_cookie(cookie, kSecret, kMade, kClient);
        return check_cookie(cookie, keys, now_s, kClient);
    };
    for (const std::uint32_t age_s : {0U, 1U, 1799U}) {
        BOOST_TEST(check(kMade + age_s).is_valid);
        BOOST_TEST(!check(kMade + age_s).is_renewed);
    }
    for (const std::uint32_t age_s : {1800U, 3600U}) {
        BOOST_TEST(check(kMade + age_s).is_valid);
        BOOST_TEST(check(kMade + age_s).is_renewed);
    }
    BOOST_TEST(!check(kMade + 3601).is_valid);
    BOOST_TEST(check(kMade - 300).is_valid);  // another box's clock is ahead
    BOOST_TEST(!check(kMade - 301).is_valid);
    BOOST_TEST(!check(kMade + 0x80000000).is_valid);
}

BOOST_AUTO_TEST_CASE(any_changed_byte_makes_a_cookie_invalid) {
    const CookieKeys keys{.current = kSecret};
    Cookie good = cookie_of("0102030405060708");
    make_server_cookie(good, kSecret, 1'000'000, kClient);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const unsigned bit : {1U, 128U}) {
            Cookie cookie = good;
            cookie[i] = static_cast<std::uint8_t>(cookie[i] ^ bit);
            BOOST_TEST(!check_cookie(cookie, keys, 1'000'000, kClient).is_valid);
            // The new one is right for what was sent.
            BOOST_TEST(check_cookie(cookie, keys, 1'000'000, kClient).is_valid);
        }
    }
    BOOST_TEST(!check_cookie(good, keys, 1'000'000, kOther).is_valid);
}

BOOST_AUTO_TEST_CASE(parallel_hashes_are_the_single_ones) {
    for (const std::size_t size : {std::size_t{4}, std::size_t{16}}) {
        std::vector<std::vector<std::uint8_t>> cookies, addresses;
        std::array<CookieInput, kCookieLanes> in;
        for (unsigned i = 0; i < kCookieLanes; ++i) {
            cookies.emplace_back(16);
            addresses.emplace_back(size);
            for (std::size_t k = 0; k < 16; ++k)
                cookies[i][k] = static_cast<std::uint8_t>(31 * i + 7 * k);
            for (std::size_t k = 0; k < size; ++k)
                addresses[i][k] = static_cast<std::uint8_t>(13 * i + 5 * k + 1);
            in[i] = {cookies[i].data(), addresses[i].data()};
        }
        CookieHashes out;
        cookie_hashes(kSecret, in, size, out);
        for (unsigned i = 0; i < kCookieLanes; ++i) {
            BOOST_TEST(out.hashes[i] == cookie_hash(kSecret, cookies[i].data(), addresses[i]));
            Cookie whole;
            std::ranges::copy(cookies[i], whole.begin());
            std::memcpy(&whole[kCookieHashAt], &out.hashes[i], sizeof out.hashes[i]);
            BOOST_TEST(out.sums[i] == cookie_sum(whole));
        }
    }
}

BOOST_AUTO_TEST_CASE(lengths_of_the_option_are_those_of_the_rfc) {
    for (std::size_t n = 0; n <= 64; ++n)
        BOOST_TEST(is_cookie_length(n) == (n == 8 || (n >= 16 && n <= 40)));
}

BOOST_AUTO_TEST_CASE(a_cookie_at_the_end_is_found) {
    const auto end_of = [](const test::Bytes& options) {
        const auto bytes =
            test::DnsMessage::query(1, "a.example", 1).opt(1232, false, 0, 0, options).bytes();
        const std::size_t found = cookie_at_end(bytes);
        BOOST_TEST(may_end_with_cookie(bytes.data() + bytes.size()) == (found != 0));
        return found;
    };
    test::Bytes shorter{0, 10, 0, 8}, longer{0, 10, 0, 24}, other{0, 10, 0, 16};
    shorter.resize(12), longer.resize(28), other.resize(20);
    BOOST_TEST(end_of({}) == 0U);
    BOOST_TEST(end_of(shorter) == 8U);
    BOOST_TEST(end_of(longer) == 24U);
    BOOST_TEST(end_of(other) == 0U);
    BOOST_TEST(end_of(test::Bytes{0, 3, 0, 0} + longer) == 24U);
    BOOST_TEST(end_of(longer + test::Bytes{0, 3, 0, 0}) == 0U);
    // Bytes before a short message are not of it.
    test::Bytes frame(40 + 12 + 5);
    std::ranges::copy(shorter, frame.end() - 12);
    const std::span<const std::uint8_t> all{frame};
    BOOST_TEST(may_end_with_cookie(all.data() + all.size()));
    for (std::size_t n = 0; n <= all.size(); ++n)
        BOOST_TEST(cookie_at_end(all.last(n)) == (n < 12 + 5 + 11 + 12 ? 0U : 8U));
}

BOOST_AUTO_TEST_CASE(parsing_finds_the_first_cookie) {
    test::Bytes first{0, 10, 0, 24}, second{0, 10, 0, 8};
    first.resize(28), second.resize(12);
    const auto message = test::DnsMessage::query(1, "a.example", 1)
                             .opt(1232, false, 0, 0, test::Bytes{0, 3, 0, 0} + first + second)
                             .bytes();
    Query query;
    BOOST_REQUIRE(parse_query(message, query) == QueryError::none);
    BOOST_TEST(query.cookie_length == 24U);
    BOOST_TEST(query.cookie_at == message.size() - 12 - 24);
    BOOST_TEST((query.edns.cookie == CookieState::none));
    first[3] = 23;
    const auto bad = test::DnsMessage::query(1, "a.example", 1)
                         .opt(1232, false, 0, 0, test::Bytes(first.begin(), first.begin() + 11))
                         .bytes();
    BOOST_TEST((parse_query(bad, query) == QueryError::bad_option));
    BOOST_TEST(query.cookie_length == 0U);
}

// The reply's OPT has the cookie, whatever else it has, and the sum of the message is right.
BOOST_AUTO_TEST_CASE(replies_carry_the_cookie) {
    const Cookie cookie = cookie_of("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    const Answer answer = empty_answer(kNxDomain);
    for (const std::string_view name : {"a.example", "ab.example"}) {
        for (const bool dnssec_ok : {false, true}) {
            for (const bool with_ede : {false, true}) {
                auto message = test::DnsMessage::query(9, name, 1).opt(1232, dnssec_ok).bytes();
                message.resize(512);
                Query query;
                auto sent = test::DnsMessage::query(9, name, 1).opt(1232, dnssec_ok).bytes();
                BOOST_REQUIRE(parse_query(sent, query) == QueryError::none);
                query.edns.cookie = CookieState::client;
                query.set_cookie(cookie);
                bool truncated = false;
                std::uint64_t sum = checksum_fold(checksum_add(0, message.data() + kHeaderSize,
                                                               query.question_end - kHeaderSize));
                ReplyOptions options;
                if (with_ede) options.ede = Ede::blocked;
                const std::size_t n = write_reply(message, query, answer, options, truncated, &sum);
                BOOST_TEST(!truncated);
                BOOST_TEST(n == query.question_end + 11U + 28U + (with_ede ? 6U : 0U));
                BOOST_TEST(std::ranges::equal(std::span(message).subspan(n - 24, 24), cookie));
                BOOST_TEST(load_be16(&message[query.question_end + 9U]) ==
                           28U + (with_ede ? 6U : 0U));
                BOOST_TEST(checksum_fold(sum) == checksum_fold(checksum_add(0, message.data(), n)));
                const std::size_t e = write_error_reply(message, query, kBadCookie);
                BOOST_TEST(e == query.question_end + 11U + 28U);
                BOOST_TEST((message[3] & kRcodeMask) == 7);
                BOOST_TEST(message[query.question_end + 5U] == 1);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(replies_of_upstreams_are_compared_with_the_cookie_sent) {
    const auto sent = bytes_of("0102030405060708");
    const std::span<const std::uint8_t, 8> ours(sent);
    std::span<const std::uint8_t> server;
    const auto read = [&](std::string_view options) {
        static std::vector<std::uint8_t> bytes;
        bytes = bytes_of(options);
        server = {};
        return read_cookie_reply(bytes, ours, server);
    };
    BOOST_TEST((read("") == CookieReply::none));
    BOOST_TEST((read("00030000") == CookieReply::none));
    BOOST_TEST((read("000a00080102030405060708") == CookieReply::right));
    BOOST_TEST(server.empty());
    BOOST_TEST((read("00030000000a00100102030405060708a1a2a3a4a5a6a7a8") == CookieReply::right));
    BOOST_TEST(text_of(server) == "a1a2a3a4a5a6a7a8");
    BOOST_TEST((read("000a00080102030405060709") == CookieReply::wrong));
    BOOST_TEST((read("000a0000") == CookieReply::wrong));
    BOOST_TEST((read("000a00090102030405060708aa") == CookieReply::wrong));
    BOOST_TEST((read("000a00200102") == CookieReply::wrong));
}

BOOST_AUTO_TEST_SUITE_END()
