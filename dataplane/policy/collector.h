// The counts of a metrics_collector. Each worker writes its own counts; any thread may read them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "dataplane/base/counters.h"

namespace steer {

class Collector {
  public:
    // Upper bounds in milliseconds of the buckets in `by_latency`, except the last.
    static constexpr std::array<std::uint32_t, 12> kBoundsMs{1,   2,   5,   10,   20,   50,
                                                             100, 200, 500, 1000, 2000, 5000};
    struct alignas(64) Counts {
        Count entered, left, errors, latency_ms;
        std::array<Count, kBoundsMs.size() + 1> by_latency;

        void leave(bool failed, std::uint64_t took_ms) noexcept {
            left.add();
            if (failed) errors.add();
            latency_ms.add(took_ms);
            const auto* const bound = std::lower_bound(kBoundsMs.begin(), kBoundsMs.end(), took_ms);
            by_latency[static_cast<std::size_t>(bound - kBoundsMs.begin())].add();
        }
    };

    Collector(std::string name, unsigned workers)
        : name_(std::move(name)), workers_(workers), counts_(std::make_unique<Counts[]>(workers)) {}

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] unsigned workers() const { return workers_; }
    [[nodiscard]] Counts& of_worker(unsigned worker) const noexcept { return counts_[worker]; }

  private:
    std::string name_;
    unsigned workers_;
    std::unique_ptr<Counts[]> counts_;
};

}  // namespace steer
