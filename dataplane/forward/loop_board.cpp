#include "dataplane/forward/loop_board.h"

#include <algorithm>
#include <cstring>

#include "dataplane/dns/wire.h"
#include "dataplane/forward/chacha_random.h"

namespace steer::forward {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr unsigned kWordDigits = LoopLabel::kDigits / 2;
constexpr unsigned kMaxLabels = dns::kMaxName / 2;

void write_word(std::uint64_t word, std::uint8_t* digits) {
    constexpr char kHex[] = "0123456789abcdef";
    for (unsigned i = 0; i < kWordDigits; ++i)
        digits[i] = static_cast<std::uint8_t>(kHex[word >> (60 - 4 * i) & 0xf]);
}

bool read_word(const std::uint8_t* digits, std::uint64_t& word) {
    word = 0;
    for (unsigned i = 0; i < kWordDigits; ++i) {
        const std::uint8_t c = digits[i];
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) return false;
        word = word << 4 | static_cast<unsigned>(is_digit ? c - '0' : c - 'a' + 10);
    }
    return true;
}

}  // namespace

void LoopLabel::write(std::span<std::uint8_t, kDigits> digits) const noexcept {
    write_word(high, digits.data());
    write_word(low, digits.data() + kWordDigits);
}

std::optional<LoopLabel> LoopLabel::read(std::span<const std::uint8_t> name) noexcept {
    LoopLabel label;
    if (name.size() <= kDigits || name.front() != kDigits || !read_word(&name[1], label.high) ||
        !read_word(&name[1 + kWordDigits], label.low))
        return std::nullopt;
    return label;
}

void LoopBoard::AtomicAddress::store(const IpAddress& address) noexcept {
    std::array<std::uint64_t, 2> plain;
    static_assert(sizeof address.bytes == sizeof plain);
    std::memcpy(plain.data(), address.bytes.data(), sizeof plain);
    for (std::size_t i = 0; i < plain.size(); ++i)
        words[i].store(plain[i], kRelaxed);
}

IpAddress LoopBoard::AtomicAddress::load() const noexcept {
    const std::array<std::uint64_t, 2> plain{words[0].load(kRelaxed), words[1].load(kRelaxed)};
    IpAddress address;
    std::memcpy(address.bytes.data(), plain.data(), sizeof plain);
    return address;
}

LoopBoard::LoopBoard() {
    ChaChaRandom random(0);
    for (std::uint64_t* const word : {&hash_.seed, &hash_.secret})
        *word = (std::uint64_t{random.next()} << 32) | random.next() | 1;
}

LoopLabel LoopBoard::publish(unsigned worker, unsigned place, LoopLabel label) noexcept {
    const std::uint64_t index = std::uint64_t{worker} * kLoopPlaces + place;
    label.low = (label.low & ~std::uint64_t{kPlaces - 1}) | index;
    Label& to = labels_[index];
    to.high.store(label.high, kRelaxed);
    to.low.store(label.low, kRelaxed);
    return label;
}

[[gnu::cold, gnu::noinline]] bool LoopBoard::take_back_label(std::span<const std::uint8_t> name,
                                                             const IpAddress& client) noexcept {
    const std::optional<LoopLabel> label = LoopLabel::read(name);
    if (!label || *label == LoopLabel{}) return false;  // that of an unused place
    Label& ours = labels_[label->low % kPlaces];
    if (LoopLabel{ours.high.load(kRelaxed), ours.low.load(kRelaxed)} != *label) return false;
    ours.from.store(client);
    ours.returned.store(label->low, std::memory_order_release);
    return true;
}

std::optional<IpAddress> LoopBoard::returned_by(const LoopLabel& label) const noexcept {
    const Label& ours = labels_[label.low % kPlaces];
    if (ours.returned.load(std::memory_order_acquire) != label.low) return std::nullopt;
    return ours.from.load();
}

bool LoopBoard::begin_test(std::uint16_t upstream, std::uint64_t now_ms) noexcept {
    UpstreamState& state = upstreams_[upstream];
    std::uint64_t next = state.next_test_ms.load(kRelaxed);
    const std::uint64_t pause_ms = state.proofs.load(kRelaxed) != 0 ? kTestInLoopMs : kTestEveryMs;
    return next <= now_ms &&
           state.next_test_ms.compare_exchange_strong(next, now_ms + pause_ms, kRelaxed);
}

void LoopBoard::end_test(std::uint16_t upstream, std::uint64_t sent_ms, bool proved,
                         std::uint64_t now_ms) noexcept {
    UpstreamState& state = upstreams_[upstream];
    const unsigned proofs = unsigned{state.proofs.load(kRelaxed)} << 1 | (proved ? 1U : 0U);
    state.proofs.store(static_cast<std::uint8_t>(proofs), kRelaxed);
    const std::uint64_t next = state.next_test_ms.load(kRelaxed);
    if ((proofs & UINT8_MAX) == 0) {
        state.next_test_ms.store(std::max(next, sent_ms + kTestEveryMs), kRelaxed);
    } else if (next > now_ms + kTestInLoopMs) {
        state.next_test_ms.store(now_ms, kRelaxed);
    }
}

std::uint64_t LoopBoard::root_key(std::uint16_t upstream) const noexcept {
    std::array<std::uint8_t, sizeof upstream> id;
    std::memcpy(id.data(), &upstream, id.size());
    return hash_.down(hash_.seed, id.data(), id.size()) | 1;  // 0 means none
}

namespace {

// Calls `visit` with the key of each level of the name, the root first, until it returns true.
template <class Visit>
void visit_levels(const matchers::LabelHash& hash, std::uint64_t root,
                  std::span<const std::uint8_t> name, const Visit& visit) {
    std::array<std::uint8_t, kMaxLabels> starts;
    unsigned labels = 0;
    for (std::size_t at = 0; at < name.size() && name[at] != 0; at += name[at] + 1U)
        starts[labels++] = static_cast<std::uint8_t>(at);
    std::uint64_t key = root;
    while (!visit(key) && labels > 0) {
        const std::uint8_t* const label = &name[starts[--labels]];
        key = hash.down(key, label + 1, *label) | 1;
    }
}

}  // namespace

std::uint64_t LoopBoard::key_of(std::uint16_t upstream,
                                std::span<const std::uint8_t> name) const noexcept {
    std::uint64_t key = 0;
    visit_levels(hash_, root_key(upstream), name, [&](std::uint64_t level) {
        key = level;
        return false;
    });
    return key;
}

// Two workers may take the same place at the same time: then one proof is lost, or lasts as long as
// the other one.
void LoopBoard::prove(std::uint16_t upstream, std::span<const std::uint8_t> name,
                      const IpAddress& from, std::uint64_t until_ms) noexcept {
    const std::uint64_t key = key_of(upstream, name);
    Bucket& b = bucket(key);
    Proof* place = &b.front();
    for (Proof& p : b) {
        if (p.key.load(kRelaxed) == key) {
            place = &p;
            break;
        }
        if (p.until_ms.load(kRelaxed) < place->until_ms.load(kRelaxed)) place = &p;
    }
    place->key.store(0, kRelaxed);
    place->from.store(from);
    place->until_ms.store(until_ms, kRelaxed);
    place->key.store(key, std::memory_order_release);
    if (last_until_ms_.load(kRelaxed) < until_ms) last_until_ms_.store(until_ms, kRelaxed);
}

void LoopBoard::withdraw(std::uint16_t upstream, std::span<const std::uint8_t> name) noexcept {
    const std::uint64_t key = key_of(upstream, name);
    for (Proof& p : bucket(key)) {
        if (p.key.load(kRelaxed) == key) p.until_ms.store(0, kRelaxed);
    }
}

std::optional<LoopBoard::Loop> LoopBoard::find(std::uint16_t upstream,
                                               std::span<const std::uint8_t> name,
                                               std::uint64_t now_ms) const noexcept {
    std::optional<Loop> found;
    if (!has_proofs(now_ms)) [[likely]]
        return found;
    visit_levels(hash_, root_key(upstream), name, [&](std::uint64_t key) {
        for (const Proof& p : buckets_[key % kBuckets]) {
            if (p.key.load(std::memory_order_acquire) != key) continue;
            const std::uint64_t until_ms = p.until_ms.load(kRelaxed);
            if (until_ms > now_ms) found = Loop{until_ms, p.from.load()};
        }
        return found.has_value();
    });
    return found;
}

}  // namespace steer::forward
