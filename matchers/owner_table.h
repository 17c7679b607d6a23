// Names with two values each: one for the name itself, one for all names below it.
//
// The closest name decides: its own value for the whole name, else the value below of the longest
// name above it. A table of changes lies over a large one. It has the new values of its names, or
// kSame for a value of the large table. So a change costs its own size, whatever the size of the
// large table.
//
// Written by one thread, then immutable; any number of threads may search at the same time. find()
// hashes each level of the name once, for both tables, with a secret key. It allocates nothing. A
// name takes about 20 bytes beside its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "matchers/domain/label_hash.h"

namespace steer::matchers {

class OwnerTable {
  public:
    static constexpr std::uint32_t kNone = UINT32_MAX;
    // In a table of changes: the value of the table under it.
    static constexpr std::uint32_t kSame = UINT32_MAX - 1;

    // Names are lower-cased wire form with the root byte.
    using WireName = std::span<const std::uint8_t>;

    struct Values {
        std::uint32_t exact, below;
    };
    struct Found {
        std::uint32_t exact = kNone;    // of the whole name
        std::uint32_t below = kNone;    // of the longest name above it
        std::uint8_t below_length = 0;  // of that name in wire form

        // The exact value decides.
        [[nodiscard]] std::uint32_t value() const { return exact != kNone ? exact : below; }
        [[nodiscard]] bool is_exact() const { return exact != kNone; }
    };

    // With a key of its own.
    OwnerTable();
    // For changes of `under`, with its key: all values of new names are kSame.
    [[nodiscard]] static OwnerTable changes_of(const OwnerTable& under);

    void set_exact(WireName name, std::uint32_t value) { node_for(name).values.exact = value; }
    void set_below(WireName name, std::uint32_t value) { node_for(name).values.below = value; }

    // `changes` may be nullptr; it has this table's key.
    [[nodiscard]] Found find(WireName name, const OwnerTable* changes) const noexcept;
    // The values of exactly this name; nullptr: it is not in this table.
    [[nodiscard]] const Values* values_of(WireName name) const noexcept;

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] std::size_t bytes() const;

  private:
    struct Node {
        std::uint32_t name_at;  // in names_
        Values values;
    };
    struct Slot {
        std::uint32_t check = 0;  // the hash's other half
        std::uint32_t node = kNone;
    };

    OwnerTable(const LabelHash& hash, std::uint32_t fresh);
    Node& node_for(WireName name);
    [[nodiscard]] const Node* node_of(std::uint64_t hash, WireName name) const noexcept;
    [[nodiscard]] std::uint64_t hash_of(WireName name) const noexcept;
    [[nodiscard]] WireName name_of(const Node& node) const;
    void put(std::uint64_t hash, std::uint32_t node);
    void grow();

    LabelHash hash_;
    std::uint32_t fresh_;  // the values of a new name
    std::vector<Slot> slots_;
    std::vector<Node> nodes_;
    std::vector<std::uint8_t> names_;  // wire form with the root byte
};

}  // namespace steer::matchers
