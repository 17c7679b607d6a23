// Keeps the NextHopTable true: for each upstream the port, source address and MAC addresses that reach it,
// and the addresses that we answer on.
//
// Routes and neighbours are asked of the kernel, not copied: RTM_GETROUTE per upstream, asked again on any
// route, rule, link or address event (debounced) or lost notification (where the main tables have none, in the VRFs that
// ports are in); the kernel's neighbour entry of each
// next hop, poked (NTF_USE) while it is missing and while it ages, because frames that leave by a port of
// ours are not seen by the kernel's own ageing. STALE is usable.
//
// Lives on one io_context; all calls from its thread, or before it runs. A table is published only if it
// differs from the last one. Cost of an event: a system call per upstream and per interface, never a dump of
// the routes or of the neighbours.
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

// A device that has ports of ours.
struct PortDevice {
    // What it is known by for good: the index of its interface at start. 0: it has none (ring, pcap).
    int if_index = 0;
    // Its name, if the kernel keeps the interface: one that comes with this name takes the place of one that
    // went. "": the kernel is at the other end, or nowhere.
    std::string name = {};
    int index_now = 0;  // of the interface that has its place; 0: as at start
    // What we answer on there (with a `name`: while the kernel takes it for local); empty, and no `links`:
    // as `own_too`.
    std::vector<IpAddress> addresses = {};
    // Interfaces whose addresses we answer on besides, but loopback ones: "lo" for anycast.
    std::vector<std::string> links = {};
    bool own_too = false;  // every address of the interface and of its VLAN children
    // Served by kernel sockets, not by a port: an upstream behind it is Via::kernel.
    bool sockets = false;
    // The port sees copies (AF_PACKET): an upstream behind it is Via::kernel, because the kernel, which sees
    // the replies as well, refuses those that no socket of its own waits for.
    bool copies = false;
};

// An address of the kernel's on a port's device, or on a VLAN child of it.
struct PortAddress {
    int device = 0;    // if_index of the port's
    int if_index = 0;  // where the address is
    MacAddress mac{};
    IpAddress ip;
    auto operator<=>(const PortAddress&) const = default;
};

// What became of the kernel's side of a port's device.
struct DeviceState {
    int if_index = 0;  // PortDevice's
    std::string name;
    bool up = false;  // administratively and by carrier
    MacAddress mac{};
    bool promiscuous = false;         // as Link's
    std::vector<OwnVlan> vlans = {};  // its VLAN children, sorted
    std::vector<int> copying =
        {};  // if it copies: the interfaces that its packets come in by, sorted
    std::vector<PortAddress> addresses = {};  // good ones, on links that are up
    bool operator==(const DeviceState&) const = default;
};

struct NextHopView {
    std::unique_ptr<const NextHopTable> table;
    std::vector<DeviceState> devices;  // in the order of the PortDevices that exist now
    // Upstreams behind a VRF, with its index: a socket that asks them is bound to it.
    std::map<IpAddress, int> vrfs = {};
};

class NextHops {
  public:
    using Publish = std::function<void(NextHopView)>;
    using Log = std::function<void(const std::string& sentence)>;

    NextHops(boost::asio::io_context& main_io, std::vector<PortDevice> devices, Publish publish,
             Log log);
    ~NextHops();
    NextHops(const NextHops&) = delete;
    NextHops& operator=(const NextHops&) = delete;

    // Builds and publishes the first table, having waited at most `patience` for the neighbours of
    // `upstreams` (index: Upstream::id; IpAddress{}: an id not in use), then watches. Waits: call it before
    // the main thread runs. Errors: netlink sockets are not to be had; an address of a device's `addresses` that the
    // kernel does not have.
    Result<void> start(std::vector<IpAddress> upstreams, std::chrono::milliseconds patience);
    // After a reload. Publishes at once what is known, the rest when the neighbours answer.
    void set_upstreams(std::vector<IpAddress> upstreams);
    // Told after each look at routes and addresses that changed, whether or not it made another table.
    void on_change(std::function<void()> told);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// The interface that a default route leaves through, IPv4 before IPv6, lowest metric first. Error: none.
Result<std::string> find_default_interface();

}  // namespace steer::kernel
