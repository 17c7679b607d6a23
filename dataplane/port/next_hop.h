// The paths to upstreams for workers: one immutable table. Control builds it from the kernel's
// routes and neighbours, publishes it by pointer, and frees it after a grace period.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_values.h"

namespace steer {

struct NextHop {
    enum class Via : std::uint8_t {
        nothing,  // no route, or the neighbour is unknown: the query waits for its retry
        kernel,   // the route does not use a port: use a kernel socket
        port,     // send frames by the port
    };
    Via via = Via::nothing;
    bool tagged = false;  // send with `vlan_tci`
    std::uint16_t vlan_tci = 0;
    int if_index = 0;       // the port's device; each worker uses its own queue
    MacAddress peer_mac{};  // of the gateway, or of the upstream itself
    MacAddress own_mac{};
    IpAddress source;  // our address on that route
    bool operator==(const NextHop&) const = default;
};

// A port's device in the kernel. Frames to its MAC address are ours: untagged frames, and those of
// VLANs with a child of the device.
struct OwnDevice {
    struct Vlan {
        std::uint32_t tags = 0;  // outer id << 16 | inner id (0: one tag)
        MacAddress mac{};        // of the child, which may have its own
        bool operator==(const Vlan&) const = default;
    };
    int if_index = 0;
    MacAddress mac{};
    // The kernel also needs frames to other hosts: for a bridge, a macvlan (VRRP), or a listening
    // process.
    bool promiscuous = false;
    std::vector<Vlan> vlans = {};
    bool operator==(const OwnDevice&) const = default;
};

// Next hops of answers, by the client's address (`dataplane.reply: route`): the kernel's routes.
class ReplyRoutes {
  public:
    // Rule::value: an index of `hops`, or kBack.
    static constexpr std::uint32_t kBack = UINT32_MAX - 1;
    // Of two rules with the same prefix, the first one is used.
    ReplyRoutes(std::vector<matchers::PrefixValues::Rule> rules, std::vector<NextHop> hops)
        : hops_(std::move(hops)), routes_(std::move(rules)) {}

    // The next hop of an answer; its Via may be nothing, because its neighbour is unknown. nullptr:
    // the answer goes back to the sender's MAC address, because the client is a neighbour, or its
    // route uses no port.
    [[nodiscard]] const NextHop* find(const IpAddress& client) const noexcept {
        const std::uint32_t value = routes_.find(client).value;
        return value < hops_.size() ? &hops_[value] : nullptr;
    }
    [[nodiscard]] const std::vector<NextHop>& hops() const { return hops_; }

  private:
    std::vector<NextHop> hops_;
    matchers::PrefixValues routes_;
};

struct NextHopTable {
    std::vector<NextHop> by_upstream;  // index: Upstream::id
    std::vector<IpAddress>
        service_addresses;  // sorted: addresses that we answer on (destinations of queries)
    std::vector<std::uint16_t> service_ports;  // host order; usually just 53
    std::vector<IpAddress> own_addresses;      // sorted: all of this host (invalid as a source)
    // Sorted: the last address of each IPv4 network of this host, its directed broadcast (invalid
    // as a source).
    std::vector<IpAddress> broadcast_addresses = {};
    std::vector<std::uint16_t> dropped_ports = {};  // sorted: sources of queries that are dropped
    // The ports' devices that the kernel knows. On other devices every MAC address and every VLAN
    // is ours.
    std::vector<OwnDevice> devices;
    std::shared_ptr<const ReplyRoutes> reply_routes = nullptr;  // nullptr: all answers go back
    bool operator==(const NextHopTable&) const = default;
};

}  // namespace steer
