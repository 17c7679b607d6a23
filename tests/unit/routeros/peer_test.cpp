// The engine against a router that says exactly what a test wants, sentence by sentence.
#include <boost/test/unit_test.hpp>

#include "peer.h"

namespace steer::routeros::test {
namespace {

const Words kOwn{"=.id=*7",
                 "=list=policy_v4",
                 "=address=203.0.113.7",
                 "=dynamic=true",
                 "=disabled=false",
                 "=timeout=1h",
                 "=comment=forgedns;pg=ros_policy;kind=D;dm=x"};
const Words kForeign{"=.id=*7", "=list=policy_v4", "=address=203.0.113.7", "=dynamic=false",
                     "=disabled=false"};

BOOST_FIXTURE_TEST_SUITE(peer, Peer)

BOOST_AUTO_TEST_CASE(the_sentences_for_a_first_answer_are_as_expected) {
    sync();
    claim("203.0.113.7", 1);
    const auto add = take("/add");
    BOOST_TEST((add.words == Words{"/ip/firewall/address-list/add", "=list=policy_v4",
                                   "=address=203.0.113.7", "=timeout=1m1s",
                                   "=comment=forgedns;pg=ros_policy;kind=D;dm=www.example"}));
    now += 7;
    done(add, {"=ret=*A"});
    BOOST_TEST((outcomes[1] == Outcome::installed));
    BOOST_TEST(installed_until(1, "203.0.113.7") == 5'061U);  // counted from when it was sent
    claim("203.0.113.8");
    BOOST_TEST(take("/add").words[3] == "=timeout=1m");
}

BOOST_AUTO_TEST_CASE(an_unexpected_duplicate_is_looked_up_and_extended) {
    sync();
    claim("203.0.113.7", 1, 7000);
    trap(take("/add"), "failure: already have such entry");
    BOOST_TEST(outcomes.empty());
    const auto lookup = take("/print");
    BOOST_TEST((Words{lookup.words.begin() + 2, lookup.words.end()} ==
                Words{"?address=203.0.113.7", "?list=policy_v4", "?#&"}));
    row(lookup, kOwn);
    done(lookup);
    const auto set = take("/set");
    BOOST_TEST(
        (set.words == Words{"/ip/firewall/address-list/set", "=.id=*7", "=timeout=1h57m11s"}));
    done(set);
    BOOST_TEST((outcomes[1] == Outcome::installed));
    BOOST_TEST(router.counters().lookups == 1U);
}

BOOST_AUTO_TEST_CASE(a_duplicate_may_be_a_foreign_row) {
    sync();
    claim("203.0.113.7", 1);
    trap(take("/add"), "failure: already have such entry");
    const auto lookup = take("/print");
    row(lookup, kForeign);
    done(lookup);
    BOOST_TEST((outcomes[1] == Outcome::installed));  // it is static: it covers
    BOOST_TEST(!has("/set"));
    BOOST_TEST(!has("/remove"));
}

BOOST_AUTO_TEST_CASE(a_duplicate_that_cannot_be_found_does_not_loop) {
    sync();
    claim("203.0.113.7", 1);
    for (int i = 0; i < 3; ++i) {
        trap(take("/add"), "failure: already have such entry");
        if (!outcomes.empty()) break;
        const auto lookup = take("/print");
        done(lookup);
    }
    BOOST_TEST((outcomes[1] == Outcome::failed));
    BOOST_TEST(!has("/add"));
    pass(1000);
    BOOST_TEST(!has("/add"));
}

BOOST_AUTO_TEST_CASE(listen_may_report_a_row_before_the_trap) {
    sync();
    claim("203.0.113.7", 1);
    row(listen4, kOwn);
    BOOST_TEST(
        (outcomes[1] == Outcome::installed));  // an hour, written by another writer with our tag
    trap(take("/add"), "failure: already have such entry");
    BOOST_TEST(!has("/print"));
    BOOST_TEST(!has("/set"));
}

BOOST_AUTO_TEST_CASE(no_print_begins_while_an_answer_is_held) {
    sync();
    claim("203.0.113.7", 1);
    claim("203.0.113.8", 2);
    const auto first = take("/add"), second = take("/add");
    trap(first, "failure: already have such entry");
    router.request_reprint(now);
    BOOST_TEST(!has("/print"));
    done(second, {"=ret=*9"});
    BOOST_TEST(has("/ip/firewall/address-list/print"));
}

BOOST_AUTO_TEST_CASE(missing_ids_are_bisected_and_written_again) {
    sync();
    for (int i = 1; i <= 4; ++i)
        claim("203.0.113." + std::to_string(i));
    for (int i = 1; i <= 4; ++i)
        done(take("/add"), {"=ret=*" + std::to_string(i)});
    now += 40'000;
    for (int i = 1; i <= 4; ++i)
        claim("203.0.113." + std::to_string(i));
    pass(1300);
    const auto all = take("/set");
    BOOST_TEST(all.words[1] == "=.id=*1,*2,*3,*4");
    BOOST_TEST(all.words[2] == "=timeout=11m");
    answer_resource("1d40s");
    trap(all, "no such item");
    const auto left = take("/set"), right = take("/set");
    BOOST_TEST(left.words[1] == "=.id=*1,*2");
    BOOST_TEST(right.words[1] == "=.id=*3,*4");
    done(left);
    trap(right, "no such item");
    done(take("/set"));
    trap(take("/set"), "no such item");
    const auto again = take("/add");
    BOOST_TEST(again.words[2] == "=address=203.0.113.4");
    done(again, {"=ret=*5"});
    BOOST_TEST(!has("/print"));
    BOOST_TEST(router.counters().bisections == 2U);
}

BOOST_AUTO_TEST_CASE(an_add_without_an_id_is_looked_up) {
    sync();
    claim("203.0.113.7", 1);
    done(take("/add"));
    const auto lookup = take("/print");
    row(lookup, kOwn);
    done(lookup);
    BOOST_TEST((outcomes[1] == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(a_refused_listen_causes_more_prints) {
    router.start(now);
    router.connected(now);
    done(take("/login"));
    answer_resource();
    trap(take("/ip/firewall/address-list/listen"), "not supported");
    done(take("/ip/firewall/address-list/print"));
    trap(take("/ipv6/firewall/address-list/listen"), "no such command");
    trap(take("/ipv6/firewall/address-list/print"), "no such command prefix");
    BOOST_REQUIRE((router.status().state == RouterState::in_sync));
    BOOST_TEST(sentences.size() == 3U);  // no listen; no IPv6; in sync
    claim("2001:db8::1", 1);
    BOOST_TEST((outcomes[1] == Outcome::failed));
    for (int i = 0; i < 160; ++i) {
        pass(2000);
        if (has("/system/resource/print")) answer_resource("1d" + std::to_string(2 * i) + "s");
        if (has("/listen")) trap(take("/ip/firewall/address-list/listen"), "not supported");
        BOOST_TEST(has("/ip/firewall/address-list/print") == (2000 * (i + 1) >= 300'000));
    }
    BOOST_TEST(sentences.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_refused_listen_is_retried) {
    sync();
    const auto uptime = [&, began = now] {
        return "1d" + std::to_string((now - began) / 1000) + "s";
    };
    trap(listen4, "action timed out - try again");
    BOOST_TEST(sentences.size() == 2U);
    for (int i = 0; i < 3; ++i) {
        pass(3000);
        trap(take("/ip/firewall/address-list/listen"), "action timed out - try again");
        pass(1000);
        BOOST_TEST(!has("/ip/firewall/address-list/print"));
        answer_resource(uptime());
    }
    pass(3000);
    take("/ip/firewall/address-list/listen");
    pass(1000);  // it stays: changes of this time are read once
    done(take("/ip/firewall/address-list/print"));
    BOOST_TEST(!has("/ipv6/firewall/address-list/print"));
    BOOST_TEST(sentences.size() == 2U);
    answer_resource(uptime());
    for (int i = 0; i < 160; ++i) {
        pass(2000);
        if (has("/system/resource/print")) answer_resource(uptime());
    }
    BOOST_TEST(!has("/ip/firewall/address-list/print"));  // in half an hour again
}

BOOST_AUTO_TEST_CASE(a_failed_print_is_not_reported_as_missing_rights) {
    router.start(now);
    router.connected(now);
    done(take("/login"));
    answer_resource();
    trap(take("/ip/firewall/address-list/print"), "action timed out - try again");
    BOOST_TEST(closes == 1);
    BOOST_TEST(sentences.back().find("policies") == std::string::npos);
    BOOST_TEST(sentences.back().find("action timed out") != std::string::npos);
    pass(2000);
    BOOST_TEST(connects == 2);
}

BOOST_AUTO_TEST_CASE(refused_rows_are_retried_soon_and_all_after_one_success) {
    auto config = router_config();
    config.scripts = false;
    router.configure(config, now);
    sync();
    constexpr unsigned kRows = 100;
    for (unsigned i = 1; i <= kRows; ++i)
        claim("203.0.113." + std::to_string(i), 0, 300);
    const auto refuse_all = [&] {
        unsigned refused = 0;
        for (; has("/add"); ++refused)
            trap(take("/add"), "failure: out of memory");
        return refused;
    };
    unsigned tries = 0;
    for (int i = 0; i < 200; ++i) {
        pass(100);
        tries += refuse_all();
        if (has("/system/resource/print")) answer_resource("1d" + std::to_string(i / 10) + "s");
    }
    BOOST_TEST_MESSAGE(tries << " tries in 20 s");
    BOOST_TEST(tries > 2 * kRows);
    BOOST_TEST(tries < 5 * kRows);       // about 20 a second, however many there are
    BOOST_TEST(sentences.size() == 2U);  // in sync; a refused row
    for (int i = 0; i < 40 && !has("/add"); ++i)
        pass(100);
    unsigned id = 1, taken = 0;
    for (int i = 0; i < 20; ++i) {
        for (; has("/add"); ++taken) {
            const auto add = take("/add");
            const std::string ret = "*" + std::to_string(id++);
            // As a router does: who listens hears of it before who asked.
            row(listen4, {"=.id=" + ret, "=dynamic=true", "=timeout=5m30s", add.words[1],
                          add.words[2], "=comment=forgedns;pg=ros_policy;kind=D;dm=x"});
            done(add, {"=ret=" + ret});
        }
        pass(100);
    }
    BOOST_TEST(taken == kRows);
}

BOOST_AUTO_TEST_CASE(a_batch_without_an_answer_closes_the_session_after_30_s) {
    sync();
    claim("203.0.113.7");
    pass(29'999);
    BOOST_TEST(closes == 0);
    BOOST_TEST(aways[1]);  // not waited for, but not given up
    pass(1);
    BOOST_TEST(closes == 1);
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_ends_the_stall) {
    sync();
    claim("203.0.113.7", 1);
    claim("203.0.113.8", 2);
    pass(299);
    BOOST_TEST(!aways[1]);
    pass(1);
    BOOST_TEST(aways[1]);
    BOOST_TEST((outcomes[1] == Outcome::router_away));
    claim("203.0.113.9", 3);
    BOOST_TEST((outcomes[3] == Outcome::router_away));
    done(take("/add"), {"=ret=*1"});
    BOOST_TEST(!aways[1]);
    BOOST_TEST(take("/add").words[2] == "=address=203.0.113.8");
}

BOOST_AUTO_TEST_CASE(a_lower_uptime_means_a_reboot_and_voids_all_rows) {
    sync();
    claim("203.0.113.7");
    done(take("/add"), {"=ret=*1"});
    BOOST_TEST(installed_until(1, "203.0.113.7") != 0U);
    pass(2000);
    answer_resource("5s");
    BOOST_TEST(epochs[1] == 2U);
    BOOST_TEST(installed_until(1, "203.0.113.7") == 0U);
    BOOST_TEST(router.counters().reboots == 1U);
    done(take("/ip/firewall/address-list/print"));
    done(take("/ipv6/firewall/address-list/print"));
    done(take("/add"), {"=ret=*1"});
    BOOST_TEST(installed_until(1, "203.0.113.7") != 0U);
}

BOOST_AUTO_TEST_CASE(a_slow_answer_is_not_a_reboot) {
    sync();
    pass(2000);
    const auto asked = take("/system/resource/print");
    now += 2500;  // it was read right after we asked
    row(asked, {"=uptime=1d2s"});
    done(asked);
    pass(2000);
    answer_resource("1d6s");
    BOOST_TEST(router.counters().reboots == 0U);
}

BOOST_AUTO_TEST_CASE(a_reconnect_without_a_reboot_writes_nothing) {
    sync();
    claim("203.0.113.7", 1);
    done(take("/add"), {"=ret=*7"});
    router.closed("reset", now);
    BOOST_TEST(aways[1]);
    BOOST_TEST(installed_until(1, "203.0.113.7") == 0U);
    waiting.clear();
    pass(2000);
    BOOST_TEST(connects == 2);
    router.connected(now);
    done(take("/login"));
    answer_resource("1d2s");
    const auto four = take("/ip/firewall/address-list/print");
    row(four, {"=.id=*7", "=list=policy_v4", "=address=203.0.113.7", "=dynamic=true",
               "=timeout=59s", "=comment=forgedns;pg=ros_policy;kind=D;dm=www.example"});
    done(four);
    done(take("/ipv6/firewall/address-list/print"));
    BOOST_TEST((router.status().state == RouterState::in_sync));
    BOOST_TEST(installed_until(1, "203.0.113.7") == 5'061U);
    BOOST_TEST(!has("/set"));
    BOOST_TEST(!has("/add"));
}

BOOST_AUTO_TEST_CASE(a_row_that_is_removed_during_a_print_stays_removed) {
    sync();
    router.request_reprint(now);
    const auto four = take("/ip/firewall/address-list/print");
    row(listen4, {"=.id=*7", "=.dead=true"});
    row(four, kOwn);
    done(four);
    done(take("/ipv6/firewall/address-list/print"));
    BOOST_TEST(router.status().rows_ours == 0U);
}

BOOST_AUTO_TEST_CASE(a_row_that_is_written_during_a_print_is_kept) {
    sync();
    router.request_reprint(now);
    const auto four = take("/ip/firewall/address-list/print");
    now += 10;
    claim("203.0.113.7", 1);
    done(take("/add"), {"=ret=*7"});
    now += 10;
    done(four);  // did not show it
    done(take("/ipv6/firewall/address-list/print"));
    BOOST_TEST(router.status().rows_ours == 1U);
    BOOST_TEST(!has("/add"));
    BOOST_TEST(router.counters().rows_lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_row_that_a_person_shortened_is_extended) {
    sync();
    claim("203.0.113.7", 0, 600);
    done(take("/add"), {"=ret=*7"});
    auto shortened = kOwn;
    shortened[5] = "=timeout=10s";
    row(listen4, shortened);
    const auto set = take("/set");
    BOOST_TEST(set.words[1] == "=.id=*7");
    BOOST_TEST(installed_until(1, "203.0.113.7") < 5'012U);
}

// The process or the machine was stopped: rows from `listen` are read late, and their timeouts are that old.
BOOST_AUTO_TEST_CASE(timeouts_that_are_read_after_a_standstill_count_from_its_begin) {
    sync();
    claim("203.0.113.7", 0, 600);
    done(take("/add"), {"=ret=*7"});
    auto shortened = kOwn;
    shortened[5] = "=timeout=1m";
    now += 45'000;
    row(listen4, shortened);
    BOOST_TEST(installed_until(1, "203.0.113.7") > 0U);
    BOOST_TEST(installed_until(1, "203.0.113.7") <= 5'060U);
    answer_resource("1d45s");  // asked after it: from now on what is received is fresh again
    now += 100;
    row(listen4, shortened);
    BOOST_TEST(installed_until(1, "203.0.113.7") > 5'095U);
}

BOOST_AUTO_TEST_CASE(a_row_that_is_being_removed_covers_nothing) {
    router.start(now);
    router.connected(now);
    done(take("/login"));
    answer_resource();
    listen4 = take("/ip/firewall/address-list/listen");
    const auto four = take("/ip/firewall/address-list/print");
    row(four, {"=.id=*7", "=list=policy_v4", "=address=203.0.113.7", "=dynamic=false",
               "=comment=forgedns;pg=ros_policy;kind=P"});
    done(four);
    done(take("/ipv6/firewall/address-list/print"));
    const auto remove = take("/remove");  // it is configured no more
    claim("203.0.113.7", 1);
    BOOST_TEST(outcomes.empty());
    BOOST_TEST(installed_until(1, "203.0.113.7") == 0U);
    done(remove);
    row(listen4, {"=.id=*7", "=.dead=true"});
    done(take("/add"), {"=ret=*8"});
    BOOST_TEST((outcomes[1] == Outcome::installed));
    BOOST_TEST(!has("/add"));
}

BOOST_AUTO_TEST_CASE(log_lines_name_the_router_once_and_its_error) {
    auto config = router_config();
    config.name = config.address;
    Peer unnamed{config};
    unnamed.router.start(unnamed.now);
    unnamed.router.closed("TLS: certificate verify failed", unnamed.now);
    BOOST_TEST(unnamed.sentences.back() ==
               "router 172.16.1.1:8728 cannot be reached (TLS: certificate verify failed): answers "
               "go on without it; "
               "check `tls` of this router (ca, pin, anonymous), that the port is that of "
               "/ip/service api-ssl, and its certificate");
    router.start(now);
    router.closed("Connection refused", now);
    BOOST_TEST(sentences.back().starts_with(
        "router edge1 at 172.16.1.1:8728 cannot be reached (Connection refused)"));
    BOOST_TEST(sentences.back().find("`address`") != std::string::npos);
    // The plain API at a port of TLS, or from where we may not come: once, however often it is tried.
    Peer shut;
    shut.router.start(shut.now);
    for (int attempt = 0; attempt < 3; ++attempt) {
        shut.router.connected(shut.now);
        shut.router.closed("closed by the router", shut.now);
        shut.pass(2000);
    }
    BOOST_TEST(shut.sentences.size() == 1U);
    BOOST_TEST(shut.sentences.back().find(
                   "before the login (closed by the router): check that its port") !=
               std::string::npos);
}

// Something else listens where the API is meant to be: reported once, with what to do, tried again now and then.
BOOST_AUTO_TEST_CASE(a_port_without_the_api_is_reported_once) {
    struct Stranger {
        std::string bytes;
        bool closes;
        std::string_view logged_text;
    };
    const Stranger strangers[] = {
        {"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", true,
         "is not a RouterOS API (it says \"HTTP/1.1"},
        {"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", false, "is not a RouterOS API (it says \"SSH-2.0-"},
        {std::string("\x15\x03\x03\x00\x02\x02\x0a", 7), true,
         "is not a RouterOS API (it speaks TLS)"},
        {std::string("\x12\x34\x81\x81", 4), false, "(its bytes are not the API's)"},  // DNS
        // What breaks the session later than by its first word.
        {std::string("\0\0\x06hello?\xf8 whatever this is, it is longer than a greeting", 57),
         false, "is not a RouterOS API (a reserved control byte"},
        {"", false, "does not answer the login"},
        {"", true, "ended the connection before the login"}};
    for (const auto& stranger : strangers) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
            Peer peer;
            peer.router.start(peer.now);
            peer.claim("203.0.113.7", 1, 3000);
            BOOST_TEST((peer.outcomes.at(1) == Outcome::router_away));
            int served = 0;
            for (const auto end = peer.now + 600'000; peer.now < end;) {
                if (peer.connects > served) {
                    served = peer.connects;
                    peer.router.connected(peer.now);
                    for (std::size_t at = 0; at < stranger.bytes.size(); at += piece)
                        peer.router.received(std::string_view(stranger.bytes).substr(at, piece),
                                             peer.now);
                    if (stranger.closes) peer.router.closed("closed by the router", peer.now);
                }
                peer.pass(std::max<std::uint64_t>(
                    1, std::min(peer.router.next_deadline(), end) - peer.now));
            }
            BOOST_TEST(peer.sentences.size() == 1U);
            BOOST_TEST(peer.sentences.back().find(stranger.logged_text) != std::string::npos,
                       peer.sentences.back());
            BOOST_TEST(peer.sentences.back().find("check ") != std::string::npos);
            BOOST_TEST(served >= 20);
            BOOST_TEST(served <= (stranger.bytes.empty() ? 600 : 21));
        }
    }
}

BOOST_AUTO_TEST_CASE(another_error_is_reported_once_a_minute) {
    router.start(now);
    router.closed("Connection refused", now);
    BOOST_TEST(sentences.size() == 1U);
    pass(2000);
    router.closed("No route to host", now);
    BOOST_TEST(sentences.size() == 1U);
    pass(60'000);
    router.closed("No route to host", now);
    BOOST_TEST(sentences.size() == 2U);
    pass(62'000);
    router.closed("No route to host", now);
    BOOST_TEST(sentences.size() == 2U);
}

// The log is limited to one line a minute; the status is not.
BOOST_AUTO_TEST_CASE(last_error_of_the_status_is_the_present_cause) {
    const auto shows = [&](std::string_view cause) {
        return router.status().error.find(cause) != std::string::npos;
    };
    router.start(now);
    router.closed("Connection refused", now);
    BOOST_TEST(shows("Connection refused"));
    pass(2000);
    router.closed("No route to host", now);
    BOOST_TEST(sentences.size() == 1U);
    BOOST_TEST(shows("No route to host"));
    pass(2000);
    router.connected(now);
    take("/login");
    router.closed("closed by the router", now);
    BOOST_TEST(shows("before the login (closed by the router)"));
    pass(3000);
    router.connected(now);
    done(take("/login"));
    BOOST_TEST((router.status().state == RouterState::reading));
    BOOST_TEST(router.status().error == "");
}

BOOST_AUTO_TEST_CASE(
    last_error_names_the_router_once_when_a_lost_router_does_not_answer_the_login) {
    sync();
    router.closed("reset", now);
    pass(2000);
    router.connected(now);
    pass(60'000);
    const std::string error = router.status().error;
    BOOST_TEST(error ==
               "router edge1 at 172.16.1.1:8728: it does not answer the login: connecting again");
}

BOOST_AUTO_TEST_CASE(refused_row_is_logged_at_once_after_the_router_was_unreachable) {
    now += 1;
    router.start(now);
    router.closed("Connection refused", now);
    pass(2000);
    sync();
    claim("203.0.113.7");
    trap(take("/add"), "failure: out of memory");
    BOOST_TEST(logged("refused a row (203.0.113.7") == 1U);
}

BOOST_AUTO_TEST_CASE(round_trip_and_write_time_are_unknown_before_they_are_measured) {
    router.start(now);
    BOOST_TEST(!router.status().rtt_ms.has_value());
    BOOST_TEST(!router.status().service_us.has_value());
    BOOST_TEST(!router.status().rows_known);
    router.connected(now);
    done(take("/login"));
    answer_resource();  // within the same millisecond
    BOOST_TEST((router.status().rtt_ms == 0U));
    BOOST_TEST(!router.status().rows_known);
}

BOOST_AUTO_TEST_CASE(fatal_and_garbage_end_the_session) {
    sync();
    say({"!fatal", "too many commands"});
    BOOST_TEST(closes == 1);
    BOOST_TEST(sentences.back().find("too many commands") != std::string::npos);
    pass(2000);
    router.connected(now);
    router.received("\xff", now);
    BOOST_TEST(closes == 2);
}

BOOST_AUTO_TEST_CASE(reconnects_come_every_second_or_two_and_later_less_often) {
    router.start(now);
    const auto started = now;
    std::uint64_t last = now;
    int attempts = 0;
    while (now < started + 1'800'000) {
        if (connects > attempts) {
            attempts = connects;
            if (now < started + 600'000 && attempts > 1) {
                BOOST_TEST(now - last >= 1000U);
                BOOST_TEST(now - last <= 2000U);
            }
            BOOST_TEST(now - last <= 63'000U);
            last = now;
            router.closed("connection refused", now);
        }
        now = std::max(now + 1, router.next_deadline());
        router.tick(now);
    }
    BOOST_TEST(attempts > 340);
    BOOST_TEST(attempts < 700);
    BOOST_TEST(sentences.size() == 1U);
}

BOOST_AUTO_TEST_CASE(max_rows_limits_the_claims) {
    auto list = list_config();
    list.max_rows = 2;
    Peer small{router_config({list})};
    small.sync();
    for (unsigned i = 1; i <= 4; ++i)
        small.claim("203.0.113." + std::to_string(i), i);
    BOOST_TEST(small.router.status().claims == 2U);
    BOOST_TEST((small.outcomes[3] == Outcome::refused));
    BOOST_TEST(small.router.counters().claims_refused == 2U);
    BOOST_TEST_REQUIRE(small.refusals.size() == 2U);
    BOOST_TEST((small.refusals[0] == Refused{1, bytes_of("203.0.113.3"), false}));
    BOOST_TEST(small.sentences.back().find("max_rows") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_reload_keeps_claims_of_remaining_lists) {
    sync();
    claim("203.0.113.7");
    done(take("/add"), {"=ret=*7"});
    auto list = list_config();
    list.list4 = "other_v4";
    auto gone = list_config(2);
    router.configure(router_config({list}), now);
    BOOST_TEST(connects == 2);
    BOOST_TEST(router.status().claims == 1U);
    waiting.clear();
    router.connected(now);
    done(take("/login"));
    answer_resource();
    const auto print = take("/ip/firewall/address-list/print");
    BOOST_TEST(print.words.back() == "?list=other_v4");
    done(print);
    done(take("/ipv6/firewall/address-list/print"));
    BOOST_TEST(take("/add").words[1] == "=list=other_v4");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
