#include "control/streams/quic/memory.h"

#include <sys/sysinfo.h>

#include <algorithm>

namespace steer::quic {

std::uint64_t most_memory() {
    struct sysinfo machine {};
    if (::sysinfo(&machine) != 0) return kLeastMemory;
    return std::max(kLeastMemory, std::uint64_t{machine.totalram} * machine.mem_unit / 4);
}

std::uint32_t most_connections(std::uint64_t memory, unsigned threads) {
    const std::uint64_t others = kOtherBytes + threads * kHeldPerThread;
    const std::uint64_t left = memory > others ? memory - others : 0;
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(left / kBytesPerConnection, 1, UINT32_MAX));
}

std::uint32_t part_of_connections(std::uint32_t wanted, std::uint64_t sum, std::uint32_t most) {
    if (sum <= most) return wanted;
    return static_cast<std::uint32_t>(
        std::max<std::uint64_t>(1, std::uint64_t{wanted} * most / sum));
}

}  // namespace steer::quic
