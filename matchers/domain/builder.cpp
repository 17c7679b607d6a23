#include "matchers/domain/builder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <span>

namespace steer::matchers {
namespace {

constexpr std::size_t kMaxNameBytes = 254;  // without the root byte
constexpr std::size_t kMaxLabel = 63;

using WireName = std::span<const std::uint8_t>;

std::uint64_t random_word(std::random_device& device) {
    return std::uint64_t{device()} << 32 | device();
}

// The hashes of every level of a name; [0] is the root's, [size - 1] the name's own.
struct Levels {
    Levels(const LabelHash& hash, WireName name) {
        std::array<std::size_t, kMaxLevels> label_at;
        std::size_t labels = 0;
        for (std::size_t at = 0; at < name.size(); at += std::size_t{name[at]} + 1) {
            label_at[labels++] = at;
        }
        hash_of[0] = hash.seed;
        for (; depth < labels; ++depth) {
            const std::uint8_t* const label = &name[label_at[labels - 1 - depth]];
            hash_of[depth + 1] = hash.down(hash_of[depth], label + 1, *label);
        }
        starts = label_at;
    }
    // The name's upper part of `level` labels.
    [[nodiscard]] WireName upper(WireName name, std::size_t level) const {
        return name.subspan(starts[depth - level]);
    }

    std::array<std::uint64_t, kMaxLevels + 1> hash_of{};
    std::array<std::size_t, kMaxLevels> starts{};
    std::size_t depth = 0;
};

// An image in the making: nodes carry what their own rules say until inherit() adds the ancestors'.
class Draft {
  public:
    Draft(unsigned hash_bits, std::random_device& device) {
        image_.hash.seed = random_word(device);
        image_.hash.secret = random_word(device) | 1;
        if (hash_bits < 64) image_.hash.mask = (std::uint64_t{1} << hash_bits) - 1;
    }

    enum class Added { yes, collision, no_room };

    Added add(WireName name, RuleKind kind, SetId set) {
        const Levels levels(image_.hash, name);
        const auto [found, is_new] = image_.node_of.try_emplace(
            levels.hash_of[levels.depth], static_cast<std::uint32_t>(image_.nodes.size()));
        if (is_new) {
            if (image_.names.size() > std::numeric_limits<std::uint32_t>::max() - name.size()) {
                return Added::no_room;
            }
            image_.nodes.push_back({static_cast<std::uint32_t>(image_.names.size()),
                                    static_cast<std::uint32_t>(name.size()), 0, 0});
            image_.names.insert(image_.names.end(), name.begin(), name.end());
            depth_of_.push_back(static_cast<std::uint8_t>(levels.depth));
        } else if (!is(image_.nodes[found->second], name)) {
            return Added::collision;
        }
        SuffixNode& node = image_.nodes[found->second];
        TagIndex& own = kind == RuleKind::domain ? node.below : node.exact;
        own = tags_.with(own, set);
        return Added::yes;
    }

    SuffixImage finish() && {
        inherit();
        for (const std::uint8_t depth : depth_of_) {
            image_.has_level.set(depth);
            image_.deepest = std::max<std::size_t>(image_.deepest, depth);
        }
        image_.nodes.shrink_to_fit();
        image_.names.shrink_to_fit();
        image_.tags = std::move(tags_).take();
        return std::move(image_);
    }

  private:
    [[nodiscard]] WireName name_of(const SuffixNode& node) const {
        return {image_.names.data() + node.name_offset, node.name_bytes};
    }
    [[nodiscard]] bool is(const SuffixNode& node, WireName name) const {
        return std::ranges::equal(name_of(node), name);
    }

    // Parents before children, each node takes over what its nearest ancestor gives to those below.
    void inherit() {
        std::vector<std::uint32_t> order(image_.nodes.size());
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::sort(order, {}, [this](std::uint32_t i) { return depth_of_[i]; });
        for (const std::uint32_t i : order) {
            SuffixNode& node = image_.nodes[i];
            node.below = tags_.united(node.below, inherited(node));
            node.exact = tags_.united(node.exact, node.below);
        }
    }
    [[nodiscard]] TagIndex inherited(const SuffixNode& node) const {
        const WireName name = name_of(node);
        const Levels levels(image_.hash, name);
        for (std::size_t level = levels.depth - 1; level > 0; --level) {
            const auto found = image_.node_of.find(levels.hash_of[level]);
            if (found == image_.node_of.end()) continue;
            const SuffixNode& above = image_.nodes[found->second];
            if (is(above, levels.upper(name, level))) return above.below;
        }
        return 0;
    }

    SuffixImage image_;
    TagTable tags_;
    std::vector<std::uint8_t> depth_of_;  // labels of each node
};

}  // namespace

SuffixBuilder::SuffixBuilder(unsigned hash_bits) : hash_bits_(hash_bits) {}

bool SuffixBuilder::add(SetId set, RuleKind kind, std::string_view name) {
    if (name.empty() || name.size() + 1 > kMaxNameBytes) return false;
    const std::size_t start = names_.size();
    for (std::size_t at = 0; at <= name.size();) {
        const std::size_t end = std::min(name.find('.', at), name.size());
        if (end == at || end - at > kMaxLabel) {
            names_.resize(start);
            return false;
        }
        names_.push_back(static_cast<std::uint8_t>(end - at));
        names_.insert(names_.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                      name.begin() + static_cast<std::ptrdiff_t>(end));
        at = end + 1;
    }
    entries_.push_back({start, static_cast<std::uint8_t>(names_.size() - start), kind, set});
    return true;
}

std::optional<SuffixImage> SuffixBuilder::build() {
    std::random_device device;
    // Two names with one 64-bit hash: once in ten million builds of a million rules. Another key
    // parts them.
    for (;;) {
        Draft draft(hash_bits_, device);
        auto added = Draft::Added::yes;
        for (const Entry& entry : entries_) {
            added = draft.add(WireName(names_).subspan(entry.name_offset, entry.name_bytes),
                              entry.kind, entry.set);
            if (added != Draft::Added::yes) break;
        }
        if (added == Draft::Added::no_room) return std::nullopt;
        if (added == Draft::Added::yes) return std::move(draft).finish();
    }
}

}  // namespace steer::matchers
