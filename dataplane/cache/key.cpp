#include "dataplane/cache/cache.h"
#include "dataplane/cache/siphash.h"
#include "dataplane/cache/siphash_lanes.h"

namespace steer::cache {
namespace {

using Sip = SipHash128<1, 3>;

using Lanes = SipHashLanes<1, 3>;

Key key_of(Sip::Value v) {
    return {v.low, v.high};
}

std::uint64_t word_of(const KeyFacts& f) {
    return std::uint64_t{f.qtype} | std::uint64_t{f.qclass} << 16 |
           std::uint64_t{f.instance} << 32 | std::uint64_t{f.flags} << 48;
}

}  // namespace

KeyHasher::KeyHasher(std::span<const std::uint8_t, 16> secret) {
    std::memcpy(&k0_, secret.data(), 8);
    std::memcpy(&k1_, secret.data() + 8, 8);
}

Key KeyHasher::operator()(const KeyFacts& f) const noexcept {
    Sip sip{k0_, k1_};
    sip.word(word_of(f));
    return key_of(sip.finish(f.qname));
}

void KeyHasher::bulk(const KeyFacts* facts, unsigned n, Key* keys) const noexcept {
    unsigned i = 0;
    for (; i + Lanes::kLanes <= n; i += Lanes::kLanes) {
        std::array<Lanes::Input, Lanes::kLanes> in;
        std::array<Lanes::Value, Lanes::kLanes> out;
        for (unsigned l = 0; l < Lanes::kLanes; ++l) {
            const KeyFacts& f = facts[i + l];
            in[l] = {word_of(f), f.qname.data(), f.qname.size()};
        }
        Lanes::hash(k0_, k1_, in, out);
        for (unsigned l = 0; l < Lanes::kLanes; ++l)
            keys[i + l] = key_of(out[l]);
    }
    for (; i < n; ++i)
        keys[i] = (*this)(facts[i]);
}

Key KeyHasher::of_name(std::span<const std::uint8_t> qname) const noexcept {
    return key_of(Sip{k0_, k1_}.finish(qname));
}

}  // namespace steer::cache
