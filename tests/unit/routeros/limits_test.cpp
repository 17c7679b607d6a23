// How the engine treats a router that is silent, takes no bytes, sends too much, or sends invalid sentences.
#include "peer.h"
#include "routeros/commands.h"

namespace steer::routeros::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(limits, Peer)

// --- silence -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_silent_router_is_away_after_three_seconds_and_closed_after_five) {
    sync();
    pass(2000);
    BOOST_TEST(has("/system/resource/print"));
    pass(2999);
    BOOST_TEST(!aways[1]);
    pass(1);
    BOOST_TEST(aways[1]);
    pass(1999);
    BOOST_TEST(closes == 0);
    pass(1);
    BOOST_TEST(closes == 1);
    BOOST_TEST((router.status().state == RouterState::disconnected));
    BOOST_TEST(epochs[1] == 2U);
}

BOOST_AUTO_TEST_CASE(a_router_that_answers_again_is_not_away_any_more) {
    sync();
    pass(2000);
    pass(3000);
    BOOST_TEST(aways[1]);
    BOOST_TEST(logged("silent") ==
               0U);  // no sentence was in flight, and the session is not lost yet
    answer_resource("1d5s");
    BOOST_TEST(!aways[1]);
    BOOST_TEST(closes == 0);
}

BOOST_AUTO_TEST_CASE(silence_during_a_write_is_logged_after_three_seconds) {
    sync();
    claim("203.0.113.7", 1);
    const Asked add = take("/add");
    pass(2999);
    BOOST_TEST(logged("silent") == 0U);
    pass(1);
    BOOST_TEST(logged("has been silent for 3 s while rows are being written") == 1U);
    BOOST_TEST(aways[1]);
    pass(20'000);
    BOOST_TEST(logged("silent") == 1U);
    BOOST_TEST(closes == 0);
    done(add, {"=ret=*7"});
    BOOST_TEST(logged("answers again after 23 s") == 1U);
    BOOST_TEST(!aways[1]);
}

BOOST_AUTO_TEST_CASE(receive_timeout_decides_when_a_router_is_silent) {
    for (const std::uint32_t timeout_ms : {500U, 20'000U}) {
        auto config = router_config();
        config.receive_timeout_ms = timeout_ms;
        Peer peer{config};
        peer.sync();
        peer.pass(2000);
        peer.pass(timeout_ms - 1);
        BOOST_TEST(peer.closes == 0);
        BOOST_TEST(peer.router.next_deadline() == peer.now + 1);
        peer.pass(1);
        BOOST_TEST(peer.closes == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_router_that_writes_may_be_silent_six_times_as_long) {
    auto config = router_config();
    config.receive_timeout_ms = 500;
    Peer peer{config};
    peer.sync();
    peer.claim("203.0.113.7", 1);
    peer.pass(500);
    BOOST_TEST(peer.aways[1]);
    peer.pass(2499);
    BOOST_TEST(peer.closes == 0);
    peer.pass(1);
    BOOST_TEST(peer.closes == 1);
}

BOOST_AUTO_TEST_CASE(a_router_that_takes_no_bytes_is_closed_after_send_timeout) {
    auto config = router_config();
    config.send_timeout_ms = 700;
    Peer peer{config};
    peer.sync();
    peer.unsent = peer.now;
    BOOST_TEST(peer.router.next_deadline() <= peer.now + 700);
    peer.pass(699);
    BOOST_TEST(peer.closes == 0);
    peer.pass(1);
    BOOST_TEST(peer.closes == 1);
    BOOST_TEST(peer.logged("accepted no data for 700 ms (`send_timeout`)") == 1U);
    BOOST_TEST((peer.router.status().state == RouterState::disconnected));
}

// --- too much ------------------------------------------------------------------------------------

std::string row_number(unsigned i, const std::string& tag) {
    std::string bytes;
    for (const auto& word : {std::string{"!re"}, ".tag=" + tag, "=.id=" + row_id_text(i + 1),
                             std::string{"=list=policy_v4"}, "=address=" + nth(i)})
        append_word(bytes, word);
    append_end(bytes);
    return bytes;
}

BOOST_AUTO_TEST_CASE(more_rows_than_a_router_has_make_it_unusable) {
    router.start(now);
    router.connected(now);
    done(take("/login"));
    answer_resource();
    const auto print = take("/ip/firewall/address-list/print");
    for (unsigned i = 0; i < 260'000 && closes == 0; ++i)
        router.received(row_number(i, print.tag), now);
    BOOST_TEST(closes == 1);
    const auto status = router.status();
    BOOST_TEST(label(status.state) == "unusable");
    BOOST_TEST(status.error.find("is unusable (our lists on it have more than 250000 rows)") !=
               status.error.npos);
    BOOST_TEST(status.rows_foreign == 0U);
    BOOST_TEST(status.away);
    BOOST_TEST(router.counters().floods == 1U);
    BOOST_TEST(logged("is unusable") == 1U);
    router.received(row_number(7, print.tag), now);
    pass(599'999);
    BOOST_TEST(connects == 1);
    pass(1);
    BOOST_TEST(connects == 2);
    router.connected(now);
    done(take("/login"));
    BOOST_TEST(label(router.status().state) == "reading");
}

BOOST_AUTO_TEST_CASE(rows_from_listen_are_limited_too) {
    sync();
    for (unsigned i = 0; i < 260'000 && closes == 0; ++i)
        router.received(row_number(i, listen4.tag), now);
    BOOST_TEST(label(router.status().state) == "unusable");
    BOOST_TEST(aways[1]);
    BOOST_TEST(epochs[1] == 2U);
}

// --- text of the router --------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(text_of_the_router_is_safe_and_short) {
    const std::string odd = "7.21\r\nrouter edge2 is fine\x1b[2J\xff" + std::string(100'000, 'x');
    router.start(now);
    router.connected(now);
    done(take("/login"));
    const auto asked = take("/system/resource/print");
    row(asked, {"=uptime=1d", "=version=" + odd, "=board-name=" + odd});
    done(asked);
    trap(take("/ip/firewall/address-list/listen"), odd);
    const auto print = take("/ip/firewall/address-list/print");
    row(print, {"=.id=*7", "=list=policy_v4", "=address=203.0.113.7",
                "=comment=forgedns;pg=gone;kind=D;dm=" + odd});
    done(print);
    const auto check = [](const std::string& text) {
        BOOST_TEST(text.size() < 1'000U);
        for (const char c : text)
            BOOST_REQUIRE_MESSAGE(c >= 0x20 && c < 0x7f, text);
    };
    for (const auto& orphan : router.orphans())
        check(orphan.comment);
    trap(take("/ipv6/firewall/address-list/print"), odd);
    BOOST_TEST(sentences.size() == 2U);
    for (const auto& sentence : sentences)
        check(sentence);
    const auto status = router.status();
    BOOST_TEST(status.version.starts_with("7.21\\x0d\\x0arouter"));
    check(status.version);
    check(status.board);
    check(status.error);
}

BOOST_AUTO_TEST_CASE(invalid_sentences_are_counted_and_reported_once) {
    sync();
    say({"!progress", ".tag=" + listen4.tag, "=of=\x1b[2J"});
    say({"!re", ".tag=4711"});
    say({"!done"});
    BOOST_TEST(router.counters().unknown_sentences == 3U);
    BOOST_TEST(logged("sent \"!progress .tag=" + listen4.tag +
                      " =of=\\x1b[2J\", which is not understood") == 1U);
    BOOST_TEST(logged("which is not understood") == 1U);
    now += 600'000;
    say({"!progress", ".tag=" + listen4.tag});
    BOOST_TEST(logged("which is not understood") == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
