// The changes of a query's question by the wrapping executors around it, outermost first: numbers of the
// snapshot's tables, so that a parked record keeps them in a few bytes. question.h applies them.
//
// Each entered wrapper of that kind has one word here until it is left. Words below those belong to wrappers around a
// refresh or a branch, which must not leave them.
#pragma once

#include <array>
#include <cstdint>

namespace steer {

class Rewrites {
  public:
    static constexpr unsigned kMax = 4;  // at one time; the builder refuses deeper programs
    // A word is an index of Snapshot::redirect_targets, or of LiveTargets from kFirstLive on, of Snapshot::ecs_handlers
    // from kFirstEcs on, of
    // Snapshot::option_codes from kFirstOptions on, or
    static constexpr std::uint16_t kNothing = 0xffff;
    // the IPv4 name in place of the IPv6 name, for an address with a prefix of any Snapshot::dns64s.
    static constexpr std::uint16_t kPointer64 = 0xfffe;
    static constexpr std::uint16_t kFirstLive = 0xef00;
    static constexpr std::uint16_t kFirstEcs = 0xff00, kFirstOptions = 0xff80;
    static constexpr unsigned kMaxOptions = 8;

    // Snapshot::redirect_target() has the name that is asked for.
    static constexpr bool is_redirect(std::uint16_t word) { return word < kFirstEcs; }
    static constexpr bool is_ecs(std::uint16_t word) {
        return word >= kFirstEcs && word < kFirstOptions;
    }
    static constexpr bool is_options(std::uint16_t word) {
        return word >= kFirstOptions && word < kFirstOptions + kMaxOptions;
    }
    // Bit i: options of Snapshot::option_codes[i] are passed on.
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
