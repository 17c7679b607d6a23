#include "matchers/suffix/public_suffixes.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace steer::matchers {
namespace {

constexpr std::size_t kMaxWire = 255, kMaxOneLabel = 63;

// One per process: a reload changes no key.
const LabelHash& process_hash() {
    static const LabelHash hash = [] {
        std::random_device random;
        const auto word = [&random] { return (std::uint64_t{random()} << 32) | random(); };
        return LabelHash{.seed = word() | 1, .secret = word() | 1};
    }();
    return hash;
}

constexpr std::uint8_t lower(char c) {
    return static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Presentation form as wire form, with the place of each label in the text.
struct TextName {
    std::array<std::uint8_t, kMaxWire + 1> wire{};
    std::array<std::uint16_t, 128> text_at{};
    std::size_t size = 1;
    unsigned labels = 0;
    bool is_name = false;

    explicit TextName(std::string_view text) noexcept {
        if (text.ends_with('.') && !text.ends_with("\\.")) text.remove_suffix(1);
        std::size_t head = 0, at = 1;  // of the present label: its length byte and its next byte
        const auto close = [&] {
            const std::size_t length = at - head - 1;
            if (length == 0 || length > kMaxOneLabel) return false;
            wire[head] = static_cast<std::uint8_t>(length);
            ++labels;
            return true;
        };
        if (text.empty()) {
            is_name = true;
            return;
        }
        for (std::size_t i = 0; i < text.size();) {
            if (at >= kMaxWire) return;
            if (text[i] == '.') {
                if (!close()) return;
                head = at++;
                text_at[labels] = static_cast<std::uint16_t>(++i);
                continue;
            }
            if (text[i] != '\\' || i + 1 == text.size()) {
                wire[at++] = lower(text[i++]);
            } else if (i + 3 < text.size() && is_digit(text[i + 1]) && is_digit(text[i + 2]) &&
                       is_digit(text[i + 3])) {
                const int value =
                    (text[i + 1] - '0') * 100 + (text[i + 2] - '0') * 10 + text[i + 3] - '0';
                wire[at++] = lower(static_cast<char>(value));
                i += 4;
            } else {
                wire[at++] = lower(text[i + 1]);
                i += 2;
            }
        }
        if (at >= kMaxWire || !close()) return;
        wire[at] = 0;
        size = at + 1;
        is_name = true;
    }
    [[nodiscard]] std::span<const std::uint8_t> name() const noexcept {
        // A text that is no name counts as the root, with all others of its kind.
        return is_name ? std::span{wire.data(), size} : std::span{wire.data(), std::size_t{0}};
    }
};

}  // namespace

PublicSuffixes::PublicSuffixes() : hash_(process_hash()) {}

std::atomic<const PublicSuffixes*>& PublicSuffixes::in_force() noexcept {
    static const PublicSuffixes none;
    static std::atomic<const PublicSuffixes*> table{&none};
    return table;
}

void PublicSuffixes::publish(PublicSuffixes table) {
    static std::vector<std::unique_ptr<const PublicSuffixes>> all;
    all.push_back(std::make_unique<const PublicSuffixes>(std::move(table)));
    in_force().store(all.back().get(), std::memory_order_release);
}

PublicSuffixes::Starts PublicSuffixes::starts_of(std::span<const std::uint8_t> name) noexcept {
    Starts starts;
    for (std::size_t at = 0; at < name.size() && name[at] != 0 && starts.labels < kMaxLabels;
         at += std::size_t{name[at]} + 1)
        starts.at[starts.labels++] = static_cast<std::uint8_t>(at);
    return starts;
}

std::uint64_t PublicSuffixes::flags_of(std::uint64_t hash) const noexcept {
    if (mask_ == 0) return 0;
    for (std::uint64_t at = (hash >> 8) & mask_;; at = (at + 1) & mask_) {
        const std::uint64_t slot = slots()[at];
        if (slot == 0) return 0;
        if ((slot & ~kFlags) == (hash & ~kFlags)) return slot & kFlags;
    }
}

PublicSuffixes::Walk PublicSuffixes::walk(std::span<const std::uint8_t> name,
                                          const Starts& starts) const noexcept {
    Walk w;
    w.labels = starts.labels;
    w.suffix = std::min(w.labels, 1U);
    w.hash[0] = hash_.seed;
    std::uint64_t above = kParent;  // flags of the level above: the root is above every rule
    bool is_exception = false;      // then only a longer exception prevails
    for (unsigned level = 1; level <= w.labels && level <= kLevels; ++level) {
        const std::uint8_t* const label = &name[starts.at[w.labels - level]];
        w.hash[level] = hash_.down(w.hash[level - 1], label + 1, *label);
        if ((above & (kParent | kAnyBelow)) == 0) {
            if (level >= w.suffix + 3) break;
            continue;
        }
        const std::uint64_t flags = flags_of(w.hash[level]);
        if ((flags & kException) != 0) {  // it is registered itself
            w.suffix = level - 1;
            w.is_private = (flags & kPrivate) != 0;
            is_exception = true;
        }
        if (!is_exception && (above & kAnyBelow) != 0) {
            w.suffix = level;
            w.is_private = (above & kPrivateBelow) != 0;
        }
        if (!is_exception && (flags & kRule) != 0) {
            w.suffix = level;
            w.is_private = (flags & kPrivate) != 0;
        }
        above = flags;
    }
    return w;
}

DomainKeys PublicSuffixes::keys_of(const Walk& w) noexcept {
    constexpr std::uint64_t kOther = 0x9e3779b97f4a7c15;  // a platform is not the name itself
    const unsigned domain = w.domain();
    DomainKeys keys;
    keys.of[0] = w.is_private ? w.hash[w.suffix] ^ kOther : 0;
    keys.of[1] = w.hash[domain];
    keys.of[2] = domain + 1 <= w.labels ? w.hash[domain + 1] : 0;
    keys.of[3] = domain + 2 <= w.labels ? w.hash[domain + 2] : 0;
    return keys;
}

DomainKeys PublicSuffixes::keys(std::span<const std::uint8_t> name) const noexcept {
    return keys_of(walk(name, starts_of(name)));
}

DomainKeys PublicSuffixes::keys(std::string_view text) const noexcept {
    return keys(TextName(text).name());
}

std::span<const std::uint8_t> PublicSuffixes::domain_of(
    std::span<const std::uint8_t> name) const noexcept {
    const Starts starts = starts_of(name);
    const Walk w = walk(name, starts);
    return w.domain() == w.labels ? name : name.subspan(starts.at[w.labels - w.domain()]);
}

std::string_view PublicSuffixes::domain_of(std::string_view text) const noexcept {
    const TextName parsed(text);
    if (!parsed.is_name) return text;
    const Walk w = walk(parsed.name(), starts_of(parsed.name()));
    if (text.ends_with('.') && text.size() > 1 && !text.ends_with("\\.")) text.remove_suffix(1);
    return w.domain() == w.labels ? text : text.substr(parsed.text_at[w.labels - w.domain()]);
}

bool PublicSuffixes::is_suffix(std::span<const std::uint8_t> name) const noexcept {
    const Walk w = walk(name, starts_of(name));
    return w.suffix == w.labels;
}

bool PublicSuffixes::is_suffix(std::string_view text) const noexcept {
    const TextName parsed(text);
    return parsed.is_name && is_suffix(parsed.name());
}

bool PublicSuffixBuilder::add(std::string_view name, Kind kind, bool is_private) {
    const TextName parsed(name);
    if (!parsed.is_name || parsed.labels == 0 || parsed.labels >= PublicSuffixes::kDeepest)
        return false;
    const auto wire = parsed.name().first(parsed.size - 1);
    std::string key(wire.begin(), wire.end());
    using P = PublicSuffixes;
    std::uint64_t& node = nodes_[key];
    switch (kind) {
        case Kind::plain:
            node |= P::kRule | (is_private ? P::kPrivate : 0);
            break;
        case Kind::any_below:
            node |= P::kAnyBelow | (is_private ? P::kPrivateBelow : 0);
            break;
        case Kind::exception:
            node |= P::kException | (is_private ? P::kPrivate : 0);
            break;
    }
    ++rules_;
    while (true) {
        key.erase(0, std::size_t{static_cast<std::uint8_t>(key.front())} + 1);
        if (key.empty()) return true;
        nodes_[key] |= P::kParent;
    }
}

PublicSuffixes PublicSuffixBuilder::build() const {
    PublicSuffixes table;
    table.rules_ = rules_;
    if (nodes_.empty()) return table;
    const std::size_t slots = std::bit_ceil(nodes_.size() * 2 + 1);
    table.arena_ = Arena(slots * sizeof(std::uint64_t));
    table.mask_ = slots - 1;
    for (const auto& [wire, flags] : nodes_) {
        const std::span name{reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
        const auto starts = PublicSuffixes::starts_of(name);
        std::uint64_t hash = table.hash_.seed;
        for (unsigned i = starts.labels; i-- > 0;)
            hash = table.hash_.down(hash, &name[starts.at[i]] + 1, name[starts.at[i]]);
        std::uint64_t at = (hash >> 8) & table.mask_;
        while (table.slots()[at] != 0)
            at = (at + 1) & table.mask_;
        table.slots()[at] = (hash & ~PublicSuffixes::kFlags) | flags;
    }
    return table;
}

}  // namespace steer::matchers
