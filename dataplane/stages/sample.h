// Samples: queries as they came, for whoever counts what is asked (control/lists/hits_service.h).
//
// While control asks for it, a worker copies one query in so many to the main thread; else it costs a look at one word
// a burst. Queries are taken before anybody judges them: what is malformed is among them.
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
    std::uint32_t stands_for;  // so many queries
    std::uint32_t lost;        // that were taken since the one before and found the ring full
    std::uint16_t length;      // of what is there of the message, bytes
    std::array<std::uint8_t, kSampleBytes> message;  // its beginning, wire form
};
static_assert(sizeof(Sample) % 4 == 0);

class Sampler {
  public:
    // `one_in`: control's word; 0: none are wanted. Without a ring, none are taken.
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
    std::uint32_t passing_ = 0;  // queries until the next that is taken
    std::uint32_t lost_ = 0;
    Sample sample_;
};

}  // namespace steer
