// Always compiled with AVX-512. A function that this file calls without inlining could replace the
// linker's copy for the whole program, so it calls none; tests/unit/cache/avx512_symbols checks
// that.
#include "dataplane/cache/cache.h"
#include "dataplane/cache/key_lanes.h"
#include "dataplane/cache/siphash_lanes.h"

namespace steer::cache {
namespace {

struct Here {};
using Lanes = SipHashLanes<1, 3, Here>;

}  // namespace

void keys_by_avx512(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                    Key* keys) noexcept {
    for (unsigned i = 0; i + Lanes::kLanes <= n; i += Lanes::kLanes) {
        Lanes::Input in[Lanes::kLanes];
        Lanes::Value out[Lanes::kLanes];
        for (unsigned l = 0; l < Lanes::kLanes; ++l) {
            const KeyFacts& f = facts[i + l];
            in[l] = {f.word(), f.qname.data(), f.qname.size()};
        }
        Lanes::hash(k0, k1, in, out);
        for (unsigned l = 0; l < Lanes::kLanes; ++l)
            keys[i + l] = {out[l].low, out[l].high};
    }
}

}  // namespace steer::cache
