// An example of a refusal, for the log: a client and the registrable domain of a name.
//
// Each kind of refusal has one. The worker overwrites it at each refusal; control reads it from
// time to time. So control most likely sees the clients that are refused most often
// (control/observe/health/overload_watch.h). Cost: 19 relaxed stores per refusal.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "matchers/counter_table.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

//    name, text of the log line
#define STEER_OVERLOADS(X)                                               \
    X(client_quota, "client has more waiting queries than its quota")    \
    X(suffix_quota, "domain has more waiting queries than its quota")    \
    X(upstream_quota, "domain has more upstream queries than its quota") \
    X(displaced, "unanswered upstream queries made room for new ones")   \
    X(table_full, "no room for another upstream query")                  \
    X(parked_full, "no room for another waiting query")                  \
    X(no_buffer, "no buffer for an answer")                              \
    X(ring_full, "a worker or thread is too busy to take a message")     \
    X(timeout, "upstream queries of one domain time out")                \
    X(loop, "an upstream asks for what it was just asked")               \
    X(rebind, "answers with private addresses are replaced")

STEER_COUNTER_ENUM(Overload, kOverloads, STEER_OVERLOADS);

class Sighting {
  public:
    struct Seen {
        IpAddress client;
        std::array<std::uint8_t, 136> suffix;  // wire form, with the root byte
        std::size_t length = 0;                // of `suffix`
    };
    // Called by the worker. `name`: lower-cased wire form.
    void write(const IpAddress& client, std::span<const std::uint8_t> name) noexcept;
    // Any thread. Returns false if nothing was written yet, or a write is in progress.
    [[nodiscard]] bool read(Seen& out) const noexcept;
    // The number of writes, modulo 2^31.
    [[nodiscard]] std::uint32_t count() const noexcept {
        return sequence_.load(std::memory_order_relaxed) / 2;
    }

  private:
    static constexpr std::size_t kWords = 2 + 136 / 8;
    std::atomic<std::uint32_t> sequence_{0};  // odd during a write
    std::atomic<std::uint32_t> length_{0};
    std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace steer
