#include "matchers/domain/match.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace steer::matchers {
namespace {

// A hash found a node; is it this very name?
bool same_name(const SuffixImage& image, const SuffixNode& node,
               std::span<const std::uint8_t> name) {
    return node.name_bytes == name.size() &&
           std::memcmp(image.names.data() + node.name_offset, name.data(), name.size()) == 0;
}

}  // namespace

const TagBits& find_tags(const SuffixImage& image,
                         std::span<const std::uint8_t> wire_name) noexcept {
    std::array<std::uint8_t, kMaxLevels> label_at;
    std::size_t labels = 0;
    for (std::size_t at = 0; wire_name[at] != 0; at += std::size_t{wire_name[at]} + 1) {
        label_at[labels++] = static_cast<std::uint8_t>(at);
    }
    const std::size_t levels = std::min(labels, image.deepest);

    std::array<std::uint64_t, kMaxLevels + 1> hash_of;  // by level: 1 is the top-level domain
    hash_of[0] = image.hash.seed;
    for (std::size_t level = 1; level <= levels; ++level) {
        const std::uint8_t* const label = &wire_name[label_at[labels - level]];
        hash_of[level] = image.hash.down(hash_of[level - 1], label + 1, *label);
    }
    for (std::size_t level = levels; level > 0; --level) {
        if (!image.has_level[level]) continue;
        const auto found = image.node_of.find(hash_of[level]);
        if (found == image.node_of.end()) continue;
        const SuffixNode& node = image.nodes[found->second];
        const std::size_t start = label_at[labels - level];
        if (!same_name(image, node, wire_name.subspan(start, wire_name.size() - 1 - start)))
            continue;
        return image.tags[level == labels ? node.exact : node.below];
    }
    return image.tags[0];
}

}  // namespace steer::matchers
