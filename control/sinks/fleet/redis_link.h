// The sockets of a fleet: to Redis, and to the Sentinels that know its address.
//
// A RedisLink queries the Sentinels for the master before each connection. Everything runs on the
// thread of `io`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "control/sinks/fleet/fleet_plan.h"
#include "control/sinks/fleet/sentinel.h"
#include "routeros/transport.h"

namespace steer::fleet {

// Queries the Sentinels in turn; the first is the one that answered last.
class MasterFinder {
  public:
    using Done = std::function<void(Result<MasterAddress>)>;

    MasterFinder(boost::asio::io_context& io, const FleetPlan& plan,
                 routeros::Transport::Clock clock);
    // A second call during a query replaces the first.
    void find(Done done);
    // Cancels the query; `done` is not called.
    void cancel();
    // Cancels and closes; do not call find() afterwards.
    void stop();

  private:
    void ask_next(std::size_t left, const std::string& last_error);

    const FleetPlan& plan_;
    routeros::Transport::Clock clock_;
    routeros::Transport transport_;
    SentinelQuery query_;
    Done done_;
    std::size_t at_ = 0;  // index in the plan's Sentinels
};

class RedisLink final : public routeros::RouterLink {
  public:
    // `plan` must outlive it.
    RedisLink(boost::asio::io_context& io, const FleetPlan& plan, routeros::Transport::Clock clock);

    // Sets the user of the link. Call it once, before start().
    void drive(RedisConnection& user);
    void on_resolved(routeros::Transport::Resolved resolved) {
        transport_.on_resolved(std::move(resolved));
    }
    void wake() { transport_.wake(); }
    void stop();
    // The address of the last connection; empty: none yet.
    [[nodiscard]] const std::string& place() const { return place_; }

    void connect() override;
    void close() override;
    void send(std::string_view bytes) override { transport_.send(bytes); }
    [[nodiscard]] std::optional<std::uint64_t> unsent_since_ms() const override {
        return transport_.unsent_since_ms();
    }

  private:
    void connect_to(routeros::TransportConfig to);

    const FleetPlan& plan_;
    routeros::Transport::Clock clock_;
    routeros::Transport transport_;
    MasterFinder finder_;
    RedisConnection* user_ = nullptr;
    std::string place_;
};

}  // namespace steer::fleet
