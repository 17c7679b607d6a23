// Recognizes names that match no pattern. For each literal that a pattern needs, a table has one
// piece of three or four bytes.
//
// A scan costs a hundred nanoseconds or more. Checking a name's pieces costs ten to twenty, and
// most names have none of the pieces. If a name has one, the complete literal is compared. The
// filter reads the name's wire form: a literal is within one label, so it is there unchanged. It
// may accept a name without a match, but never rejects a name with a match.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace steer::matchers {

class GramFilter {
  public:
    // Returns false if the text has no piece of three bytes within one label.
    [[nodiscard]] bool add(std::string_view text);
    // Call it after the last add().
    void build();

    // `wire_name`: valid lower-cased wire form with the root byte.
    [[nodiscard]] bool may_hold(std::span<const std::uint8_t> wire_name) const noexcept {
        return (thirds_ ? holds_gram<true>(wire_name) : holds_gram<false>(wire_name)) &&
               holds_text(wire_name);
    }

  private:
    // A needed literal, and the offset of its piece.
    struct Text {
        std::uint32_t gram;
        std::uint8_t gram_at, size;
        std::uint32_t start;  // offset in texts_
    };
    [[nodiscard]] bool holds_text(std::span<const std::uint8_t> wire_name) const noexcept;
    [[nodiscard]] bool holds_text(std::span<const std::uint8_t> wire_name, std::size_t at,
                                  std::uint32_t gram) const noexcept;
    [[nodiscard]] static std::uint32_t spread(std::uint32_t gram) { return gram * 0x9e3779b1U; }
    template <bool kThirds>
    [[nodiscard]] bool holds_gram(std::span<const std::uint8_t> wire_name) const noexcept {
        if (wire_name.size() < 4) return false;
        unsigned found = 0;
        const std::uint8_t* const table = table_.data();
        const auto bit = [table, this](std::uint32_t gram) {
            const std::uint32_t at = spread(gram) >> shift_;
            return static_cast<unsigned>(table[at >> 3]) >> (at & 7);
        };
        // Starts at the first length byte. The last piece of four ends with the root byte, the last
        // piece of three before it.
        for (std::size_t i = 0; i + 4 <= wire_name.size(); ++i) {
            std::uint32_t gram = 0;
            std::memcpy(&gram, wire_name.data() + i, sizeof gram);
            found |= bit(gram);
            if constexpr (kThirds) found |= bit(gram & kThird);
        }
        return (found & 1) != 0;
    }

    static constexpr std::uint32_t kThird = 0xffffff;
    static constexpr unsigned kDirectoryShift = 20;

    std::vector<Text> known_;              // sorted by the hashes of their pieces
    std::vector<std::uint32_t> first_of_;  // index in known_, by the first bits of the hash
    std::vector<std::uint8_t> texts_;
    std::vector<std::uint8_t> table_{0, 0};  // bits
    unsigned shift_ = 31;
    bool thirds_ = false;
};

}  // namespace steer::matchers
