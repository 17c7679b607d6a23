// Cookies towards upstreams (RFC 7873 5.3): what is sent, and which replies are used.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "dataplane/forward/upstream_cookies.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using forward::ChaChaRandom;
using forward::UpstreamCookies;

namespace {

// The COOKIE option of a query, which has no other option; empty: none.
Bytes cookie_of(const Bytes& query) {
    const auto zero = std::find(query.begin() + 12, query.end(), 0);
    const auto opt = static_cast<std::size_t>(zero - query.begin()) + 5;
    if (query.size() < opt + 15) return {};
    return {query.begin() + static_cast<std::ptrdiff_t>(opt) + 15, query.end()};
}

// A reply to `query` whose OPT has this cookie.
Bytes with_cookie(const Bytes& query, const Bytes& cookie, std::uint8_t extended_rcode = 0,
                  std::uint8_t rcode = 0) {
    Bytes reply = reply_to(query, {.rcode = rcode, .addresses = rcode == 0 ? 1U : 0U});
    reply[11] = 1;
    for (const unsigned byte : {0U, 0U, 41U, 4U, 208U, unsigned{extended_rcode}, 0U, 0U, 0U, 0U})
        reply.push_back(static_cast<std::uint8_t>(byte));
    reply.push_back(static_cast<std::uint8_t>(cookie.size() + 4));
    for (const unsigned byte : {0U, 10U, 0U, static_cast<unsigned>(cookie.size())})
        reply.push_back(static_cast<std::uint8_t>(byte));
    reply.insert(reply.end(), cookie.begin(), cookie.end());
    return reply;
}

Bytes client_part(const Bytes& cookie) {
    return {cookie.begin(), cookie.begin() + 8};
}
Bytes joined(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
const Bytes kServer{1, 2, 3, 4, 5, 6, 7, 8};

struct CookieWorld : World {
    explicit CookieWorld(unsigned upstreams = 1) : World(upstreams) {
        for (Upstream& u : snapshot->upstreams)
            u.cookies = true;
    }
    Frame asked(const char* name) {
        ask(name);
        return station().frames.back();
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cookies)

BOOST_AUTO_TEST_CASE(the_server_cookie_of_a_reply_is_sent_back) {
    CookieWorld w;
    const Frame first = w.asked("a.example");
    const Bytes client = cookie_of(first.dns);
    BOOST_REQUIRE(client.size() == 8U);
    BOOST_TEST((w.answer_with(first, with_cookie(first.dns, joined(client, kServer))) ==
                Verdict::upstream_reply));
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_TEST(cookie_of(w.asked("b.example").dns) == joined(client, kServer));
}

BOOST_AUTO_TEST_CASE(each_upstream_and_each_source_has_its_own_client_cookie) {
    ChaChaRandom random(7);
    UpstreamCookies cookies(random);
    std::array<std::uint8_t, UpstreamCookies::kLongestOption> room{};
    const auto client = [&](std::uint16_t id, const char* source) {
        BOOST_REQUIRE(cookies.write(id, *IpAddress::parse(source), 0, room) == 12U);
        return Bytes(room.begin() + 4, room.begin() + 12);
    };
    const Bytes first = client(1, "192.0.2.1");
    BOOST_TEST(client(1, "192.0.2.1") == first);
    BOOST_TEST(client(2, "192.0.2.1") != first);
    const Bytes moved = client(1, "192.0.2.2");
    BOOST_TEST(moved != first);
    BOOST_TEST(client(1, "192.0.2.1") != first);
}

BOOST_AUTO_TEST_CASE(an_upstream_without_the_setting_gets_no_cookie) {
    World w;
    w.ask("a.example");
    BOOST_TEST(cookie_of(w.station().frames[0].dns).empty());
}

BOOST_AUTO_TEST_CASE(a_reply_with_another_client_cookie_is_dropped) {
    CookieWorld w;
    const Frame frame = w.asked("a.example");
    const Bytes client = cookie_of(frame.dns);
    Bytes other = client;
    other[7] ^= 1;
    BOOST_TEST((w.answer_with(frame, with_cookie(frame.dns, joined(other, kServer))) ==
                Verdict::drop_upstream_malformed));
    BOOST_TEST((w.answer_with(frame, with_cookie(frame.dns, {1, 2, 3})) ==
                Verdict::drop_upstream_malformed));
    BOOST_TEST(w.station().answers.empty());
    BOOST_TEST(w.stat(Stat::upstream_cookie_mismatches) == 2U);
    w.answer_with(frame, with_cookie(frame.dns, joined(client, kServer)));
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_never_had_cookies_need_not_return_one) {
    CookieWorld w;
    for (const char* name : {"a.example", "b.example"}) {
        const Frame frame = w.asked(name);
        w.answer(frame);
    }
    BOOST_TEST(w.station().answers.size() == 2U);
    BOOST_TEST(w.station().kernel.empty());
}

BOOST_AUTO_TEST_CASE(a_reply_without_the_cookie_of_before_is_asked_again_over_tcp) {
    CookieWorld w;
    const Frame first = w.asked("a.example");
    w.answer_with(first, with_cookie(first.dns, joined(cookie_of(first.dns), kServer)));
    w.answer(w.asked("b.example"));
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_REQUIRE(w.station().kernel.size() == 1U);
    BOOST_TEST((w.station().kernel[0].via == UpstreamVia::tcp));
    BOOST_TEST(cookie_of(w.station().kernel[0].dns).empty());
    w.answer_kernel(w.station().kernel[0]);
    BOOST_TEST(w.station().answers.size() == 2U);
    BOOST_TEST(w.stat(Stat::upstream_suspected) == 1U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

// Half of the servers of an anycast address know no cookies: most questions need no TCP.
BOOST_AUTO_TEST_CASE(a_mix_of_servers_does_not_make_all_questions_use_tcp) {
    CookieWorld w;
    unsigned over_tcp = 0;
    for (unsigned i = 0; i < 100; ++i) {
        const Frame frame = w.asked(("n" + std::to_string(i) + ".example").c_str());
        if (i % 2 == 0) {
            w.answer_with(
                frame, with_cookie(frame.dns, joined(client_part(cookie_of(frame.dns)), kServer)));
        } else {
            w.answer(frame);
        }
        for (; over_tcp < w.station().kernel.size(); ++over_tcp)
            w.answer_kernel(w.station().kernel[over_tcp]);
    }
    BOOST_TEST(w.station().answers.size() == 100U);
    BOOST_TEST(over_tcp <= 4U);
    BOOST_TEST(w.stat(Stat::upstream_cookie_lapses) == 1U);
    // Ten minutes later, cookies are required again.
    w.now.ms += UpstreamCookies::kRestMs;
    const Frame good = w.asked("later.example");
    w.answer_with(good, with_cookie(good.dns, joined(client_part(cookie_of(good.dns)), kServer)));
    w.answer(w.asked("last.example"));
    BOOST_TEST(w.station().kernel.size() == over_tcp + 1);
}

BOOST_AUTO_TEST_CASE(badcookie_is_repeated_once_and_then_over_tcp) {
    CookieWorld w;
    const Frame first = w.asked("a.example");
    const Bytes client = cookie_of(first.dns);
    constexpr std::uint8_t kExtended = 1, kLow = 7;
    w.answer_with(first, with_cookie(first.dns, joined(client, kServer), kExtended, kLow));
    BOOST_REQUIRE(w.station().frames.size() == 2U);
    const Frame second = w.station().frames[1];
    BOOST_TEST(cookie_of(second.dns) == joined(client, kServer));
    w.answer_with(second, with_cookie(second.dns, joined(client, kServer), kExtended, kLow));
    BOOST_TEST(w.station().frames.size() == 2U);
    BOOST_REQUIRE(w.station().kernel.size() == 1U);
    BOOST_TEST((w.station().kernel[0].via == UpstreamVia::tcp));
    BOOST_TEST(w.stat(Stat::upstream_bad_cookies) == 2U);
    BOOST_TEST(w.stat(Stat::upstream_failures) == 0U);
    w.answer_kernel(w.station().kernel[0]);
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_refuses_cookies_keeps_edns) {
    CookieWorld w;
    const Frame first = w.asked("a.example");
    w.answer(first, {.rcode = dns::kFormErr, .addresses = 0});
    BOOST_REQUIRE(w.station().frames.size() == 2U);
    BOOST_TEST(has_edns(w.station().frames[1].dns));
    BOOST_TEST(cookie_of(w.station().frames[1].dns).empty());
    w.answer(w.station().frames[1]);
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_TEST(cookie_of(w.asked("b.example").dns).empty());
    w.now.ms += UpstreamCookies::kRestMs;
    BOOST_TEST(cookie_of(w.asked("c.example").dns).size() == 8U);
}

// A stranger's flood can fill rings and tables. That says nothing about the upstream.
BOOST_AUTO_TEST_CASE(an_upstream_that_refuses_cookies_keeps_edns_without_room_for_the_repetition) {
    CookieWorld w;
    const Frame first = w.asked("a.example");
    w.station().frames_without_room = 1;
    w.answer(first, {.rcode = dns::kFormErr, .addresses = 0});
    BOOST_TEST(w.station().frames.size() == 1U);
    BOOST_TEST(w.stat(Stat::upstream_without_edns) == 0U);
    w.wait(10);
    BOOST_REQUIRE(w.station().frames.size() == 2U);
    BOOST_TEST(has_edns(w.station().frames[1].dns));
    BOOST_TEST(cookie_of(w.station().frames[1].dns).empty());
    w.answer(w.station().frames[1]);
    BOOST_TEST(w.station().answers.size() == 1U);
    BOOST_TEST(has_edns(w.asked("b.example").dns));
}

BOOST_AUTO_TEST_CASE(queries_by_kernel_sockets_have_cookies) {
    CookieWorld w;
    w.station().hops.by_upstream[0].via = NextHop::Via::kernel;
    w.ask("a.example");
    BOOST_REQUIRE(w.station().kernel.size() == 1U);
    BOOST_TEST(cookie_of(w.station().kernel[0].dns).size() == 8U);
    w.answer_kernel(w.station().kernel[0], {.opt = true});  // it never had one
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
