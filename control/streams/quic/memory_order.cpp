#include "control/streams/quic/memory_order.h"

#include <algorithm>
#include <map>
#include <queue>
#include <utility>

namespace steer::quic {

std::vector<std::uint64_t> worst_first(std::vector<HeavyConnection> heavy, std::uint64_t bytes) {
    // Of each network, the worst one is last.
    std::ranges::sort(heavy, {}, &HeavyConnection::bytes);
    struct Network {
        std::uint64_t bytes = 0;
        std::vector<HeavyConnection> connections;
    };
    std::map<std::uint64_t, Network> networks;
    for (const HeavyConnection& one : heavy) {
        Network& network = networks[one.network];
        network.bytes += one.bytes;
        network.connections.push_back(one);
    }
    std::priority_queue<std::pair<std::uint64_t, std::uint64_t>> by_bytes;
    for (const auto& [key, network] : networks)
        by_bytes.emplace(network.bytes, key);
    std::vector<std::uint64_t> order;
    for (std::uint64_t freed = 0; freed < bytes && !by_bytes.empty();) {
        Network& worst = networks.at(by_bytes.top().second);
        const std::uint64_t key = by_bytes.top().second;
        by_bytes.pop();
        const HeavyConnection one = worst.connections.back();
        worst.connections.pop_back();
        worst.bytes -= one.bytes;
        freed += one.bytes;
        order.push_back(one.number);
        if (!worst.connections.empty()) by_bytes.emplace(worst.bytes, key);
    }
    return order;
}

}  // namespace steer::quic
