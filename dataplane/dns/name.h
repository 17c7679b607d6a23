// Domain names: the checked walk over a wire name, and the text form (RFC 1035 3.1, 4.1.4, 5.1).
//
// A compression pointer is followed only to an offset below the start of the labels before it, so each
// jump goes strictly backwards and a walk takes at most 128 labels (RFC 9267 2: loops, pointers into the
// header, names above 255 bytes). Reads nothing outside the given span.
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

// The length of the uncompressed name at the start of `bytes`, with the root byte; 0: not one (a label
// above 63, a pointer, above 255 bytes, or cut off).
std::size_t plain_name_length(std::span<const std::uint8_t> bytes) noexcept;

// Whether both are the same name, ignoring the case of ASCII letters. Both are complete wire names.
bool same_name(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

// The presentation form: "www.example.com", "." for the root; bytes that are not printable or have a meaning
// are escaped (RFC 1035 5.1: \. and \DDD). Ends without a dot. Allocates: not for workers.
std::string name_to_text(std::span<const std::uint8_t> wire);
// The inverse; a final dot is allowed, escapes are read, case is kept. No value if a label is empty or above 63 bytes,
// the name above 255, or an escape is wrong. Allocates.
std::optional<std::vector<std::uint8_t>> name_from_text(std::string_view text);

// Offsets of a message at which a name may continue. A pointer, and every label after it, must land on one, so
// that a name never depends on bytes that change after the check (a TTL that is counted down).
class NameStarts {
  public:
    void allow(std::size_t offset) {
        if (offset < kPointerReach) bits_[offset / 64] |= std::uint64_t{1} << (offset % 64);
    }
    void allow(std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to && i < kPointerReach; ++i)
            allow(i);
    }
    [[nodiscard]] bool allowed(std::size_t offset) const {
        return offset < kPointerReach && (bits_[offset / 64] >> (offset % 64) & 1) != 0;
    }

  private:
    static constexpr std::size_t kPointerReach = 0x4000;
    std::array<std::uint64_t, kPointerReach / 64> bits_{};
};

// Reads the name at offset `at` of `message`; its own labels become allowed starts. `out` (may be nullptr)
// gets the uncompressed name. Returns the offset after the name's wire form; 0: malformed.
// `compressed` (may be nullptr) says whether it held a pointer.
std::size_t read_name(std::span<const std::uint8_t> message, std::size_t at, NameStarts& starts,
                      Name* out, bool* compressed = nullptr) noexcept;

}  // namespace steer::dns
