#include "dataplane/base/sighting.h"

#include <cstring>

#include "matchers/suffix/public_suffixes.h"

namespace steer {

void Sighting::write(const IpAddress& client, std::span<const std::uint8_t> name) noexcept {
    auto suffix = matchers::PublicSuffixes::current().domain_of(name);
    // A query that did not parse may have no name here.
    if (suffix.size() > 8 * (kWords - 2)) suffix = {};
    std::array<std::uint64_t, kWords> words{};
    std::memcpy(words.data(), client.bytes.data(), client.bytes.size());
    if (!suffix.empty()) std::memcpy(&words[2], suffix.data(), suffix.size());
    const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    // Released, so that a reader of one of these words sees the odd sequence.
    for (std::size_t i = 0; i < kWords; ++i)
        words_[i].store(words[i], std::memory_order_release);
    length_.store(static_cast<std::uint32_t>(suffix.size()), std::memory_order_release);
    sequence_.store(sequence + 2, std::memory_order_release);
}

bool Sighting::read(Seen& out) const noexcept {
    const std::uint32_t before = sequence_.load(std::memory_order_acquire);
    if (before == 0 || before % 2 != 0) return false;
    std::array<std::uint64_t, kWords> words;
    for (std::size_t i = 0; i < kWords; ++i)
        words[i] = words_[i].load(std::memory_order_acquire);
    out.length = length_.load(std::memory_order_acquire);
    if (sequence_.load(std::memory_order_relaxed) != before) return false;
    std::memcpy(out.client.bytes.data(), words.data(), out.client.bytes.size());
    std::memcpy(out.suffix.data(), &words[2], out.suffix.size());
    return true;
}

}  // namespace steer
