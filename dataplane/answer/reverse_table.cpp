#include "dataplane/answer/reverse_table.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "matchers/fold_product.h"

namespace steer {
namespace {

constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

// The word of a name at 8 * i, padded with zeros.
std::uint64_t word_of(std::span<const std::uint8_t> name, std::size_t i) {
    std::uint64_t word = 0;
    std::memcpy(&word, name.data() + 8 * i, std::min<std::size_t>(8, name.size() - 8 * i));
    return word;
}

std::size_t words_of(std::span<const std::uint8_t> name) {
    return (name.size() + 7) / 8;
}

}  // namespace

ReverseTable::ReverseTable(std::size_t size)
    : buckets_(std::max<std::size_t>(1, (size + kWays - 1) / kWays)),
      slots_(std::make_unique<Slot[]>(buckets_ * kWays)) {
    std::random_device device;
    secret_high_ = std::uint64_t{device()} << 32 | device();
    secret_low_ = std::uint64_t{device()} << 32 | device();
}

// Keyed, so that no client can choose addresses that evict others.
ReverseTable::Slot* ReverseTable::bucket_of(const IpAddress& address) const noexcept {
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t hash =
        matchers::fold_product(address.high() ^ secret_high_, address.low() ^ secret_low_);
    const auto bucket = static_cast<std::size_t>(static_cast<Wide>(hash) * buckets_ >> 64);
    return &slots_[bucket * kWays];
}

bool ReverseTable::holds(const Slot& slot, const IpAddress& address) noexcept {
    return slot.high.load(kAcquire) == address.high() && slot.low.load(kAcquire) == address.low();
}

void ReverseTable::learn(const IpAddress& address, std::span<const std::uint8_t> qname,
                         std::uint32_t until_s, std::uint32_t now_s) noexcept {
    if (qname.empty() || qname.size() > kNameWords * 8 || until_s <= now_s) return;
    Slot* const bucket = bucket_of(address);
    Slot* slot = bucket;
    for (std::size_t way = 0; way < kWays; ++way) {
        Slot& other = bucket[way];
        if (holds(other, address)) {
            slot = &other;
            break;
        }
        if (other.until_s.load(kAcquire) < slot->until_s.load(kAcquire)) slot = &other;
    }
    const std::size_t words = words_of(qname);
    const std::uint32_t known_until_s = slot->until_s.load(kAcquire);
    // Already known for at least half of that time: avoid writing to a shared cache line.
    if (known_until_s > now_s && known_until_s - now_s >= (until_s - now_s) / 2 &&
        holds(*slot, address)) {
        std::size_t same = 0;
        while (same < words && slot->name[same].load(kAcquire) == word_of(qname, same))
            ++same;
        if (same == words) return;
    }
    std::uint32_t version = slot->version.load(kAcquire);
    if (version % 2 != 0 ||
        !slot->version.compare_exchange_strong(version, version + 1, std::memory_order_acq_rel))
        return;
    slot->high.store(address.high(), kRelease);
    slot->low.store(address.low(), kRelease);
    slot->until_s.store(until_s, kRelease);
    for (std::size_t i = 0; i < words; ++i)
        slot->name[i].store(word_of(qname, i), kRelease);
    slot->version.store(version + 2, kRelease);
}

std::size_t ReverseTable::find(const IpAddress& address, std::uint32_t now_s,
                               Name& out) const noexcept {
    const Slot* const bucket = bucket_of(address);
    for (std::size_t way = 0; way < kWays; ++way) {
        const Slot& slot = bucket[way];
        const std::uint32_t version = slot.version.load(kAcquire);
        if (version % 2 != 0 || !holds(slot, address)) continue;
        const bool is_over = slot.until_s.load(kAcquire) <= now_s;
        for (std::size_t i = 0; i < kNameWords; ++i) {
            const std::uint64_t word = slot.name[i].load(kAcquire);
            std::memcpy(&out[8 * i], &word, sizeof word);
        }
        if (slot.version.load(std::memory_order_relaxed) != version || is_over) continue;
        std::size_t length = 0;
        while (length < out.size() && out[length] != 0)
            length += out[length] + 1U;
        if (length < out.size()) return length + 1;
    }
    return 0;
}

}  // namespace steer
