// Copies of the frames that a worker receives and sends, for `steerctl capture`.
//
// While Shared::capture has a filter of control, the worker copies each frame that the filter
// selects into its own ring. A full ring loses the frame; Stat::capture_lost counts it. Without a
// filter, the cost is one load per turn and one branch per burst received or sent.
//
// Queries and answers of kernel sockets are not frames and are not captured here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "dataplane/base/cell_ring.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

// Selects frames that meet all conditions. Constant after publication.
struct CaptureFilter {
    std::string port;                      // name of a Port; empty: all
    matchers::PrefixSet hosts;             // contains one of the two addresses; empty: all
    std::uint16_t transport_port = 0;      // of UDP or TCP, one of the two; 0: all
    std::array<std::uint8_t, 256> name{};  // lower-cased wire form; includes names below it
    std::uint8_t name_len = 0;             // 0: all
    std::uint32_t most_bytes = 0;          // maximum bytes copied of a frame

    // Whether a frame, from its MAC addresses on, meets all conditions except the port's name.
    // Reads at most two VLAN tags. A frame with incomplete headers has no name and no transport
    // port, nor has a fragment except the first.
    [[nodiscard]] bool selects(std::span<const std::uint8_t> frame) const noexcept;
    // The same for a message without a frame.
    [[nodiscard]] bool selects(const IpAddress& a, const IpAddress& b, std::uint16_t a_port,
                               std::uint16_t b_port,
                               std::span<const std::uint8_t> dns) const noexcept;

  private:
    [[nodiscard]] bool has_name(std::span<const std::uint8_t> dns) const noexcept;
};

// The record in the ring. `kept` bytes of the frame follow.
struct CapturedFrame {
    std::uint16_t cells;   // of CellRing
    std::uint16_t kept;    // bytes
    std::uint32_t length;  // of the whole frame
    std::uint64_t at_ns;   // CLOCK_BOOTTIME
    std::uint8_t worker;
    std::uint8_t port;  // index in the worker's ports
    std::uint8_t is_sent;
    std::array<std::uint8_t, 13> unused;

    static constexpr std::uint32_t kMostBytes = 65'535;
    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return {reinterpret_cast<const std::uint8_t*>(this + 1), kept};
    }
};
static_assert(sizeof(CapturedFrame) == 32);

class Capture {
  public:
    // Without a ring, capture is always off.
    Capture(unsigned worker, CellRing* ring, const std::atomic<const CaptureFilter*>& filter,
            Counters& counters)
        : ring_(ring),
          place_(filter),
          counters_(counters),
          worker_(static_cast<std::uint8_t>(worker)) {}

    void begin_turn(Now now) noexcept {
        filter_ = ring_ == nullptr ? nullptr : place_.load(std::memory_order_acquire);
        now_ = now;
    }
    [[nodiscard]] bool is_on() const noexcept { return filter_ != nullptr; }
    // Only while is_on().
    void inspect(std::span<rte_mbuf* const> frames, const Port& port, unsigned index,
                 bool is_sent) noexcept;
    void end_turn() noexcept {
        if (filter_ != nullptr) ring_->publish();
    }

  private:
    void copy(const rte_mbuf& frame, unsigned index, bool is_sent) noexcept;

    const CaptureFilter* filter_ = nullptr;  // of this turn
    CellRing* ring_;
    const std::atomic<const CaptureFilter*>& place_;
    Counters& counters_;
    Now now_{};
    std::uint8_t worker_;
};

}  // namespace steer
