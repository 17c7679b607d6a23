// Collects full and domain rules and builds their image. Set-up only: allocates.
//
// A million rules take about a third of a second, and need about 60 bytes per rule during the
// build.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/domain/image.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {

class SuffixBuilder {
  public:
    // `hash_bits` below 64 is for tests with colliding hashes.
    explicit SuffixBuilder(unsigned hash_bits = 64);

    // `kind`: full or domain. `name`: lower-cased text without a last dot. Returns false if it is
    // not a name.
    [[nodiscard]] bool add(SetId set, RuleKind kind, std::string_view name);

    // No value: the names need more than 16 GiB.
    std::optional<SuffixImage> build();

    // A hash of the rules so far and of the image's format.
    [[nodiscard]] std::string content() const;
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        std::uint64_t name_offset;
        SetId set;
        std::uint8_t name_bytes;
        RuleKind kind;
        std::uint32_t unused = 0;
    };
    static_assert(sizeof(Entry) == 16);

    unsigned hash_bits_;
    std::vector<Entry> entries_;
    std::vector<std::uint8_t> names_;  // wire form without root bytes, one after the other
};

}  // namespace steer::matchers
