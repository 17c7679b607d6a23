// Every full and domain rule, immutable: what SuffixBuilder makes and find_tags() reads.
//
// A node is a name that has a rule of its own. It carries the union of its ancestors' domain rules,
// so that the deepest node on a name's way to the root says everything. 16 bytes a node, its name,
// and about 18 bytes of hash map.
#pragma once

#include <bitset>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "matchers/domain/label_hash.h"
#include "matchers/tag_table.h"

namespace steer::matchers {

inline constexpr std::size_t kMaxLevels = 127;  // labels in 255 bytes

struct SuffixNode {
    std::uint32_t name_offset;  // in SuffixImage::names: wire form without the root byte
    std::uint32_t name_bytes;
    TagIndex below;  // for every name below this one
    TagIndex exact;  // for this name
};

struct SuffixImage {
    // The key is a hash already; hashing it again would only cost.
    struct Identity {
        using is_avalanching = void;
        std::size_t operator()(std::uint64_t key) const noexcept { return key; }
    };

    LabelHash hash;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t, Identity>
        node_of;  // hash -> index of nodes
    std::vector<SuffixNode> nodes;
    std::vector<std::uint8_t> names;
    std::vector<TagBits> tags{TagBits{}};
    std::bitset<kMaxLevels + 1> has_level;  // is there a node with so many labels
    std::size_t deepest = 0;                // the most labels of a node
};

}  // namespace steer::matchers
