// Whether this box may withdraw its service addresses: never as the last of its fleet.
//
// Upstreams, lists and overload can fail on all boxes in the same second: the boxes share their upstreams, their
// configuration and a flood. So a box that is not ready for such a reason alone serves on. It withdraws after one step in
// Redis that marks it as withdrawn and finds another box that was ready within kFreshMs. Other reasons (a dead thread, a
// port without a link, a drain) are of this box alone, and it withdraws without asking.
//
//   Key "PREFIX serves:ADDRESS": sorted set of the boxes that serve this address, by the time (ms of Redis's clock) at
//   which each was ready last; a box that withdrew has a time before kFreshMs. Members are forgotten after kKeptMs.
//
// An address that no other box has served is not considered, because no box could take it over. A box that shares no
// address decides alone.
//
// Without sockets and without a clock. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/http/health_check.h"
#include "control/sinks/fleet/redis_connection.h"
#include "control/sinks/fleet/redis_script.h"

namespace steer::fleet {

enum class Fitness : std::uint8_t {
    ready,
    failing,  // only for reasons that other boxes may have at the same time
    unfit,    // for a reason of its own, or it drains or ends
};

// By the conditions of /readyz. `upstreams`, `lists` and `overload` are those of all boxes.
Fitness fitness_of(const ops::HealthChecks& checks);
// The failed ones of these pass, and their details say why.
void keep_serving(ops::HealthChecks& checks, std::string_view held_for);

class Withdrawal {
  public:
    static constexpr std::uint64_t kFreshMs = 5'000;
    static constexpr std::uint64_t kKeptMs = 8 * 24 * 3'600'000ULL;
    static constexpr std::uint64_t kMarkEveryMs = 1'000;
    static constexpr std::uint64_t kAskEveryMs = 500;
    static constexpr std::size_t kMaxAddresses =
        256;  // that are shared; the rest is not considered

    // `prefix`: of the fleet's keys. `box`: its name, the same after a restart.
    Withdrawal(std::string prefix, std::string box, RedisConnection& redis);

    // What this box serves, and how it is now.
    void follow(const std::vector<std::string>& addresses, Fitness fitness);
    // While the connection is ready, often, and after follow(). Sent by the connection's next send_now().
    void tick(std::uint64_t now_ms);
    // Marks this box as withdrawn.
    void stop(std::uint64_t now_ms);
    // A new connection.
    void connected();
    // The connection ended: the box decides alone.
    void lost();
    // False: not ready, and the box may withdraw.
    [[nodiscard]] bool is_serving() const { return is_serving_; }
    // The address that no other box can take over now, while the box serves on for it; else empty.
    [[nodiscard]] const std::string& held_for() const { return held_for_; }

  private:
    enum class Step : std::uint8_t { mark, leave, ask };
    void call(Step step, std::uint64_t now_ms);
    void undo(Step step);
    void take_answer(const RedisReply& reply);

    const std::string prefix_, box_;
    RedisConnection& redis_;
    RedisScript script_;
    std::vector<std::string> addresses_, keys_;
    Fitness fitness_ = Fitness::unfit;
    bool is_serving_ = false;  // was ready, and did not withdraw since
    bool is_marked_ = false;   // Redis has it as ready
    bool is_asking_ = false;
    std::uint64_t marked_ms_ = 0, asked_ms_ = 0;
    std::string held_for_;
};

}  // namespace steer::fleet
