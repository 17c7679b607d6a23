// Whether this box may withdraw its service addresses: never as the last of its fleet.
//
// Upstreams, lists and overload can fail on all boxes in the same second, because they share
// upstreams, configuration and a flood. So a box that is not ready only for such a reason continues
// to serve. Before it withdraws, one step in Redis marks it as withdrawn and finds another box that
// was ready within kFreshMs. Other reasons (a dead thread, a port without a link, a drain) affect
// only this box, so it withdraws at once.
//
//   Key "PREFIX serves:ADDRESS": sorted set of the boxes that serve this address, by the time (ms
//   of Redis's clock) at which each was last ready; a box that withdrew has a time before
//   kFreshMs. Members are removed after kKeptMs.
//
// An address that no other box has served is ignored, because no box could take it over. A box
// without shared addresses decides alone.
//
// No sockets and no clock. One thread.
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
    unfit,    // for a reason of this box alone, or it drains or ends
};

// From the conditions of /readyz. `upstreams`, `lists` and `overload` concern all boxes.
Fitness fitness_of(const ops::HealthChecks& checks);
// Lets the failed ones of these conditions pass; their details give the reason.
void keep_serving(ops::HealthChecks& checks, std::string_view held_for);

class Withdrawal {
  public:
    static constexpr std::uint64_t kFreshMs = 5'000;
    static constexpr std::uint64_t kKeptMs = 8 * 24 * 3'600'000ULL;
    static constexpr std::uint64_t kMarkEveryMs = 1'000;
    static constexpr std::uint64_t kAskEveryMs = 500;
    static constexpr std::size_t kMaxAddresses =
        256;  // maximum of shared addresses; further ones are ignored

    // `prefix`: of the fleet's keys. `box`: its name, which is the same after a restart.
    Withdrawal(std::string prefix, std::string box, RedisConnection& redis);

    // Sets the addresses that this box serves, and its present state.
    void follow(const std::vector<std::string>& addresses, Fitness fitness);
    // Call it often while the connection is ready, and after follow(). The connection's next
    // send_now() sends it.
    void tick(std::uint64_t now_ms);
    // Marks this box as withdrawn.
    void stop(std::uint64_t now_ms);
    // Call it after a new connection.
    void connected();
    // Call it when the connection ended: then the box decides alone.
    void lost();
    // False: the box is not ready, and may withdraw.
    [[nodiscard]] bool is_serving() const { return is_serving_; }
    // The address that no other box can take over, so that this box continues to serve; else empty.
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
    bool is_serving_ = false;  // it was ready, and has not withdrawn since
    bool is_marked_ = false;   // Redis has it as ready
    bool is_requesting_ = false;
    std::uint64_t marked_ms_ = 0, asked_ms_ = 0;
    std::string held_for_;
};

}  // namespace steer::fleet
