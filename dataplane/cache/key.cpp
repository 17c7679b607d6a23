#include "dataplane/cache/cache.h"
#include "dataplane/cache/siphash.h"

namespace steer::cache {
namespace {

using Sip = SipHash128<1, 3>;

Key key_of(Sip::Value v) {
    return {v.low, v.high};
}

}  // namespace

KeyHasher::KeyHasher(std::span<const std::uint8_t, 16> secret) {
    std::memcpy(&k0_, secret.data(), 8);
    std::memcpy(&k1_, secret.data() + 8, 8);
}

Key KeyHasher::operator()(const KeyFacts& f) const noexcept {
    Sip sip{k0_, k1_};
    sip.word(std::uint64_t{f.qtype} | std::uint64_t{f.qclass} << 16 |
             std::uint64_t{f.instance} << 32 | std::uint64_t{f.flags} << 48);
    return key_of(sip.finish(f.qname));
}

Key KeyHasher::of_name(std::span<const std::uint8_t> qname) const noexcept {
    return key_of(Sip{k0_, k1_}.finish(qname));
}

}  // namespace steer::cache
