// Follows a key of the fleet's Redis whose text has groups of devices (`client_groups`), as a feed
// of subscribers writes it.
//
// Asks every kPollMs: Redis sends the text only if its hash is another one, and not if it is longer
// than the limit. Does not read the text. Has a connection of its own, so that a refused or large
// reply delays no claim. No sockets and no clock, as RedisConnection. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "control/sinks/fleet/redis_connection.h"
#include "control/sinks/fleet/redis_script.h"

namespace steer::fleet {

class GroupFeed {
  public:
    static constexpr std::uint64_t kPollMs = 2'000, kPatienceMs = 5'000;

    // One of both: a new text, or why the present one is not known; both empty: it is unchanged.
    struct News {
        std::optional<std::string> text;
        std::string problem;  // "Redis is unreachable: ..."
    };
    using Tell = std::function<void(News news)>;

    // `tell` is called after each question, at most once for the same news in a row.
    GroupFeed(routeros::RouterLink& link, RedisLogin login, std::string key, std::size_t most_bytes,
              Tell tell);

    [[nodiscard]] RedisConnection& connection() { return redis_; }
    void start(std::uint64_t now_ms) { redis_.start(now_ms); }
    void stop() { redis_.stop(); }
    // Every kPollMs.
    void poll(std::uint64_t now_ms);

  private:
    void take(const RedisReply& reply);
    void say_problem(std::string problem);
    void say_good(std::optional<std::string> text);

    const std::string key_;
    const std::string most_bytes_;
    const Tell tell_;
    RedisScript script_;
    RedisConnection redis_;
    std::string hash_;     // of the last text; empty: none yet
    std::string problem_;  // the last one that was reported
    bool is_waiting_ = false;
};

}  // namespace steer::fleet
