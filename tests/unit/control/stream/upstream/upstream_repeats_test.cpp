// Queries that a connection did not answer: upstreams that refuse some, that end connections, and
// that one name kills.
#include <algorithm>
#include <functional>

#include "control/streams/upstream/upstream_pace.h"
#include "dataplane/forward/forwarder.h"
#include "seam_world.h"

using namespace steer;
using namespace steer::test;
using stream::UpstreamPool;

namespace {

constexpr std::uint64_t kStepMs = 10;

// An upstream that does `turn` with each open connection, once a step. A connection takes a step.
struct ScriptedUpstream : SeamWorld {
    using Turn = std::function<void(StreamsSession&, unsigned& asked)>;

    explicit ScriptedUpstream(Turn its_turn, bool is_multiplexed = true)
        : SeamWorld({}, is_multiplexed),
          turn(std::move(its_turn)),
          room(is_multiplexed ? 100 : 1) {}

    struct Held {
        std::shared_ptr<StreamsSession> session;
        unsigned asked = 0;  // for `turn`
    };
    void ask_all(unsigned count, std::uint32_t timeout_ms = 5000) {
        for (unsigned i = 0; i < count; ++i)
            ask(static_cast<std::uint16_t>(i), "q" + std::to_string(i) + ".example", timeout_ms);
    }
    void step() {
        const std::size_t begun = attempts.size();
        for (Held& one : held) {
            const auto session = one.session;
            if (!session->is_leaving()) turn(*session, one.asked);
        }
        for (; connected < begun; ++connected) {
            if (attempts[connected]->done == nullptr) continue;
            begun_ms.push_back(clock.ms);
            held.push_back({open(connected, room)});
        }
        pass(kStepMs);
        for (const Message& reply : replies()) {
            (reply.b == 0 ? answered : errors[reply.b])
                .push_back(static_cast<unsigned>(reply.token));
            release(reply.buffer);
        }
    }
    // Until this number of queries has ended. False: it has not within 20 s.
    bool until(std::size_t ends) {
        for (unsigned steps = 0; steps < 2000; ++steps) {
            std::size_t all = answered.size();
            for (const auto& [error, tokens] : errors)
                all += tokens.size();
            if (all >= ends) return true;
            step();
        }
        return false;
    }
    [[nodiscard]] std::size_t connections() const { return begun_ms.size(); }
    // The most that began within a second.
    [[nodiscard]] std::size_t most_in_a_second() const {
        std::size_t most = 0;
        for (const std::uint64_t from : begun_ms) {
            const auto count = std::ranges::count_if(
                begun_ms, [&](std::uint64_t at) { return at >= from && at < from + 1000; });
            most = std::max(most, static_cast<std::size_t>(count));
        }
        return most;
    }

    Turn turn;
    const unsigned room;
    std::vector<Held> held;
    std::size_t connected = 0;
    std::vector<std::uint64_t> begun_ms;
    std::vector<unsigned> answered;
    std::map<std::uint32_t, std::vector<unsigned>> errors;
};

void answer_first(StreamsSession& session) {
    session.answer(session.streams.begin()->first);
}

void answer_all(StreamsSession& session) {
    // (Those that an answer lets follow come with the next step.)
    std::vector<std::uint64_t> there;
    for (const auto& [number, one] : session.streams)
        there.push_back(number);
    for (const std::uint64_t number : there)
        session.answer(number);
}

// After every `most`-th answer it ends the connection, at once or with the next step.
ScriptedUpstream::Turn closing_after(unsigned most, bool at_once) {
    return [=](StreamsSession& session, unsigned& asked) {
        if (asked == most) return session.end();
        while (!session.streams.empty() && asked < most) {
            ++asked;
            answer_first(session);
        }
        if (asked == most && at_once) session.end();
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_repeats)

// ---- what the upstream surely did not process

BOOST_AUTO_TEST_CASE(a_refused_query_is_sent_again_on_its_connection_after_a_pause) {
    SeamWorld w;
    w.ask(11, "a.example");
    const auto session = w.open(0);
    session->reject(0);
    BOOST_TEST(session->streams.empty());
    w.pass(UpstreamPool::kFirstPauseMs - 1);
    BOOST_TEST(session->streams.empty());
    w.pass(1);
    BOOST_TEST_REQUIRE(session->streams.size() == 1U);
    answer_first(*session);
    w.check_reply(11, "a.example");
    BOOST_TEST(w.attempts.size() == 1U);
    BOOST_TEST(w.context.counters.get(StreamCount::upstream_refused) == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_is_sent_again_at_most_eight_times_with_growing_pauses) {
    std::vector<std::uint64_t> sent_ms;
    ScriptedUpstream w([](StreamsSession&, unsigned&) {});
    w.turn = [&](StreamsSession& session, unsigned&) {
        if (session.streams.empty()) return;
        sent_ms.push_back(w.clock.ms);
        session.reject(session.streams.begin()->first);
    };
    w.ask(1, "a.example", 20'000);
    BOOST_TEST(w.until(1));
    BOOST_TEST(w.errors[kUpstreamDropsQuery].size() == 1U);
    BOOST_TEST_REQUIRE(sent_ms.size() == 1U + UpstreamPool::kMostRefusals);
    for (std::size_t i = 2; i < sent_ms.size(); ++i)
        BOOST_TEST(sent_ms[i] - sent_ms[i - 1] >= UpstreamPool::kFirstPauseMs << (i - 1));
    BOOST_TEST(w.connections() <= 3U);
}

BOOST_AUTO_TEST_CASE(a_pause_beyond_the_time_of_a_query_ends_it) {
    SeamWorld w;
    w.ask(11, "a.example", 25);
    const auto session = w.open(0);
    session->reject(0);
    w.pass(UpstreamPool::kFirstPauseMs);
    session->reject(4);
    w.check_error(11, static_cast<int>(kUpstreamDropsQuery));
}

BOOST_AUTO_TEST_CASE(each_query_may_be_refused_twice) {
    std::map<std::string, unsigned> refused;
    ScriptedUpstream w([&](StreamsSession& session, unsigned&) {
        std::vector<std::uint64_t> there;
        for (const auto& [number, one] : session.streams)
            there.push_back(number);
        for (const std::uint64_t number : there) {
            if (refused[session.name_of(number)]++ < 2) {
                session.reject(number);
            } else {
                session.answer(number);
            }
        }
    });
    w.ask_all(100);
    BOOST_TEST(w.until(100));
    BOOST_TEST(w.answered.size() == 100U);
    BOOST_TEST(w.connections() <= 8U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_refuses_more_than_four_at_a_time_answers_all) {
    ScriptedUpstream w([](StreamsSession& session, unsigned&) {
        while (session.streams.size() > 4)
            session.reject(session.streams.rbegin()->first);
        answer_all(session);
    });
    w.ask_all(100);
    BOOST_TEST(w.until(100));
    BOOST_TEST(w.answered.size() == 100U);
    BOOST_TEST(w.connections() <= 25U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_leaves_after_each_fourth_answer_answers_all) {
    ScriptedUpstream w([](StreamsSession& session, unsigned& asked) {
        if (asked == 4) return session.end();
        while (!session.streams.empty() && asked < 4) {
            ++asked;
            answer_first(session);
        }
        if (asked == 4) session.leave(session.streams.empty() ? 0 : session.streams.begin()->first);
    });
    w.ask_all(100);
    BOOST_TEST(w.until(100));
    BOOST_TEST(w.answered.size() == 100U);
    BOOST_TEST(w.connections() <= 30U);
}

// As over QUIC, where a refusal may be known before GOAWAY is.
BOOST_AUTO_TEST_CASE(a_connection_that_refused_and_then_leaves_is_replaced) {
    SeamWorld w;
    w.ask(11, "a.example");
    w.ask(12, "b.example");
    const auto old = w.open(0);
    old->reject(4);
    old->leave(4);
    w.pass(UpstreamPool::kFirstPauseMs);
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    answer_first(*w.open(1));
    w.check_reply(12, "b.example");
    answer_first(*old);
    w.check_reply(11, "a.example");
}

BOOST_AUTO_TEST_CASE(a_new_connection_keeps_the_last_stream_limit_until_it_has_its_own) {
    SeamWorld w;
    for (std::uint16_t id = 1; id <= 6; ++id)
        w.ask(id, "n" + std::to_string(id) + ".example");
    BOOST_TEST_REQUIRE(w.attempts.size() == 1U);
    auto first = std::make_shared<StreamsSession>(100, w.attempts[0]->watcher, w.clock);
    first->limit = 2;
    SeamWorld::end(*w.attempts[0], {.session = first, .local = kServer});
    BOOST_TEST(first->streams.size() == 2U);
    const auto second = w.open(1);
    BOOST_TEST(second->streams.size() == 2U);
    second->limit = 3;
    w.pass(0);
    BOOST_TEST(second->streams.size() == 3U);
}

// ---- connections that end

BOOST_AUTO_TEST_CASE(an_end_is_no_ask_of_queries_that_shared_the_connection) {
    SeamWorld w;
    w.ask(1, "a.example");
    w.ask(2, "b.example");
    for (unsigned n = 0; n < 3; ++n) {
        const auto session = w.open(n);
        if (n > 0) w.ask(static_cast<std::uint16_t>(2 + n), "c.example");
        BOOST_TEST_REQUIRE(session->streams.size() == (n == 0 ? 2U : 1U));
        if (n > 0) {
            answer_first(*session);
            BOOST_TEST_REQUIRE(session->streams.size() == 2U);
        }
        session->end();
    }
    for (const Message& reply : w.replies()) {
        BOOST_TEST(reply.b == 0U);
        release(reply.buffer);
    }
    BOOST_TEST(w.context.counters.get(StreamCount::upstream_lost) == 6U);
}

BOOST_AUTO_TEST_CASE(a_query_alone_on_two_connections_that_end_fails) {
    SeamWorld w;
    w.ask(1, "a.example");
    w.open(0)->end();
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    w.open(1)->end();
    w.check_error(1, static_cast<int>(kUpstreamDropsQuery));
    w.pass(1000);
    BOOST_TEST(w.attempts.size() == 2U);
}

// As many as the last one answered, then twice as many.
BOOST_AUTO_TEST_CASE(a_connection_after_a_close_gets_what_the_last_one_answered) {
    SeamWorld w;
    for (std::uint16_t id = 1; id <= 20; ++id)
        w.ask(id, "n" + std::to_string(id) + ".example");
    const auto first = w.open(0);
    BOOST_TEST_REQUIRE(first->streams.size() == 20U);
    for (unsigned i = 0; i < 3; ++i)
        answer_first(*first);
    first->end();
    const auto second = w.open(1);
    BOOST_TEST_REQUIRE(second->streams.size() == 3U);
    BOOST_TEST(second->name_of(0) == "n4");
    answer_first(*second);
    BOOST_TEST(second->streams.size() == 2U);
    answer_all(*second);
    BOOST_TEST(second->streams.size() == 6U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_closes_after_every_third_query_answers_all) {
    for (const bool is_multiplexed : {true, false}) {
        for (const bool at_once : {true, false}) {
            BOOST_TEST_CONTEXT("multiplexed " << is_multiplexed << ", at once " << at_once) {
                ScriptedUpstream w(closing_after(3, at_once), is_multiplexed);
                w.ask_all(100);
                BOOST_TEST(w.until(100));
                BOOST_TEST(w.answered.size() == 100U);
                BOOST_TEST(w.clock.ms - 1'000'000 <= 2000U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_upstream_that_answers_one_query_a_connection_keeps_its_rate) {
    for (const bool is_multiplexed : {true, false}) {
        for (const bool at_once : {true, false}) {
            BOOST_TEST_CONTEXT("multiplexed " << is_multiplexed << ", at once " << at_once) {
                ScriptedUpstream w(closing_after(1, at_once), is_multiplexed);
                w.ask_all(100);
                BOOST_TEST(w.until(100));
                BOOST_TEST(w.answered.size() == 100U);
                // One connection a query, each of two steps, several at a time.
                BOOST_TEST(w.clock.ms - 1'000'000 <= 100 * kStepMs);
                BOOST_TEST(w.connections() <= 150U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_upstream_that_closes_on_each_query_costs_two_connections_a_query) {
    for (const bool is_multiplexed : {true, false}) {
        for (const unsigned count : {1U, 2U, 3U, 10U, 100U}) {
            BOOST_TEST_CONTEXT("multiplexed " << is_multiplexed << ", queries " << count) {
                ScriptedUpstream w(
                    [](StreamsSession& session, unsigned&) {
                        if (!session.streams.empty()) session.end();
                    },
                    is_multiplexed);
                w.ask_all(count);
                BOOST_TEST(w.until(count));
                BOOST_TEST(w.answered.empty());
                BOOST_TEST(w.errors[kUpstreamDropsQuery].size() == count);
                BOOST_TEST(w.connections() <= 2 * count);
                BOOST_TEST(w.most_in_a_second() <= 10U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_kills_the_connection_fails_alone) {
    for (const bool answers_before : {true, false}) {
        for (const unsigned killer : {0U, 5U, 31U, 63U}) {
            BOOST_TEST_CONTEXT("killer " << killer << ", answers before " << answers_before) {
                const std::string name = "q" + std::to_string(killer);
                ScriptedUpstream w([&](StreamsSession& session, unsigned&) {
                    const auto is_it = [&](const auto& one) {
                        return StreamsSession::name_in(one.second.query) == name;
                    };
                    if (std::ranges::none_of(session.streams, is_it)) return answer_all(session);
                    while (answers_before && !is_it(*session.streams.begin()))
                        answer_first(session);
                    session.end();
                });
                w.ask_all(64);
                BOOST_TEST(w.until(64));
                BOOST_TEST(w.answered.size() == 63U);
                BOOST_TEST(w.errors[kUpstreamDropsQuery] == std::vector{killer});
                BOOST_TEST(w.connections() <= 30U);
                // Others are not affected the next time either.
                w.ask_all(64);
                BOOST_TEST(w.until(128));
                BOOST_TEST(w.answered.size() == 126U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_killing_name_fails_alone_where_one_connection_is_allowed) {
    UpstreamTarget target;
    target.max_conns = 1;
    SeamWorld w(target);
    for (std::uint16_t id = 1; id <= 16; ++id)
        w.ask(id, "n" + std::to_string(id) + ".example", 60'000);
    std::map<std::uint64_t, std::uint32_t> ends;
    for (std::size_t n = 0, steps = 0; ends.size() < 16 && steps < 5000; ++steps) {
        w.pass(kStepMs);
        if (n == w.attempts.size()) continue;
        const auto session = w.open(n++);
        for (bool is_good = true; is_good && !session->streams.empty();) {
            is_good = std::ranges::none_of(session->streams, [](const auto& one) {
                return StreamsSession::name_in(one.second.query) == "n13";
            });
            if (is_good) {
                answer_all(*session);
            } else {
                session->end();
            }
        }
        if (!session->is_leaving()) session->end();
        for (const Message& reply : w.replies()) {
            ends[reply.token] = reply.b;
            release(reply.buffer);
        }
    }
    BOOST_TEST_REQUIRE(ends.size() == 16U);
    for (const auto& [token, error] : ends)
        BOOST_TEST(error == (token == 13 ? kUpstreamDropsQuery : 0U));
}

// ---- how many connections begin

BOOST_AUTO_TEST_CASE(connections_begin_in_tens_until_there_is_an_answer) {
    ScriptedUpstream w([](StreamsSession&, unsigned&) {}, false);
    w.ask_all(40);
    w.step();
    BOOST_TEST(w.attempts.size() == 10U);
    w.step();
    BOOST_TEST(w.attempts.size() == 10U);
    w.held[0].session->answer(0);
    w.step();
    BOOST_TEST(w.attempts.size() == 20U);
    // A slow upstream gets them all.
    w.pass(stream::UpstreamPace::kFirstMs);
    w.step();
    w.pass(stream::UpstreamPace::kFirstMs);
    w.step();
    BOOST_TEST(w.attempts.size() >= 39U);
}

BOOST_AUTO_TEST_SUITE_END()
