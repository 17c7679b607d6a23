// An SPSC ring that holds frames by value, between a worker and a thread that may wait.
//
// Frames are copied in and out, so no side touches the other's mempool. (A thread that is preempted
// in a mempool operation would delay the worker.) No side waits: a full ring refuses the frame. The
// constructor touches all memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace steer {

class FrameRing {
  public:
    // `slots`: the number of frames, a power of two. Each frame has up to `frame_bytes`.
    FrameRing(unsigned slots, unsigned frame_bytes)
        : slots_(slots),
          room_(frame_bytes),
          stride_((kHeader + frame_bytes + 63) / 64 * 64),
          bytes_(std::make_unique<std::uint8_t[]>(std::size_t{slots} * stride_)) {}
    FrameRing(const FrameRing&) = delete;
    FrameRing& operator=(const FrameRing&) = delete;

    [[nodiscard]] unsigned frame_bytes() const { return room_; }
    [[nodiscard]] unsigned slots() const { return slots_; }

    // ---- for the pusher

    // Returns space for frame_bytes(), valid until push(); nullptr if the ring is full.
    [[nodiscard]] std::uint8_t* begin_push() noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        if (head - seen_tail_ == slots_) {
            seen_tail_ = tail_.load(std::memory_order_acquire);
            if (head - seen_tail_ == slots_) return nullptr;
        }
        return slot(head) + kHeader;
    }
    // Publishes the frame of `length` bytes that was written to begin_push()'s space.
    void push(std::uint16_t length) noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        std::memcpy(slot(head), &length, sizeof length);
        head_.store(head + 1, std::memory_order_release);
    }

    // ---- for the popper

    // The oldest frame, valid until pop(); empty if there is none.
    [[nodiscard]] std::span<const std::uint8_t> front() noexcept {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (tail == seen_head_) {
            seen_head_ = head_.load(std::memory_order_acquire);
            if (tail == seen_head_) return {};
        }
        std::uint16_t length;
        std::memcpy(&length, slot(tail), sizeof length);
        return {slot(tail) + kHeader, length};
    }
    void pop() noexcept {
        tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

  private:
    static constexpr unsigned kHeader = 2;  // the frame's length; aligns the IP header to 16

    std::uint8_t* slot(std::uint32_t n) noexcept {
        return bytes_.get() + std::size_t{n & (slots_ - 1)} * stride_;
    }

    const unsigned slots_, room_;
    const std::size_t stride_;
    const std::unique_ptr<std::uint8_t[]> bytes_;
    // Each side has its own cache line: its index, and its last copy of the other's.
    alignas(64) std::atomic<std::uint32_t> head_{0};
    std::uint32_t seen_tail_ = 0;
    alignas(64) std::atomic<std::uint32_t> tail_{0};
    std::uint32_t seen_head_ = 0;
};

}  // namespace steer
