// The seam below the pool: a protocol without sockets, bytes or ids, whose queries have a stream each (as over QUIC,
// RFC 9250), is asked as TCP, TLS and HTTPS are.
#include "control/streams/upstream/upstream_transport.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <map>

#include "control/streams/upstream/upstream_pool.h"
#include "dataplane/dns/wire.h"
#include "dataplane/forward/forwarder.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using stream::Connected;
using stream::SessionReply;
using stream::UpstreamTarget;

namespace {

constexpr std::uint64_t kNextStream = 4;  // RFC 9000 2.1: of those that a client opens
const IpAddress kServer = address("127.0.0.1");

// A connection, seen from both of its ends.
class StreamsSession final : public stream::UpstreamSession {
  public:
    StreamsSession(unsigned most, stream::SessionWatcher& watcher, Clock& clock)
        : most_(most), watcher_(watcher), clock_(clock) {}

    // The client's end.
    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override {
        BOOST_REQUIRE(room() > 0);
        Bytes sent(query.begin(), query.end());
        dns::store_be16(sent.data(), 0);  // RFC 9250 4.2.1
        streams.emplace(next_, Stream{std::move(sent), dns::load_be16(query.data()), deadline_ms,
                                      std::move(done)});
        next_ += kNextStream;
        if (silent_since_ms_ == UINT64_MAX) silent_since_ms_ = clock_.now().ms;
    }
    [[nodiscard]] unsigned room() const override {
        return leaves_ || closed ? 0 : most_ - in_progress();
    }
    [[nodiscard]] unsigned in_progress() const override {
        return static_cast<unsigned>(streams.size());
    }
    [[nodiscard]] std::uint64_t silent_since_ms() const override { return silent_since_ms_; }
    void expire(std::uint64_t now_ms) override {
        std::vector<Done> late;
        std::erase_if(streams, [&](auto& one) {
            if (one.second.deadline_ms > now_ms) return false;
            late.push_back(std::move(one.second.done));
            return true;
        });
        for (const Done& done : late)
            done({.error = ETIMEDOUT});
    }
    void close() override { closed = true; }

    // The server's end.
    void answer(std::uint64_t number) {
        const auto at = streams.find(number);
        BOOST_REQUIRE((at != streams.end()));
        Bytes response = make_response(at->second.query, 1);
        dns::store_be16(response.data(), at->second.id);
        const Done done = std::move(at->second.done);
        streams.erase(at);
        silent_since_ms_ = streams.empty() ? UINT64_MAX : clock_.now().ms;
        done({.message = response});
        watcher_.on_room(*this);
    }
    // HTTP's 429 with this Retry-After.
    void refuse(std::uint64_t number, std::uint32_t retry_after_s) {
        const auto at = streams.find(number);
        BOOST_REQUIRE((at != streams.end()));
        const Done done = std::move(at->second.done);
        streams.erase(at);
        silent_since_ms_ = UINT64_MAX;
        done({.error = EPROTO, .retry_after_s = retry_after_s});
    }
    // Streams from this one on were not taken up, and no more are.
    void leave(std::uint64_t first_untouched) {
        leaves_ = true;
        std::vector<Done> untouched;
        std::erase_if(streams, [&](auto& one) {
            if (one.first < first_untouched) return false;
            untouched.push_back(std::move(one.second.done));
            return true;
        });
        for (const Done& done : untouched)
            done({.error = ECONNRESET, .again = true});
    }

    struct Stream {
        Bytes query;
        std::uint16_t id;
        std::uint64_t deadline_ms;
        Done done;
    };
    std::map<std::uint64_t, Stream> streams;
    bool closed = false;

  private:
    const unsigned most_;
    stream::SessionWatcher& watcher_;
    Clock& clock_;
    std::uint64_t next_ = 0;
    std::uint64_t silent_since_ms_ = UINT64_MAX;
    bool leaves_ = false;
};

struct StreamsAttempt final : stream::ConnectAttempt {
    StreamsAttempt(const stream::ConnectPath& to, stream::SessionWatcher& by,
                   stream::UpstreamTransport::Done ended)
        : path(to), watcher(by), done(std::move(ended)) {}
    void cancel() override { done = nullptr; }
    [[nodiscard]] std::optional<IpAddress> local() override { return kServer; }

    stream::ConnectPath path;
    stream::SessionWatcher& watcher;
    stream::UpstreamTransport::Done done;
};

using Attempts = std::vector<std::shared_ptr<StreamsAttempt>>;

class StreamsTransport final : public stream::UpstreamTransport {
  public:
    explicit StreamsTransport(Attempts& attempts) : attempts_(attempts) {}
    [[nodiscard]] bool is_multiplexed() const override { return true; }
    Result<std::shared_ptr<stream::ConnectAttempt>> connect(const stream::ConnectPath& path,
                                                            stream::SessionWatcher& watcher,
                                                            Done done) override {
        attempts_.push_back(std::make_shared<StreamsAttempt>(path, watcher, std::move(done)));
        return std::shared_ptr<stream::ConnectAttempt>(attempts_.back());
    }

  private:
    Attempts& attempts_;
};

class HandClock final : public Clock {
  public:
    Now now() override { return {ms}; }
    std::uint64_t ms = 1'000'000;
};

// A pool on that transport; the test is the worker and the server.
struct SeamWorld {
    explicit SeamWorld(UpstreamTarget target = {}) {
        target.name = "up";
        target.address = kServer;
        context.random = forward::ChaChaRandom{1};
        pool = std::make_shared<stream::UpstreamPool>(
            context, std::make_shared<const UpstreamTarget>(std::move(target)), state,
            std::make_unique<StreamsTransport>(attempts));
    }
    ~SeamWorld() {
        pool->close();
        for (const Message& reply : replies())
            release(reply.buffer);
        BOOST_TEST(buffers.in_use() == 0U);
    }
    void ask(std::uint16_t id, std::string_view name) {
        stream::UpstreamAsk one;
        one.token = id;
        one.timeout_ms = 2000;
        one.query = make_query(id, name);
        pool->ask(std::move(one), false);
    }
    std::shared_ptr<StreamsSession> open(std::size_t attempt, unsigned room = 100,
                                         const IpAddress& local = kServer) {
        BOOST_REQUIRE(attempts.size() > attempt);
        StreamsAttempt& one = *attempts[attempt];
        auto session = std::make_shared<StreamsSession>(room, one.watcher, clock);
        end(one, {.session = session, .local = local});
        return session;
    }
    static void end(StreamsAttempt& attempt, Connected connected) {
        BOOST_REQUIRE(attempt.done != nullptr);
        std::exchange(attempt.done, nullptr)(std::move(connected));
    }
    std::vector<Message> replies() {
        std::vector<Message> all;
        Message m;
        while (to_worker.pop(&m, 1) == 1)
            all.push_back(m);
        return all;
    }
    void check_reply(std::uint16_t id, std::string_view name) {
        Message m;
        BOOST_TEST_REQUIRE(to_worker.pop(&m, 1) == 1U);
        BOOST_TEST(m.token == id);
        BOOST_TEST_REQUIRE(m.b == 0U);
        BOOST_TEST(StreamWorld::bytes_of(m) == make_response(make_query(id, name), 1));
        release(m.buffer);
    }
    void check_error(std::uint16_t id, int error) {
        Message m;
        BOOST_TEST_REQUIRE(to_worker.pop(&m, 1) == 1U);
        BOOST_TEST(m.token == id);
        BOOST_TEST(m.b == static_cast<std::uint32_t>(error));
        BOOST_TEST((m.buffer == nullptr));
    }

    HandClock clock;
    BufferPools buffers{64, 8};
    Ring<Message> to_worker{64, nullptr};
    stream::StreamContext context{0, {{&to_worker}, {}, nullptr}, buffers, clock};
    std::vector<std::string> logged;
    std::shared_ptr<stream::UpstreamState> state = std::make_shared<stream::UpstreamState>(
        "up", [this](const std::string& sentence) { logged.push_back(sentence); });
    Attempts attempts;
    std::shared_ptr<stream::UpstreamPool> pool;
};

UpstreamTarget one_connection() {
    UpstreamTarget target;
    target.max_conns = 1;
    return target;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_transport)

// One name can cause it: workers prefer others for a while, and the connection is used as before.
BOOST_AUTO_TEST_CASE(an_upstream_that_asks_to_wait_is_still_asked) {
    SeamWorld w;
    w.ask(11, "a.example");
    const auto session = w.open(0);
    session->refuse(0, 7);
    w.check_error(11, static_cast<int>(kUpstreamAsksToWait | 7));
    BOOST_TEST_REQUIRE(w.logged.size() == 1U);
    BOOST_TEST(w.logged[0] ==
               "upstream up cannot be asked: it asks to wait for 7 s (HTTP's Retry-After)");
    w.ask(12, "b.example");
    BOOST_TEST_REQUIRE(session->streams.size() == 1U);
    session->answer(session->streams.begin()->first);
    w.check_reply(12, "b.example");
    BOOST_TEST(w.logged.size() == 2U);
    // For at most ten seconds.
    w.ask(13, "c.example");
    session->refuse(session->streams.begin()->first, 86'400);
    w.check_error(13, static_cast<int>(kUpstreamAsksToWait | 10));
}

BOOST_AUTO_TEST_CASE(an_http_error_fails_the_query_alone) {
    SeamWorld w;
    w.ask(11, "a.example");
    const auto session = w.open(0);
    session->refuse(0, 0);
    w.check_error(11, static_cast<int>(kUpstreamFailsQuery));
    w.ask(12, "b.example");
    session->answer(session->streams.begin()->first);
    w.check_reply(12, "b.example");
}

BOOST_AUTO_TEST_CASE(queries_have_a_stream_each_and_are_answered_in_any_order) {
    SeamWorld w;
    w.ask(11, "a.example");
    w.ask(12, "b.example");
    w.ask(13, "c.example");
    BOOST_TEST_REQUIRE(w.attempts.size() == 1U);
    BOOST_TEST((w.attempts[0]->path.address == kServer));
    const auto session = w.open(0);
    BOOST_TEST_REQUIRE(session->streams.size() == 3U);
    for (const auto& [number, one] : session->streams)
        BOOST_TEST(dns::load_be16(one.query.data()) == 0U);
    session->answer(8);
    session->answer(0);
    session->answer(4);
    w.check_reply(13, "c.example");
    w.check_reply(11, "a.example");
    w.check_reply(12, "b.example");
    BOOST_TEST(w.attempts.size() == 1U);
    BOOST_TEST(w.context.counters.get(StreamCount::upstream_connects) == 1U);
    BOOST_TEST(w.state->report().address == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_query_above_the_stream_limit_waits) {
    SeamWorld w(one_connection());
    w.ask(21, "a.example");
    w.ask(22, "b.example");
    const auto session = w.open(0, 1);
    BOOST_TEST_REQUIRE(session->streams.size() == 1U);
    session->answer(0);
    BOOST_TEST_REQUIRE(session->streams.size() == 1U);
    session->answer(4);
    w.check_reply(21, "a.example");
    w.check_reply(22, "b.example");
    BOOST_TEST(w.attempts.size() == 1U);
}

BOOST_AUTO_TEST_CASE(queries_that_a_leaving_server_did_not_accept_use_a_new_session) {
    SeamWorld w;
    w.ask(31, "a.example");
    w.ask(32, "b.example");
    const auto old = w.open(0);
    old->leave(4);
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    const auto fresh = w.open(1);
    BOOST_TEST_REQUIRE(fresh->streams.size() == 1U);
    old->answer(0);
    fresh->answer(0);
    w.check_reply(31, "a.example");
    w.check_reply(32, "b.example");
    BOOST_TEST(w.context.counters.get(StreamCount::upstream_again) == 1U);
}

BOOST_AUTO_TEST_CASE(a_silent_session_gets_no_more_queries_and_its_queries_are_retried) {
    SeamWorld w;
    w.ask(41, "a.example");
    const auto silent = w.open(0);
    w.clock.ms += stream::UpstreamPool::kSilenceMs;
    w.pool->tick();
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    const auto fresh = w.open(1);
    fresh->answer(0);
    w.check_reply(41, "a.example");
    w.clock.ms += stream::UpstreamPool::kGiveUpMs;
    w.pool->tick();
    BOOST_TEST(silent->closed);
    BOOST_TEST(!fresh->closed);
}

BOOST_AUTO_TEST_CASE(a_failed_connection_ends_its_queries_with_its_error) {
    SeamWorld w;
    w.ask(51, "a.example");
    SeamWorld::end(*w.attempts.at(0), {.error = ECONNREFUSED, .why = "nobody listens"});
    w.check_error(51, ECONNREFUSED);
    BOOST_TEST_REQUIRE(w.logged.size() == 1U);
    BOOST_TEST(w.logged[0] == "upstream up cannot be asked: nobody listens");
}

BOOST_AUTO_TEST_CASE(an_untrusted_server_is_not_connected_to_for_some_time) {
    SeamWorld w;
    w.ask(61, "a.example");
    SeamWorld::end(*w.attempts.at(0), {.error = EKEYREJECTED, .why = "not trusted"});
    w.check_error(61, EKEYREJECTED);
    w.ask(62, "a.example");
    w.check_error(62, EKEYREJECTED);
    BOOST_TEST(w.attempts.size() == 1U);
    w.clock.ms += stream::UpstreamPool::kDistrustFirstMs;
    w.ask(63, "a.example");
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    w.open(1)->answer(0);
    w.check_reply(63, "a.example");
}

BOOST_AUTO_TEST_CASE(sessions_from_a_removed_local_address_are_closed) {
    SeamWorld w;
    w.ask(71, "a.example");
    const auto here = w.open(0);
    here->answer(0);
    w.pool->network_changed();
    BOOST_TEST(!here->closed);
    here->leave(0);
    w.ask(72, "b.example");
    const auto gone = w.open(1, 100, address("192.0.2.99"));
    gone->answer(0);
    w.pool->network_changed();
    BOOST_TEST(gone->closed);
    w.check_reply(71, "a.example");
    w.check_reply(72, "b.example");
}

BOOST_AUTO_TEST_CASE(a_closed_pool_cancels_attempts_and_closes_sessions) {
    SeamWorld w;
    w.ask(81, "a.example");
    const auto session = w.open(0, 1);
    w.ask(82, "b.example");
    BOOST_TEST_REQUIRE(w.attempts.size() == 2U);
    w.pool->close();
    BOOST_TEST(session->closed);
    BOOST_TEST((w.attempts[1]->done == nullptr));
    BOOST_TEST(w.replies().empty());
}

BOOST_AUTO_TEST_SUITE_END()
