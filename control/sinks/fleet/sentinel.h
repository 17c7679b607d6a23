// One query to a Redis Sentinel for the master's address.
//
// No sockets and no clock, as RedisConnection. A Sentinel that requires a login gets that of Redis.
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/sinks/fleet/redis_connection.h"
#include "control/sinks/fleet/redis_reply.h"
#include "matchers/result.h"
#include "routeros/link.h"

namespace steer::fleet {

struct MasterAddress {
    std::string host;
    std::uint16_t port = 0;
    bool operator==(const MasterAddress&) const = default;
};

class SentinelQuery final : public routeros::LinkUser {
  public:
    static constexpr std::uint64_t kPatienceMs = 1'000;
    using Done = std::function<void(Result<MasterAddress> found, std::uint64_t now_ms)>;

    SentinelQuery(routeros::RouterLink& link, std::string master, RedisLogin login);

    // Connects and sends the query. Calls `done` once, except after cancel().
    void ask(std::uint64_t now_ms, Done done);
    void cancel();
    [[nodiscard]] bool is_requesting() const { return done_ != nullptr; }

    void connected(std::uint64_t now_ms) override;
    void received(std::string_view bytes, std::uint64_t now_ms) override;
    void closed(std::string_view why, std::uint64_t now_ms) override;
    void tick(std::uint64_t now_ms) override;
    [[nodiscard]] std::uint64_t next_deadline() const override;

  private:
    void send_question();
    void take(const RedisReply& reply, std::uint64_t now_ms);
    void end(Result<MasterAddress> found, std::uint64_t now_ms);

    routeros::RouterLink& link_;
    const std::string master_;
    const RedisLogin login_;
    RedisReplies replies_;
    Done done_;
    std::uint64_t until_ms_ = 0;
    bool has_logged_in_ = false, is_logging_in_ = false;
};

}  // namespace steer::fleet
