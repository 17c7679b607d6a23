// Samples: copies of queries for control, which counts names and clients (control/lists/hits_service.h).
//
// While control asks for samples, a worker copies one query in N to the main thread; else the cost is one load per
// burst. Queries are copied before any check, so malformed ones are among them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/ring.h"
#include "dataplane/stages/burst.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

inline constexpr std::size_t kSampleBytes = 272;  // a header and any question

struct Sample {
    IpAddress client;
    std::uint32_t stands_for;  // the number of queries that this sample represents
    std::uint32_t lost;        // samples since the one before that found the ring full
    std::uint16_t length;      // bytes of the message that are stored
    std::array<std::uint8_t, kSampleBytes> message;  // its beginning, wire form
};
static_assert(sizeof(Sample) % 4 == 0);

class Sampler {
  public:
    // `one_in`: set by control; 0: no samples. Without a ring, none are taken.
    Sampler(const std::atomic<std::uint32_t>& one_in, Ring<Sample>* to_main)
        : one_in_(one_in), to_main_(to_main) {}

    void look_at(const Burst& burst) noexcept {
        const std::uint32_t one_in = one_in_.load(std::memory_order_relaxed);
        if (one_in != 0) [[unlikely]]
            take(burst, one_in);
    }

  private:
    void take(const Burst& burst, std::uint32_t one_in) noexcept;

    const std::atomic<std::uint32_t>& one_in_;
    Ring<Sample>* to_main_;
    std::uint32_t passing_ = 0;  // queries until the next sample
    std::uint32_t lost_ = 0;
    Sample sample_;
};

}  // namespace steer
