#include "matchers/pattern/gram_filter.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace steer::matchers {
namespace {

// Rough frequency of letters in names: higher is more frequent.
unsigned commonness(char c) {
    constexpr std::string_view kByFrequency = "zqxjkvwybgpfhmdulcrstnioae";
    const auto at = kByFrequency.find(c);
    return at == std::string_view::npos ? 4U : static_cast<unsigned>(at);
}

unsigned commonness(std::string_view gram) {
    unsigned sum = 0;
    for (const char c : gram)
        sum += commonness(c) + 4;
    return gram == "http" || gram.starts_with("www") ? sum + 100 : sum;
}

bool is_border(char c) {
    return c == '.' || c == '\n' || c == '\0';
}

// The rarest piece of that length; empty: none.
std::string_view rarest(std::string_view text, std::size_t size) {
    std::string_view best;
    for (std::size_t at = 0; at + size <= text.size(); ++at) {
        const auto gram = text.substr(at, size);
        if (std::any_of(gram.begin(), gram.end(), is_border)) continue;
        if (best.empty() || commonness(gram) < commonness(best)) best = gram;
    }
    return best;
}

// The part of `text` within one label around `at`.
std::string_view label_around(std::string_view text, std::size_t at) {
    std::size_t first = at, last = at;
    while (first > 0 && !is_border(text[first - 1]))
        --first;
    while (last < text.size() && !is_border(text[last]))
        ++last;
    return text.substr(first, last - first);
}

}  // namespace

bool GramFilter::add(std::string_view text) {
    constexpr std::size_t kLongest = 63;
    auto gram = rarest(text, 4);
    if (gram.empty()) gram = rarest(text, 3);
    if (gram.empty()) return false;
    const auto at = static_cast<std::size_t>(gram.data() - text.data());
    std::string_view label = label_around(text, at);
    if (label.size() > kLongest) label = gram;
    Text known{};
    std::memcpy(&known.gram, gram.data(), gram.size());
    known.gram_at = static_cast<std::uint8_t>(gram.data() - label.data());
    known.size = static_cast<std::uint8_t>(label.size());
    known.start = static_cast<std::uint32_t>(texts_.size());
    thirds_ = thirds_ || gram.size() == 3;
    texts_.insert(texts_.end(), label.begin(), label.end());
    known_.push_back(known);
    return true;
}

void GramFilter::build() {
    constexpr std::size_t kBitsPerGram = 512, kMin = 1U << 13, kMax = 1U << 21;
    const std::size_t bits = std::bit_ceil(std::clamp(known_.size() * kBitsPerGram, kMin, kMax));
    shift_ = 32 - static_cast<unsigned>(std::countr_zero(bits));
    table_.assign(bits / 8, 0);
    const auto hash_of = [](const Text& known) { return spread(known.gram); };
    std::ranges::sort(known_, {}, hash_of);
    first_of_.assign((std::size_t{1} << (32 - kDirectoryShift)) + 1, 0);
    for (const Text& known : known_) {
        ++first_of_[(hash_of(known) >> kDirectoryShift) + 1];
        const std::uint32_t at = spread(known.gram) >> shift_;
        table_[at >> 3] = static_cast<std::uint8_t>(table_[at >> 3] | 1U << (at & 7));
    }
    std::partial_sum(first_of_.begin(), first_of_.end(), first_of_.begin());
}

bool GramFilter::holds_text(std::span<const std::uint8_t> wire_name) const noexcept {
    for (std::size_t i = 0; i + 4 <= wire_name.size(); ++i) {
        std::uint32_t gram = 0;
        std::memcpy(&gram, wire_name.data() + i, sizeof gram);
        if (holds_text(wire_name, i, gram) || (thirds_ && holds_text(wire_name, i, gram & kThird)))
            return true;
    }
    return false;
}

bool GramFilter::holds_text(std::span<const std::uint8_t> wire_name, std::size_t at,
                            std::uint32_t gram) const noexcept {
    const std::uint32_t hash = spread(gram);
    const std::uint32_t bit = hash >> shift_;
    if ((table_[bit >> 3] >> (bit & 7) & 1) == 0) return false;
    const std::size_t slot = hash >> kDirectoryShift;
    for (std::uint32_t i = first_of_[slot]; i < first_of_[slot + 1]; ++i) {
        const Text& known = known_[i];
        if (known.gram != gram || known.gram_at > at) continue;
        const std::size_t start = at - known.gram_at;
        if (start + known.size <= wire_name.size() &&
            std::memcmp(wire_name.data() + start, texts_.data() + known.start, known.size) == 0)
            return true;
    }
    return false;
}

}  // namespace steer::matchers
