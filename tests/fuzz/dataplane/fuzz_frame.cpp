// Frames from the wire, through a whole worker: classify, parse, cache, program, forwarder, and what a reply of an
// upstream does. Whatever comes, every packet has one verdict and no mbuf is lost.
#include <cstdint>
#include <cstdlib>

#include "packet/appliance.h"
#include "support/eal_fixture.h"

namespace {

using namespace steer;
using namespace steer::test;

constexpr std::size_t kLargestFrame = 1514;

Appliance& appliance() {
    static EalFixture eal;
    static Appliance& made = *[] {
        auto* const a = new Appliance;  // lives as long as the fuzzer: EAL has to go last
        a->publish(cache_list_forward(policy_list(0)));
        return a;
    }();
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > kLargestFrame) return 0;
    Appliance& a = appliance();
    a.send(0, Bytes(data, data + size));
    a.turn();
    std::uint64_t verdicts = 0;
    for (std::size_t v = 0; v < static_cast<std::size_t>(Verdict::count_); ++v) {
        verdicts += a.count(static_cast<Verdict>(v));
    }
    if (verdicts != a.count(Stat::rx_packets)) std::abort();
    a.answers();
    a.upstream_queries();
    a.events();
    a.notes();
    a.advance_ms(6000);  // what was parked ends
    a.answers();
    if (a.parked() != 0 || a.port().mbufs_in_use() != 0) std::abort();
    return 0;
}
