#include "matchers/domain/builder.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>

#include "matchers/content_hash.h"
#include "matchers/domain/levels.h"
#include "matchers/domain/match.h"
#include "matchers/name_text.h"

namespace steer::matchers {
namespace {

constexpr std::size_t kMaxNameBytes = 254;  // without the root byte

// Average use of a bucket's eight slots, in tenths: low enough that most buckets are not full.
constexpr std::size_t kLoadTenths = 48;

// Size of the filter: one byte per node.
constexpr std::size_t kWordsPerLine = 8, kNodesPerLine = 64;

using WireName = std::span<const std::uint8_t>;

struct Node {
    std::uint64_t hash;
    std::uint64_t name_offset;
    TagIndex below = 0, exact = 0;  // its own; later with inherited sets
    std::uint8_t name_bytes;
    std::uint8_t depth;
    bool needed = true;
};

// An image being built. `names`: the builder's, which outlives it.
class Draft {
  public:
    Draft(unsigned hash_bits, WireName names) : names_(names), hash_(new_label_hash()) {
        if (hash_bits < 64) hash_.mask = ~((std::uint64_t{1} << (64 - hash_bits)) - 1);
    }

    // Rules sorted by the hash of their names, so that rules for one name are adjacent.
    template <class Entries>
    void add_all(const Entries& entries) {
        struct Key {
            std::uint64_t hash;
            std::uint32_t entry;
            std::uint8_t depth;
        };
        std::vector<Key> keys;
        keys.reserve(entries.size());
        for (const auto& entry : entries) {
            const NameLevels levels(hash_, names_.subspan(entry.name_offset, entry.name_bytes));
            keys.push_back({levels.hash_of[levels.depth], static_cast<std::uint32_t>(keys.size()),
                            static_cast<std::uint8_t>(levels.depth)});
        }
        std::ranges::sort(keys, {}, &Key::hash);
        nodes_.reserve(keys.size());
        for (const Key& key : keys) {
            const auto& entry = entries[key.entry];
            Node& node =
                node_of({key.hash, entry.name_offset, 0, 0, entry.name_bytes, key.depth, true});
            TagIndex& own = entry.kind == RuleKind::domain ? node.below : node.exact;
            own = tags_.with(own, entry.set);
        }
    }

    std::optional<SuffixImage> finish() && {
        inherit();
        std::erase_if(nodes_, [](const Node& node) { return !node.needed; });
        return image();
    }

  private:
    [[nodiscard]] WireName name_of(const Node& node) const {
        return names_.subspan(node.name_offset, node.name_bytes);
    }

    // The node of that name. Nodes with the same hash are the last ones; without a match a new node is added.
    Node& node_of(const Node& like) {
        for (auto at = nodes_.rbegin(); at != nodes_.rend() && at->hash == like.hash; ++at) {
            if (std::ranges::equal(name_of(*at), name_of(like))) return *at;
        }
        return nodes_.emplace_back(like);
    }

    // Parents before children: each node inherits the sets that its nearest ancestor gives to names below.
    void inherit() {
        std::vector<std::uint32_t> order(nodes_.size());
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::stable_sort(order, {}, [this](std::uint32_t i) { return nodes_[i].depth; });
        first_of_.assign(kDirectory + 1, 0);
        for (const Node& node : nodes_)
            ++first_of_[(node.hash >> kDirectoryShift) + 1];
        std::partial_sum(first_of_.begin(), first_of_.end(), first_of_.begin());
        std::bitset<kMaxLevels + 1> has_level;
        for (const std::uint32_t i : order) {
            Node& node = nodes_[i];
            const TagIndex from_above = inherited(node, has_level);
            node.below = tags_.united(node.below, from_above);
            node.exact = tags_.united(node.exact, node.below);
            node.needed = node.below != from_above || node.exact != from_above;
            has_level.set(node.depth);
        }
    }
    [[nodiscard]] TagIndex inherited(const Node& node,
                                     const std::bitset<kMaxLevels + 1>& has_level) const {
        const WireName name = name_of(node);
        const NameLevels levels(hash_, name);
        for (std::size_t level = levels.depth - 1; level > 0; --level) {
            if (!has_level[level]) continue;
            const Node* const above = find(levels.hash_of[level], levels.upper(name, level));
            if (above != nullptr) return above->below;
        }
        return 0;
    }
    // Nodes are sorted by hash; a directory has the first node for each prefix of the hash.
    [[nodiscard]] const Node* find(std::uint64_t hash, WireName name) const {
        const std::size_t slot = hash >> kDirectoryShift;
        for (std::size_t i = first_of_[slot]; i < first_of_[slot + 1]; ++i) {
            if (nodes_[i].hash == hash && std::ranges::equal(name_of(nodes_[i]), name))
                return &nodes_[i];
        }
        return nullptr;
    }

    [[nodiscard]] std::optional<SuffixImage> image() {
        SuffixImage image;
        image.hash = hash_;
        image.node_count = static_cast<std::uint32_t>(nodes_.size());
        image.node_bytes = kNodeUnit;  // place 0 means none
        for (const Node& node : nodes_) {
            image.node_bytes += bytes_of(node);
            image.name_bytes += node.name_bytes;
            image.has_level.set(node.depth);
            image.deepest = std::max<std::uint32_t>(image.deepest, node.depth);
        }
        if (image.node_bytes / kNodeUnit > std::numeric_limits<std::uint32_t>::max())
            return std::nullopt;
        if (nodes_.empty()) return image;
        const std::vector<std::uint32_t> verdicts = number_verdicts();
        image.verdict_count = static_cast<std::uint32_t>(verdicts_.size());
        image.bucket_count = static_cast<std::uint32_t>(nodes_.size() * 10 / kLoadTenths + 1);
        image.filter_words =
            static_cast<std::uint32_t>((nodes_.size() / kNodesPerLine + 1) * kWordsPerLine);
        image.arena = Arena(image.arena_bytes());
        std::ranges::copy(verdicts_, image.verdicts_to_fill());
        auto place = std::uint32_t{1};
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            const Node& node = nodes_[i];
            std::uint8_t* const at = image.node_to_fill(place);
            std::memcpy(at, &verdicts[i], sizeof verdicts[i]);
            at[kNodeHead - 1] = node.name_bytes;
            std::ranges::copy(name_of(node), at + kNodeHead);
            put(image, node.hash, place);
            place += static_cast<std::uint32_t>(bytes_of(node) / kNodeUnit);
        }
        std::memcpy(image.arena.data(), static_cast<const SuffixHead*>(&image), sizeof(SuffixHead));
        return image;
    }
    static std::size_t bytes_of(const Node& node) {
        return (kNodeHead + node.name_bytes + kNodeUnit - 1) / kNodeUnit * kNodeUnit;
    }
    static void put(SuffixImage& image, std::uint64_t hash, std::uint32_t place) {
        std::uint32_t at = image.bucket_of(hash);
        while (image.buckets()[at].is_full())
            at = image.behind(at);
        SuffixBucket& bucket = image.buckets_to_fill()[at];
        const auto free = std::ranges::find(bucket.node, 0U) - bucket.node.begin();
        bucket.check[static_cast<std::size_t>(free)] = SuffixImage::check_of(hash);
        bucket.node[static_cast<std::size_t>(free)] = place;
        image.filter_to_fill()[image.filter_at(hash)] |= SuffixImage::filter_bits(hash);
    }

    // Stores each pair of exact and below once, and assigns its number to the nodes.
    std::vector<std::uint32_t> number_verdicts() {
        const std::vector<TagBits> tags = std::move(tags_).take();
        boost::unordered_flat_map<std::uint64_t, std::uint32_t> known;
        std::vector<std::uint32_t> out;
        out.reserve(nodes_.size());
        for (const Node& node : nodes_) {
            const auto [at, fresh] =
                known.try_emplace(std::uint64_t{node.exact} << 32 | node.below,
                                  static_cast<std::uint32_t>(verdicts_.size()));
            if (fresh) verdicts_.push_back({tags[node.exact], tags[node.below]});
            out.push_back(at->second);
        }
        return out;
    }

    static constexpr unsigned kDirectoryBits = 16;
    static constexpr unsigned kDirectoryShift = 64 - kDirectoryBits;
    static constexpr std::size_t kDirectory = std::size_t{1} << kDirectoryBits;

    WireName names_;
    LabelHash hash_;
    TagTable tags_;
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> first_of_;
    std::vector<SuffixVerdict> verdicts_;
};

}  // namespace

SuffixBuilder::SuffixBuilder(unsigned hash_bits) : hash_bits_(hash_bits) {}

bool SuffixBuilder::add(SetId set, RuleKind kind, std::string_view name) {
    const std::string wire = wire_of_name(name);
    if (wire.empty() || wire.size() > kMaxNameBytes) return false;
    const std::size_t start = names_.size();
    names_.insert(names_.end(), wire.begin(), wire.end());
    entries_.push_back({start, set, static_cast<std::uint8_t>(names_.size() - start), kind});
    return true;
}

std::string SuffixBuilder::content() const {
    ContentHash hash;
    hash.add_text("suffixes 1");
    hash.add_number(sizeof(SuffixHead));
    hash.add_number(names_.size());
    hash.add(names_);
    hash.add(
        {reinterpret_cast<const std::uint8_t*>(entries_.data()), entries_.size() * sizeof(Entry)});
    return hash.hex();
}

std::optional<SuffixImage> SuffixBuilder::build() {
    Draft draft(hash_bits_, names_);
    draft.add_all(entries_);
    return std::move(draft).finish();
}

}  // namespace steer::matchers
