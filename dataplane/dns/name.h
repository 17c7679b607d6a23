// Domain names: the checked walk over a wire name, and the text form (RFC 1035 3.1, 4.1.4, 5.1).
//
// A compression pointer must lead to an offset below the start of the labels before it. So each
// jump goes strictly backwards, and a walk has at most 128 labels. This prevents the faults of RFC
// 9267 2: loops, pointers into the header, names above 255 bytes. Reads nothing outside the given
// span.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/dns/wire.h"

namespace steer::dns {

// A name in wire form, uncompressed, with the root byte.
struct Name {
    std::array<std::uint8_t, kMaxName + 1> wire;
    std::uint8_t length = 0;

    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {wire.data(), length}; }
};

// The length, with the root byte, of the uncompressed name at the start of `bytes`. Returns 0 if
// there is none: a label above 63 bytes, a pointer, a name above 255 bytes, or an incomplete one.
std::size_t plain_name_length(std::span<const std::uint8_t> bytes) noexcept;
// Whether the bytes are one such name, and nothing else. No bytes are no name.
bool is_plain_name(std::span<const std::uint8_t> bytes) noexcept;

// Whether both complete wire names are equal, ignoring the case of ASCII letters.
bool same_name(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

// The presentation form, without a dot at its end: "www.example.com", "." for the root. Escapes
// bytes that are not printable or have a meaning (RFC 1035 5.1: \. and \DDD). Allocates: not for
// workers.
std::string name_to_text(std::span<const std::uint8_t> wire);
// The inverse. Allows a dot at the end, reads escapes, and keeps case. Returns no value if a label
// is empty or above 63 bytes, the name is above 255 bytes, or an escape is wrong. Allocates.
std::optional<std::vector<std::uint8_t>> name_from_text(std::string_view text);

// Offsets of a message at which a name may continue. A pointer, and every label after it, must lead
// to one of them. So a name never depends on bytes that change after the check (a TTL that is
// lowered).
class NameStarts {
  public:
    NameStarts() : NameStarts(kPointerReach) {}
    // For a message of that size: clears only its part of the bitmap.
    explicit NameStarts(std::size_t message_size)
        : reach_(message_size < kPointerReach ? message_size : kPointerReach) {
        for (std::size_t i = 0; i < words(); ++i)
            bits_[i] = 0;
    }
    NameStarts(const NameStarts& other) : reach_(other.reach_) { copy(other); }
    NameStarts& operator=(const NameStarts& other) {
        reach_ = other.reach_;
        copy(other);
        return *this;
    }

    void allow(std::size_t offset) {
        if (offset < reach_) bits_[offset / 64] |= std::uint64_t{1} << (offset % 64);
    }
    void allow(std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to && i < reach_; ++i)
            allow(i);
    }
    [[nodiscard]] bool allowed(std::size_t offset) const {
        return offset < reach_ && (bits_[offset / 64] >> (offset % 64) & 1) != 0;
    }

  private:
    static constexpr std::size_t kPointerReach = 0x4000;
    [[nodiscard]] std::size_t words() const { return (reach_ + 63) / 64; }
    void copy(const NameStarts& other) {
        for (std::size_t i = 0; i < words(); ++i)
            bits_[i] = other.bits_[i];
    }

    std::size_t reach_;
    std::array<std::uint64_t, kPointerReach / 64> bits_;  // of these, words() are defined
};

// Reads the name at offset `at` of `message`; its own labels become allowed starts. `out` (may be
// nullptr) gets the uncompressed name. Returns the offset after the name's wire form; 0 if it is
// malformed. Sets `compressed` (may be nullptr) if the name had a pointer.
std::size_t read_name(std::span<const std::uint8_t> message, std::size_t at, NameStarts& starts,
                      Name* out, bool* compressed = nullptr) noexcept;

}  // namespace steer::dns
