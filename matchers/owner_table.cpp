#include "matchers/owner_table.h"

#include <array>
#include <cstring>

#include "matchers/domain/levels.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {
namespace {

constexpr std::size_t kFirstSlots = 16;
constexpr unsigned kCheckShift = 32;

// Offsets of the labels; the last is the top-level domain's.
struct LabelStarts {
    explicit LabelStarts(std::span<const std::uint8_t> name) noexcept {
        for (std::size_t at = 0; name[at] != 0 && count < kMaxLevels; at += name[at] + 1U)
            starts[count++] = static_cast<std::uint8_t>(at);
    }
    std::array<std::uint8_t, kMaxLevels> starts;
    std::size_t count = 0;
};

std::size_t length_of(const std::uint8_t* name) {
    std::size_t at = 0;
    while (name[at] != 0)
        at += name[at] + 1U;
    return at + 1;
}

}  // namespace

OwnerTable::OwnerTable() : OwnerTable(new_label_hash(), kNone) {}

OwnerTable::OwnerTable(const LabelHash& hash, std::uint32_t fresh)
    : hash_(hash), fresh_(fresh), slots_(kFirstSlots) {}

OwnerTable OwnerTable::changes_of(const OwnerTable& under) {
    return {under.hash_, kSame};
}

std::uint64_t OwnerTable::hash_of(WireName name) const noexcept {
    const LabelStarts labels(name);
    std::uint64_t hash = hash_.seed;
    for (std::size_t l = labels.count; l-- > 0;)
        hash = hash_.down(hash, &name[labels.starts[l] + 1U], name[labels.starts[l]]);
    return hash;
}

OwnerTable::WireName OwnerTable::name_of(const Node& node) const {
    const std::uint8_t* const name = &names_[node.name_at];
    return {name, length_of(name)};
}

void OwnerTable::put(std::uint64_t hash, std::uint32_t node) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].node != kNone)
        at = (at + 1) & mask;
    slots_[at] = {static_cast<std::uint32_t>(hash >> kCheckShift), node};
}

void OwnerTable::grow() {
    slots_.assign(slots_.size() * 2, {});
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
        put(hash_of(name_of(nodes_[i])), i);
}

OwnerTable::Node& OwnerTable::node_for(WireName name) {
    const std::uint64_t hash = hash_of(name);
    if (const Node* const known = node_of(hash, name))
        return nodes_[static_cast<std::size_t>(known - nodes_.data())];
    if (slots_.size() * 3 < (nodes_.size() + 1) * 4) grow();
    put(hash, static_cast<std::uint32_t>(nodes_.size()));
    nodes_.push_back({static_cast<std::uint32_t>(names_.size()), {fresh_, fresh_}});
    names_.insert(names_.end(), name.begin(), name.end());
    return nodes_.back();
}

const OwnerTable::Node* OwnerTable::node_of(std::uint64_t hash, WireName name) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    const auto check = static_cast<std::uint32_t>(hash >> kCheckShift);
    for (std::size_t at = hash & mask; slots_[at].node != kNone; at = (at + 1) & mask) {
        if (slots_[at].check != check) continue;
        const Node& node = nodes_[slots_[at].node];
        if (names_.size() - node.name_at >= name.size() &&
            std::memcmp(&names_[node.name_at], name.data(), name.size()) == 0)
            return &node;
    }
    return nullptr;
}

const OwnerTable::Values* OwnerTable::values_of(WireName name) const noexcept {
    const Node* const node = node_of(hash_of(name), name);
    return node == nullptr ? nullptr : &node->values;
}

OwnerTable::Found OwnerTable::find(WireName name, const OwnerTable* changes) const noexcept {
    Found found;
    const LabelStarts labels(name);
    std::uint64_t hash = hash_.seed;
    for (std::size_t l = labels.count; l-- > 0;) {
        const std::size_t at = labels.starts[l];
        const WireName level = name.subspan(at);
        hash = hash_.down(hash, &name[at + 1], name[at]);
        Values values{kNone, kNone};
        if (const Node* const node = node_of(hash, level)) values = node->values;
        if (changes != nullptr) [[unlikely]] {
            if (const Node* const node = changes->node_of(hash, level)) {
                if (node->values.exact != kSame) values.exact = node->values.exact;
                if (node->values.below != kSame) values.below = node->values.below;
            }
        }
        if (l == 0) {
            found.exact = values.exact;
        } else if (values.below != kNone) {
            found.below = values.below;
            found.below_length = static_cast<std::uint8_t>(level.size());
        }
    }
    return found;
}

std::size_t OwnerTable::bytes() const {
    return slots_.size() * sizeof(Slot) + nodes_.size() * sizeof(Node) + names_.size();
}

}  // namespace steer::matchers
