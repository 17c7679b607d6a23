// How fast a pool (upstream_pool.h) goes, by what its upstream did on earlier connections: the
// queries that a connection gets at once, the connections that may begin, and how often a query is
// asked.
//
// - An upstream that ended a connection and left queries without an answer gets on a new one as
//   many at once as it answered on that one, at least one; then twice as many each time it has
//   answered all. One that refused queries and goes on gets as many as it took.
// - At most kConnections begin in kFirstMs, or in kClosedMs once a connection with a query ended
//   without any answer. An answer lifts both limits. An upstream that closes on each query costs no
//   more connections, and one that answers a query on each keeps its rate.
// - A query that was alone on its connection when the upstream closed it is asked kAsks times. After
//   kLonelyCloses such ends without an answer in between, once: it may not be the query.
//
// Pure; times are milliseconds.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace steer::stream {

// The queries of one connection.
class ConnectionUse {
  public:
    static constexpr unsigned kAll = UINT32_MAX;  // no limit
    static constexpr unsigned kMostBatch = 128;   // above this, the limit ends

    // `batch`: queries that it gets at once.
    explicit ConnectionUse(unsigned batch) : batch_(batch), left_(batch) {}

    [[nodiscard]] bool has_room() const { return left_ > 0; }
    [[nodiscard]] bool is_unused() const { return sent_ == 0; }
    // Its query shares it with no other. So that query may be why it ended.
    [[nodiscard]] bool was_alone() const { return sent_ == 1 || is_reserved_; }
    [[nodiscard]] unsigned answered() const { return answered_; }
    [[nodiscard]] unsigned batch() const { return batch_; }

    void send() {
        ++sent_;
        if (batch_ != kAll) --left_;
    }
    // The next query is the only one until it is answered.
    void reserve() {
        batch_ = left_ = 1;
        is_reserved_ = true;
    }
    // A query has ended, and `in_progress` have not. True: the limit has ended.
    bool answer(unsigned in_progress);
    void fail(unsigned in_progress) {
        if (in_progress == 0) left_ = batch_;
    }
    void refuse(unsigned in_progress) {
        batch_ = std::max(1U, in_progress);
        left_ = in_progress == 0 ? batch_ : 0;
    }

  private:
    unsigned batch_, left_;
    unsigned sent_ = 0, answered_ = 0;
    bool is_reserved_ = false;
};

class UpstreamPace {
  public:
    static constexpr std::size_t kConnections = 10;
    static constexpr std::uint64_t kFirstMs = 100, kClosedMs = 1'000;
    static constexpr std::uint64_t kLimitMs = 60'000;  // that a batch counts after such an end
    static constexpr unsigned kAsks = 2, kLonelyCloses = 2;

    // Of a new connection.
    [[nodiscard]] unsigned batch(std::uint64_t now_ms) const {
        return now_ms - limited_ms_ < kLimitMs ? batch_ : ConnectionUse::kAll;
    }
    [[nodiscard]] unsigned asks() const { return lonely_closes_ >= kLonelyCloses ? 1 : kAsks; }
    // It refused queries, and the limit since then goes on.
    [[nodiscard]] bool is_refusing(std::uint64_t now_ms) const {
        return is_refusing_ && batch(now_ms) != ConnectionUse::kAll;
    }
    // Connections ended without an answer, and none arrived since.
    [[nodiscard]] bool is_closing() const { return is_closing_; }
    // Whether another connection may begin beside `attempts`.
    [[nodiscard]] bool may_connect(std::uint64_t now_ms, std::size_t attempts) const;

    void connected(std::uint64_t now_ms);
    void answered();
    // The upstream refused a query and goes on with the connection.
    void refused(const ConnectionUse& use, std::uint64_t now_ms) {
        limit(use.batch(), now_ms);
        is_refusing_ = true;
    }
    // It takes no more queries on this one, but answers `promised` ones.
    void leaves(const ConnectionUse& use, unsigned promised, std::uint64_t now_ms) {
        limit(use.answered() + promised, now_ms);
    }
    void closed_alone() { ++lonely_closes_; }
    // It ended the connection.
    void ends(const ConnectionUse& use, std::uint64_t now_ms);
    // A limited connection has answered so many that it is limited no more.
    void recovers() {
        batch_ = ConnectionUse::kAll;
        is_refusing_ = false;
    }

  private:
    void limit(unsigned batch, std::uint64_t now_ms) {
        batch_ = std::max(1U, batch);
        limited_ms_ = now_ms;
        is_refusing_ = false;
    }

    unsigned batch_ = ConnectionUse::kAll;
    std::uint64_t limited_ms_ = 0;
    unsigned lonely_closes_ = 0;  // since the last answer
    bool is_closing_ = false, is_refusing_ = false;
    std::array<std::uint64_t, kConnections> connected_ms_{};  // the last ones; 0: before an answer
    std::size_t next_ = 0;
};

}  // namespace steer::stream
