// Divides the rate of each offender among the threads that it reaches, by the demand at each.
//
// Control calls divide() every 100 ms. A source below its rate that reaches one thread keeps its
// whole rate there. Others get a part of the rate at each thread, in proportion to their demand
// there. So the sum over threads is the rate, within a second. A source without demand for
// kForgetMs has no shares. A share for which a board has no room is tried again.
//
// It also has the list of offenders for the log and `steerctl limits`. One thread: control's.
// Allocates.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "dataplane/limits/offender_board.h"

namespace steer {

class LimitShares {
  public:
    static constexpr std::uint64_t kForgetMs = 2'000;

    // `boards`: of all threads, always in the same order.
    void divide(std::span<OffenderBoard* const> boards, std::uint64_t now_ms);

    struct Source {
        OffenderBoard::Offender offender;  // with the sums over all threads
        double demand_per_s = 0;           // smoothed
        unsigned threads = 0;              // with demand
        bool is_over = false;              // something was refused in the last kForgetMs
    };
    // The offenders of the last kForgetMs.
    [[nodiscard]] std::vector<Source> sources() const;
    // Forgets all shares: the boards belong to other rows now.
    void clear(std::span<OffenderBoard* const> boards);

  private:
    struct AtThread {
        std::uint64_t demand = 0, refused = 0;  // as last read
        double per_s = 0;                       // smoothed demand
        std::uint32_t share = 0;
        bool is_read = false;  // it has a slot of the board
    };
    struct Known {
        OffenderBoard::Offender offender;
        std::uint64_t refused = 0, refused_ms = 0;  // time of the last one
        std::vector<AtThread> at;                   // by thread
    };
    [[nodiscard]] bool is_quiet(const Known& known) const {
        return known.offender.seen_ms + kForgetMs < last_ms_;
    }
    [[nodiscard]] bool is_over(const Known& known) const {
        return known.refused_ms != 0 && known.refused_ms + kForgetMs >= last_ms_;
    }
    void read(std::span<OffenderBoard* const> boards, double seconds);

    std::map<std::uint64_t, Known> known_;
    std::uint64_t last_ms_ = 0;
};

}  // namespace steer
