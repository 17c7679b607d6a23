// One upstream's connections of one thread, with any transport (upstream_transport.h), and the
// queries that wait for one.
//
// A query uses a connection with a free place. While some wait, connections are opened, up to
// `max_conns`. Connections that are idle for `idle_timeout` are closed, except `min_conns`.
// - A query that the upstream surely did not process (Retry::unprocessed) is sent again within its
//   time, at most kMostRefusals times. Each pause is twice the one before.
// - If a connection ended before the replies, its queries are sent again on newer ones. Only for a
//   query that was alone on it, that counts as one of UpstreamPace::kAsks (RFC 7766 6.2.4). After
//   PooledQuery::kMostLosses ends beside others, a query goes alone. So no query ends another one.
// - upstream_pace.h: the queries that a connection gets at once; the connections that may begin.
// - If a connection gets no byte for kSilenceMs while a reply is due, it is suspect. It gets no
//   more queries. Its queries are also sent on a newer one, if possible to another address, and the
//   first reply counts. It is closed when no query waits for it, or after kGiveUpMs.
// - A connection attempt older than kFreshMs does not prevent another one (the kernel retransmits
//   after 1, 3, 7 s). It may still succeed until kGiveUpMs.
// - If an upstream's certificate is not trusted, all waiting queries fail at once with
//   EKEYREJECTED. The next connection is tried after kDistrustFirstMs, then after twice the time,
//   up to kDistrustLastMs. Queries before that fail at once.
// - If the upstream answers a query with an HTTP error or a message that is not DNS, the query fails
//   at once with kUpstreamFailsQuery; after refusals and closed connections, with
//   kUpstreamDropsQuery. Other queries are not affected, because one name can cause it.
// - If the upstream sends HTTP's Retry-After with 429 or 503, workers prefer others until then, at
//   most for kLongestWaitS (kUpstreamAsksToWait).
// - After a failed attempt, the next path is tried (upstream_route.h). If none is left, all waiting
//   queries fail, unless there is a connection.
//  So a path that works again serves the first query: a query on a dead path is repeated within
// kSilenceMs on a new connection.
//
// At most kMaxWaiting wait; more are refused with EBUSY. A query that waits beyond its timeout is
// dropped, because its worker no longer waits. One thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/streams/base/stream_context.h"
#include "control/streams/upstream/pooled_query.h"
#include "control/streams/upstream/upstream_channel.h"
#include "control/streams/upstream/upstream_pace.h"
#include "control/streams/upstream/upstream_reply.h"
#include "control/streams/upstream/upstream_route.h"
#include "control/streams/upstream/upstream_session.h"
#include "control/streams/upstream/upstream_state.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_transport.h"

namespace steer::stream {

class UpstreamPool final : public UpstreamChannel,
                           public SessionWatcher,
                           public std::enable_shared_from_this<UpstreamPool> {
  public:
    static constexpr std::size_t kMaxWaiting = 4096;
    static constexpr std::uint64_t kSilenceMs = 1'000;
    static constexpr std::uint64_t kFreshMs = 1'000;
    static constexpr std::uint64_t kGiveUpMs = 5'000;
    static constexpr std::uint32_t kLongestWaitS = 10;
    static constexpr unsigned kMostRefusals = 8;
    static constexpr std::uint64_t kFirstPauseMs = 10;  // then 20, 40 ...
    static constexpr std::uint64_t kDistrustFirstMs = 1'000, kDistrustLastMs = 30'000;

    UpstreamPool(StreamContext& context, std::shared_ptr<const UpstreamTarget> target,
                 std::shared_ptr<UpstreamState> state,
                 std::unique_ptr<UpstreamTransport> transport);
    ~UpstreamPool() override;

    // (`over_tcp` is always false: there are no datagrams that could be truncated.)
    void ask(UpstreamAsk ask, bool over_tcp) override;
    void tick() override;
    [[nodiscard]] bool is_busy() const override { return !queries_.empty() || !attempts_.empty(); }
    // Closes connections and attempts whose source address differs from that of a new connection.
    void network_changed() override;
    void close() override;

    // ---- for a channel with another transport beside it (upstream_fallback.h)

    // Called when the upstream as a whole is reached, or not. Not for a name without an address,
    // nor for a certificate that is not trusted.
    using OnReach = std::function<void(bool is_reached, const std::string& why)>;
    void on_reach(OnReach call) { on_reach_ = std::move(call); }
    // Failures are not reported: the other transport is in use.
    void set_quiet(bool is_quiet) { is_quiet_ = is_quiet; }
    // The queries that wait for a connection, with the rest of their time.
    std::vector<UpstreamAsk> take_waiting();
    // Opens a connection, if there is none.
    void try_connect();

    void on_room(UpstreamSession& session) override;
    void on_ended(UpstreamSession& session, const std::string& why) override;

  private:
    using Query = PooledQuery;
    using QueryPtr = std::shared_ptr<Query>;
    struct Open {
        std::uint64_t number;  // increases
        std::shared_ptr<UpstreamSession> session;
        ConnectPath path;
        IpAddress local;
        std::uint64_t used_ms;
        ConnectionUse use;
        bool was_suspect = false;
    };
    struct Attempt {
        std::uint64_t number;  // increases
        ConnectPath path;
        std::uint64_t started_ms;
        std::shared_ptr<ConnectAttempt> connect;
        bool is_late = false;
    };

    void serve();
    Open* find_room(const Query& query);
    bool has_room(const Open& open);
    void send(const QueryPtr& query, Open& open);
    void on_reply(const QueryPtr& query, std::uint64_t connection, const SessionReply& reply);
    void end(const QueryPtr& query, int error);

    // ---- upstream_pool_repeats.cpp: queries without an answer
    void note_end(Open& open, const SessionReply& reply);
    void note_error(const SessionReply& reply);
    void on_no_reply(const QueryPtr& query, const Open* open, const SessionReply& reply);
    void repeat(const QueryPtr& query, const Open* open, Retry retry);
    // Among those that wait, in the order of their arrival.
    void wait_for_room(const QueryPtr& query);
    void pause(const QueryPtr& query, std::uint64_t ready_ms);
    void end_pauses(std::uint64_t now_ms);
    void wake_later();
    // All that wait for a connection or the end of a pause.
    std::vector<QueryPtr> take_all_waiting();
    void forget_waiting(std::uint64_t now_ms);
    [[nodiscard]] int late_error(const Query& query, std::uint64_t now_ms) const;
    void fail_waiting(int error);

    // For those that wait.
    [[nodiscard]] std::size_t wanted_connections();
    void connect_more(std::size_t wanted);
    // Returns false if it must wait for an address, or is impossible.
    bool connect();
    UpstreamRoute& route();
    void on_connected(std::uint64_t attempt, Connected connected);
    void on_connect_failure(const ConnectPath& path, const Connected& connected);
    void on_failure(int error, const std::string& why);
    void report_failure(const std::string& why) {
        if (!is_quiet_) state_->fails(why);
    }
    void report_reach(bool is_reached, const std::string& why) {
        if (on_reach_) on_reach_(is_reached, why);
    }
    [[nodiscard]] bool is_distrusted() const;
    void distrust();
    void on_name();
    void check_attempts(std::uint64_t now_ms);

    void check_connections(std::uint64_t now_ms);
    void suspect(Open& open);
    Open* find_open(std::uint64_t number);
    std::list<Open>::iterator drop(std::list<Open>::iterator open);
    void keep_connections(std::uint64_t now_ms);
    [[nodiscard]] bool is_suspect(const Open& open, std::uint64_t now_ms) const {
        return open.session->silent_since_ms() <= now_ms &&
               now_ms - open.session->silent_since_ms() >= kSilenceMs;
    }
    [[nodiscard]] std::size_t usable(std::uint64_t now_ms) const;
    [[nodiscard]] std::size_t fresh_attempts(std::uint64_t now_ms) const;

    StreamContext& context_;
    std::vector<std::uint8_t> padded_;  // a query on its way to a session
    const std::shared_ptr<const UpstreamTarget> target_;
    const std::shared_ptr<UpstreamState> state_;
    const std::unique_ptr<UpstreamTransport> transport_;
    std::unique_ptr<UpstreamRoute> route_;  // nullptr: no connection yet
    IpAddress reached_;                     // address of the last connection
    std::set<QueryPtr> queries_;            // all that have not ended
    std::list<QueryPtr> waiting_;
    std::multimap<std::uint64_t, QueryPtr> paused_;  // by the time from which they wait
    boost::asio::steady_timer wake_;                 // for the first of them
    std::uint64_t wake_at_ms_ = 0;                   // 0: it does not run
    std::list<Open> open_;
    std::list<Attempt> attempts_;
    UpstreamPace pace_;
    unsigned announced_limit_ = UINT32_MAX;  // asks at a time, as the last announcement was
    std::uint64_t last_serial_ = 0, last_number_ = 0, last_attempt_ = 0;
    std::uint64_t keep_at_ms_ = 0;  // next time to open min_conns
    // After an untrusted certificate: no connection before this time; duration of the last wait.
    std::uint64_t distrust_until_ms_ = 0, distrust_ms_ = 0;
    OnReach on_reach_;
    bool is_quiet_ = false;
    bool answers_badly_ = false;  // already logged
    bool closed_ = false;
};

}  // namespace steer::stream
