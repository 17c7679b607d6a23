// The changes of a query's question by the wrapping executors around it, outermost first. They are
// numbers in the snapshot's tables, so a parked record stores them in a few bytes. question.h
// applies them.
//
// Each entered wrapper of that kind has one word here until it is left. The words below belong to
// wrappers around a refresh or a branch. These must not leave those wrappers.
#pragma once

#include <array>
#include <cstdint>

namespace steer {

class Rewrites {
  public:
    static constexpr unsigned kMax = 4;  // maximum at a time; the builder refuses deeper programs
    // A word is an index of Snapshot::redirect_targets. From kFirstLive on it is an index of
    // LiveTargets, from kFirstEcs on of Snapshot::ecs_handlers, and from kFirstOptions on of
    // Snapshot::option_codes. kNothing: no change.
    static constexpr std::uint16_t kNothing = 0xffff;
    // Replaces an IPv6 name by its IPv4 name, for an address with a prefix of any Snapshot::dns64s.
    static constexpr std::uint16_t kPointer64 = 0xfffe;
    static constexpr std::uint16_t kFirstLive = 0xef00;
    static constexpr std::uint16_t kFirstEcs = 0xff00, kFirstOptions = 0xff80;
    static constexpr unsigned kMaxOptions = 8;

    // Whether the word is a redirect. Snapshot::redirect_target() has its target.
    static constexpr bool is_redirect(std::uint16_t word) { return word < kFirstEcs; }
    static constexpr bool is_ecs(std::uint16_t word) {
        return word >= kFirstEcs && word < kFirstOptions;
    }
    static constexpr bool is_options(std::uint16_t word) {
        return word >= kFirstOptions && word < kFirstOptions + kMaxOptions;
    }
    // Bit i: pass on options of Snapshot::option_codes[i].
    [[nodiscard]] std::uint8_t options() const {
        unsigned bits = 0;
        for (unsigned i = 0; i < count_; ++i) {
            if (is_options(words_[i])) bits |= 1U << (words_[i] - kFirstOptions);
        }
        return static_cast<std::uint8_t>(bits);
    }

    [[nodiscard]] unsigned count() const { return count_; }
    [[nodiscard]] std::uint16_t operator[](unsigned i) const { return words_[i]; }
    void push(std::uint16_t word) { words_[count_++] = word; }
    std::uint16_t pop() { return words_[--count_]; }
    // Disables the rewrites from number `level` on.
    void cancel(unsigned level) {
        for (unsigned i = level; i < count_; ++i)
            words_[i] = kNothing;
    }

  private:
    std::array<std::uint16_t, kMax> words_{};
    std::uint8_t count_ = 0;
};
inline constexpr std::size_t kMaxRedirectTargets = Rewrites::kFirstLive;
inline constexpr std::size_t kMaxEcsHandlers = Rewrites::kFirstOptions - Rewrites::kFirstEcs;

}  // namespace steer
