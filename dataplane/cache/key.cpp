#include <array>
#include <cstdlib>
#include <string_view>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/siphash.h"

namespace steer::cache {
namespace {

using Sip = SipHash128<1, 3>;

Key key_of(Sip::Value v) {
    return {v.low, v.high};
}

Key key_of_facts(std::uint64_t k0, std::uint64_t k1, const KeyFacts& f) {
    Sip sip{k0, k1};
    sip.word(f.word());
    return key_of(sip.finish(f.qname));
}

void keys_one_by_one(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                     Key* keys) noexcept {
    for (unsigned i = 0; i < n; ++i)
        keys[i] = key_of_facts(k0, k1, facts[i]);
}

#ifdef __x86_64__
void keys_by_eight(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                   Key* keys) noexcept {
    keys_by_avx512(k0, k1, facts, n, keys);
    const unsigned done = n / 8 * 8;
    keys_one_by_one(k0, k1, facts + done, n - done, keys + done);
}
#endif

}  // namespace

KeyLanes widest_key_lanes() noexcept {
#ifdef __x86_64__
    // The builtin checks the CPU, and that the operating system saves these registers.
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return KeyLanes::avx512;
#endif
    return KeyLanes::scalar;
}

KeyLanes chosen_key_lanes() noexcept {
    const char* const wish = std::getenv("STEERDNS_SIMD");  // NOLINT: before threads
    if (wish != nullptr && std::string_view(wish) == "scalar") return KeyLanes::scalar;
    return widest_key_lanes();
}

const char* label(KeyLanes lanes) noexcept {
    return lanes == KeyLanes::avx512 ? "avx512" : "scalar";
}

BulkKeys bulk_keys([[maybe_unused]] KeyLanes lanes) noexcept {
#ifdef __x86_64__
    if (lanes == KeyLanes::avx512) return keys_by_eight;
#endif
    return keys_one_by_one;
}

KeyHasher::KeyHasher(std::span<const std::uint8_t, 16> secret, KeyLanes lanes)
    : bulk_(bulk_keys(lanes)), lanes_(lanes) {
    std::memcpy(&k0_, secret.data(), 8);
    std::memcpy(&k1_, secret.data() + 8, 8);
    constexpr std::array<std::uint8_t, 1> kNoName{1};  // an incomplete name, which no query has
    const Key derived = of_name(kNoName);
    spread_.seed = derived.low | 1;
    spread_.secret = derived.high | 1;
}

Key KeyHasher::operator()(const KeyFacts& f) const noexcept {
    return key_of_facts(k0_, k1_, f);
}

Key KeyHasher::of_name(std::span<const std::uint8_t> qname) const noexcept {
    return key_of(Sip{k0_, k1_}.finish(qname));
}

}  // namespace steer::cache
