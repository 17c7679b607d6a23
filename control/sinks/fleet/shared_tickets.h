// The keys of TLS session tickets that the boxes of a fleet share. With them, a client can resume
// its session on another box.
//
//   Key "PREFIX tickets:GROUP:PERIOD": a sealed key (control/host/net/ticket_server.h), which
//   creates tickets in that day of Redis's clock. The first box that writes it decides; each box
//   writes it again if it is lost.
//
// No sockets and no clock. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/host/net/ticket_server.h"
#include "control/sinks/fleet/redis_connection.h"

namespace steer::fleet {

class SharedTickets {
  public:
    using Servers = std::vector<std::shared_ptr<stream::TicketServer>>;
    static constexpr std::uint64_t kPeriodMs = 24 * 3'600'000ULL;
    static constexpr std::uint64_t kEveryMs = 10'000;  // between two checks

    // `prefix`: of the fleet's keys.
    SharedTickets(std::string prefix, RedisConnection& redis);

    void serve(Servers servers) { servers_ = std::move(servers); }
    // Call it often while the connection is ready. `difference_ms`: Redis's clock less ours.
    void tick(std::int64_t difference_ms, std::uint64_t now_ms);
    // Number of keys in Redis that no server could decrypt.
    [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

  private:
    void ask(const std::string& group, std::uint64_t period, std::int64_t difference_ms,
             std::uint64_t now_ms);
    void take(const std::string& group, std::uint64_t period, std::int64_t difference_ms,
              const std::string& sealed);

    const std::string prefix_;
    RedisConnection& redis_;
    Servers servers_;
    std::map<std::string, std::string> known_;  // keys that this box has or offers, by name
    std::uint64_t checked_ms_ = 0, unreadable_ = 0;
};

}  // namespace steer::fleet
