// Maintains the NextHopTable: the port, source address and MAC addresses for each upstream, and the
// addresses that we answer on.
//
// Routes and neighbours are queried from the kernel, not copied. RTM_GETROUTE is sent per upstream,
// and repeated after a route, rule, link or address event (debounced) or a lost notification. If
// the main tables have no route, the VRFs of the ports are tried. The neighbour entry of each next
// hop is probed (NTF_USE) while it is missing and while it ages. The reason: the kernel does not
// see frames that leave through a port. STALE is usable.
//
// Lives on one io_context. Call all functions from its thread, or before it runs. A table is
// published only if it changed. Cost of an event: a system call per upstream and per interface,
// never a dump of routes or neighbours.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/next_hop.h"
#include "dataplane/port/xdp_steering.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::kernel {

// A device with our ports.
struct PortDevice {
    // Its permanent identity: the index of its interface at start. 0: none (ring, pcap).
    int if_index = 0;
    // Its name, if the kernel keeps the interface: a new interface with this name replaces a
    // removed one. "": the kernel is at the other end, or not involved.
    std::string name = {};
    int index_now = 0;  // of its present interface; 0: as at start
    // The addresses that we answer on there. With a `name`, only while they are local to the
    // kernel. If this and `links` are empty: as `own_too`.
    std::vector<IpAddress> addresses = {};
    // Further interfaces with addresses that we answer on, except loopback addresses: "lo" for
    // anycast.
    std::vector<std::string> links = {};
    bool own_too = false;  // all addresses of the interface and its VLAN children
    // Kernel sockets serve it, not a port: an upstream behind it is Via::kernel.
    bool sockets = false;
    // The port sees copies (AF_PACKET). An upstream behind it is Via::kernel: the kernel also sees
    // the replies and rejects those without a waiting kernel socket.
    bool copies = false;
};

// A kernel address on a port's device, or on a VLAN child of it.
struct PortAddress {
    int device = 0;    // if_index of the port's device
    int if_index = 0;  // the interface with the address
    MacAddress mac{};
    IpAddress ip;
    auto operator<=>(const PortAddress&) const = default;
};

// The state of a port's device in the kernel.
struct DeviceState {
    int if_index = 0;  // PortDevice's
    std::string name;
    bool up = false;  // administratively and by carrier
    MacAddress mac{};
    bool promiscuous = false;         // as Link's
    std::vector<OwnVlan> vlans = {};  // its VLAN children, sorted
    std::vector<int> copying = {};  // if it copies: the interfaces that receive its packets, sorted
    std::vector<PortAddress> addresses = {};     // usable ones, on links that are up
    std::vector<PortAddress> without_link = {};  // the same on links that are down
    bool operator==(const DeviceState&) const = default;
};

struct NextHopView {
    std::unique_ptr<const NextHopTable> table;
    std::vector<DeviceState> devices;  // in the order of the PortDevices that exist now
    // Upstreams behind a VRF, with its index: a socket for their queries is bound to it.
    std::map<IpAddress, int> vrfs = {};
};

class NextHops {
  public:
    using Publish = std::function<void(NextHopView)>;
    using Log = std::function<void(const std::string& sentence)>;

    // `replies_by_route`: the table has ReplyRoutes, too.
    NextHops(boost::asio::io_context& main_io, std::vector<PortDevice> devices, Publish publish,
             Log log, bool replies_by_route = false);
    ~NextHops();
    NextHops(const NextHops&) = delete;
    NextHops& operator=(const NextHops&) = delete;

    // Builds and publishes the first table. Before, it waits at most `patience` for the neighbours
    // of `upstreams` (index: Upstream::id; IpAddress{}: an unused id). Then it watches for changes.
    // It waits, so call it before the main thread runs. Errors: no netlink sockets; the kernel does
    // not have an address of a device's `addresses`.
    Result<void> start(std::vector<IpAddress> upstreams, std::chrono::milliseconds patience);
    // Call it after a reload. Publishes known hops at once, the others when the neighbours answer.
    void set_upstreams(std::vector<IpAddress> upstreams);
    // Called after each check of changed routes and addresses, even if the table stays the same.
    void on_change(std::function<void()> notify);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// The interface of a default route: IPv4 before IPv6, lowest metric first. Error: there is none.
Result<std::string> find_default_interface();

}  // namespace steer::kernel
