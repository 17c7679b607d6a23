// A pool over a transport without sockets, bytes or ids, whose queries have a stream each (as over
// QUIC, RFC 9250), with a clock that the test turns. The test is the worker and the server.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/streams/upstream/upstream_pool.h"
#include "control/streams/upstream/upstream_transport.h"
#include "dataplane/dns/wire.h"
#include "world.h"

namespace steer::test {

using stream::Connected;
using stream::Retry;
using stream::SessionReply;
using stream::UpstreamTarget;

inline constexpr std::uint64_t kNextStream = 4;  // RFC 9000 2.1: of those that a client opens
inline const IpAddress kServer = address("127.0.0.1");

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
        const unsigned most = std::min(most_, limit.value_or(most_));
        return leaves_ || closed || in_progress() > most ? 0 : most - in_progress();
    }
    [[nodiscard]] unsigned in_progress() const override {
        return static_cast<unsigned>(streams.size());
    }
    [[nodiscard]] bool is_leaving() const override { return leaves_ || closed; }
    [[nodiscard]] std::optional<unsigned> announced_limit() const override { return limit; }
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
            done({.error = ECONNRESET, .retry = Retry::unprocessed});
    }
    // REFUSED_STREAM.
    void reject(std::uint64_t number) {
        const auto at = streams.find(number);
        BOOST_REQUIRE((at != streams.end()));
        const Done done = std::move(at->second.done);
        streams.erase(at);
        silent_since_ms_ = streams.empty() ? UINT64_MAX : clock_.now().ms;
        done({.error = ECONNRESET, .retry = Retry::unprocessed});
        watcher_.on_room(*this);
    }
    // It ends the connection.
    void end() {
        leaves_ = true;
        silent_since_ms_ = UINT64_MAX;
        for (const auto& [number, one] : std::exchange(streams, {}))
            one.done({.error = ECONNRESET, .retry = Retry::lost});
        watcher_.on_ended(*this, "");
    }
    [[nodiscard]] std::string name_of(std::uint64_t number) const {
        return name_in(streams.at(number).query);
    }
    // The first label of its question.
    static std::string name_in(const Bytes& query) {
        const std::size_t length = query[dns::kHeaderSize];
        const auto first = query.begin() + dns::kHeaderSize + 1;
        return {first, first + static_cast<std::ptrdiff_t>(length)};
    }

    struct Stream {
        Bytes query;
        std::uint16_t id;
        std::uint64_t deadline_ms;
        Done done;
    };
    std::map<std::uint64_t, Stream> streams;
    std::optional<unsigned> limit;
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
    StreamsTransport(Attempts& attempts, bool is_multiplexed)
        : attempts_(attempts), is_multiplexed_(is_multiplexed) {}
    [[nodiscard]] bool is_multiplexed() const override { return is_multiplexed_; }
    Result<std::shared_ptr<stream::ConnectAttempt>> connect(const stream::ConnectPath& path,
                                                            stream::SessionWatcher& watcher,
                                                            Done done) override {
        attempts_.push_back(std::make_shared<StreamsAttempt>(path, watcher, std::move(done)));
        return std::shared_ptr<stream::ConnectAttempt>(attempts_.back());
    }

  private:
    Attempts& attempts_;
    const bool is_multiplexed_;
};

class HandClock final : public Clock {
  public:
    Now now() override { return {ms}; }
    std::uint64_t ms = 1'000'000;
};

// A pool on that transport; the test is the worker and the server.
struct SeamWorld {
    explicit SeamWorld(UpstreamTarget target = {}, bool is_multiplexed = true) {
        target.name = "up";
        target.address = kServer;
        context.random = forward::ChaChaRandom{1};
        pool = std::make_shared<stream::UpstreamPool>(
            context, std::make_shared<const UpstreamTarget>(std::move(target)), state,
            std::make_unique<StreamsTransport>(attempts, is_multiplexed));
    }
    ~SeamWorld() {
        pool->close();
        for (const Message& reply : replies())
            release(reply.buffer);
        BOOST_TEST(buffers.in_use() == 0U);
    }
    void ask(std::uint16_t id, std::string_view name, std::uint32_t timeout_ms = 2000) {
        stream::UpstreamAsk one;
        one.token = id;
        one.timeout_ms = timeout_ms;
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
    void pass(std::uint64_t time_ms) {
        clock.ms += time_ms;
        pool->tick();
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
    BufferPools buffers{256, 8};
    Ring<Message> to_worker{256, nullptr};
    stream::StreamContext context{0, {{&to_worker}, {}, nullptr}, buffers, clock};
    std::vector<std::string> logged;
    std::shared_ptr<stream::UpstreamState> state = std::make_shared<stream::UpstreamState>(
        "up", [this](const std::string& sentence) { logged.push_back(sentence); });
    Attempts attempts;
    std::shared_ptr<stream::UpstreamPool> pool;
};

}  // namespace steer::test
