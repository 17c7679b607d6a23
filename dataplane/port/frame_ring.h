// An SPSC ring of whole frames by value, between a worker and a thread that may wait.
//
// Frames are copied in and out, so neither side touches the other's mempool. (A thread that is preempted in a
// mempool operation would delay the worker.) Neither side waits: a full ring refuses the
// frame. All memory is touched when the ring is made.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace steer {

class FrameRing {
  public:
    // `slots` is a power of two: the number of frames, each of up to `frame_bytes`.
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

    // Space for frame_bytes(), until push(); nullptr: full.
    [[nodiscard]] std::uint8_t* begin_push() noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        if (head - seen_tail_ == slots_) {
            seen_tail_ = tail_.load(std::memory_order_acquire);
            if (head - seen_tail_ == slots_) return nullptr;
        }
        return slot(head) + kHeader;
    }
    // Completes the frame in begin_push()'s space, of `length` bytes.
    void push(std::uint16_t length) noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        std::memcpy(slot(head), &length, sizeof length);
        head_.store(head + 1, std::memory_order_release);
    }

    // ---- for the popper

    // The oldest frame, until pop(); empty: none.
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
    static constexpr unsigned kHeader = 2;  // the frame's length; IP is then at a multiple of 16

    std::uint8_t* slot(std::uint32_t n) noexcept {
        return bytes_.get() + std::size_t{n & (slots_ - 1)} * stride_;
    }

    const unsigned slots_, room_;
    const std::size_t stride_;
    const std::unique_ptr<std::uint8_t[]> bytes_;
    // Each side has a cache line of its own: its index, and its last copy of the other's.
    alignas(64) std::atomic<std::uint32_t> head_{0};
    std::uint32_t seen_tail_ = 0;
    alignas(64) std::atomic<std::uint32_t> tail_{0};
    std::uint32_t seen_head_ = 0;
};

}  // namespace steer
