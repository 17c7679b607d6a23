// The COOKIE option of clients and of upstreams. Where parsing finds a cookie, it is inside the
// message, and its replacement is valid. The place at the end is found by parsing, too, or the
// bytes only resemble a cookie.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "../require.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/cookie.h"
#include "dataplane/dns/query.h"

using namespace steer::dns;

namespace {

constexpr CookieKeys kKeys{.current = {1, 2}, .other = {3, 4}, .has_other = true, .clock_s = 0};
constexpr std::array<std::uint8_t, 4> kAddress{192, 0, 2, 1};
constexpr std::uint32_t kNowS = 0x20000000;

void check_client(std::span<const std::uint8_t> message) {
    Query query;
    const QueryError error = parse_query(message, query);
    if (error == QueryError::short_header || error == QueryError::is_response) return;
    const std::size_t at_end = cookie_at_end(message);
    REQUIRE(at_end == 0 || at_end == kClientCookieSize || at_end == kCookieSize);
    REQUIRE(at_end + kOptionHeadSize <= message.size());
    std::vector<std::uint8_t> frame(kCookieOptionSize);  // what precedes the message
    frame.insert(frame.end(), message.begin(), message.end());
    REQUIRE(at_end == 0 || may_end_with_cookie(frame.data() + frame.size()));
    if (query.cookie_length == 0) return;
    REQUIRE(is_cookie_length(query.cookie_length));
    REQUIRE(std::size_t{query.cookie_at} + query.cookie_length <= message.size());
    REQUIRE(load_be16(&message[query.cookie_at - 4U]) == kOptionCookie);
    Cookie cookie{};
    std::memcpy(cookie.data(), &message[query.cookie_at],
                std::min<std::size_t>(query.cookie_length, kCookieSize));
    const Cookie sent = cookie;
    const CookieCheck check = check_cookie(cookie, kKeys, kNowS, kAddress);
    REQUIRE(std::equal(sent.begin(), sent.begin() + kClientCookieSize, cookie.begin()));
    REQUIRE(check.is_renewed || sent == cookie);
    const CookieCheck again = check_cookie(cookie, kKeys, kNowS, kAddress);
    REQUIRE(again.is_valid && !again.is_renewed);
    query.edns.cookie = CookieState::client;
    query.set_cookie(cookie);
    std::vector<std::uint8_t> reply(message.begin(), message.end());
    reply.resize(std::max<std::size_t>(reply.size(), 512) + 64);
    const std::size_t n = write_error_reply(reply, query, kBadCookie);
    REQUIRE(n >= kCookieSize && std::equal(cookie.begin(), cookie.end(), &reply[n - kCookieSize]));
}

void check_upstream(std::span<const std::uint8_t> options) {
    constexpr std::array<std::uint8_t, kClientCookieSize> kSent{1, 2, 3, 4, 5, 6, 7, 8};
    std::span<const std::uint8_t> server;
    if (read_cookie_reply(options, kSent, server) != CookieReply::right) return;
    REQUIRE(server.size() <= kLongestServerCookie);
    REQUIRE(server.empty() || (server.data() >= options.data() &&
                               server.data() + server.size() <= options.data() + options.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > kMaxMessage) return 0;
    check_client({data, size});
    check_upstream({data, size});
    return 0;
}
