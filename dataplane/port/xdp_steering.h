// The XDP program on a device, and what it takes from the kernel.
//
// It redirects to our sockets only what is ours (xdp/steer_xdp.bpf.c says exactly what); everything else,
// and all of it while no socket is bound, stays with the kernel. It is attached by a link where the
// kernel has them (5.9): our death detaches it. A left-over program of ours, of a kernel without links,
// is replaced; one whose owner lives and a foreign one are named and left.
//
// The set_ functions change the live maps: entries that come are added before those that go are removed,
// so what stays is never missed. One thread calls them. They cost a system call per changed entry.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

struct steer_xdp_bpf;

namespace steer {

// An upstream as it is the source of its replies.
struct UpstreamEndpoint {
    IpAddress address;
    std::uint16_t port = 53;  // host order
    auto operator<=>(const UpstreamEndpoint&) const = default;
};

// VLAN tags in the frame, host order; 0: no tag. {10, 0} is one tag, {10, 20} is 20 inside 10.
struct VlanTags {
    std::uint16_t outer = 0, inner = 0;
    auto operator<=>(const VlanTags&) const = default;
};

// A VLAN child of a device; its MAC address may be its own.
struct OwnVlan {
    VlanTags tags;
    MacAddress mac{};
    auto operator<=>(const OwnVlan&) const = default;
};

class XdpSteering {
  public:
    enum class Mode : std::uint8_t { native, generic };
    // How the program is held: by a link, or, as before Linux 5.9, until somebody takes it off.
    enum class Hold : std::uint8_t { link, device };

    // Loads and attaches it, in the network namespace of the calling thread; with empty maps it takes
    // nothing. Errors: no such interface, no permission, a foreign program, another SteerDNS that lives,
    // an MTU or a queue count that the driver does not run XDP with. Hold::link falls back to the other.
    static Result<std::unique_ptr<XdpSteering>> attach(const std::string& device,
                                                       Hold hold = Hold::link);
    ~XdpSteering();
    XdpSteering(const XdpSteering&) = delete;
    XdpSteering& operator=(const XdpSteering&) = delete;

    // Whether the device is still there, under whatever name. A system call.
    [[nodiscard]] bool has_device() const;
    // After it went: the device that has its name now gets the program, the maps as they are. Errors as
    // attach(); may be tried again.
    Result<void> reattach();

    // `service`: where queries are taken. `own`: where upstream replies are taken too.
    Result<void> set_addresses(std::span<const IpAddress> service, std::span<const IpAddress> own);
    // UDP ports of queries, host order. Until this is called: 53.
    Result<void> set_service_ports(std::span<const std::uint16_t> ports);
    Result<void> set_upstreams(std::span<const UpstreamEndpoint> upstreams);
    // Destination ports of upstream replies, both included. Until this is called: none.
    void set_port_range(std::uint16_t first, std::uint16_t last) noexcept;
    // The device's MAC address; frames to others pass. Until this is called: the one that it had when attached.
    void set_mac(const MacAddress& mac) noexcept;
    // VLANs whose frames are looked at, besides untagged ones: those to the child's address or the device's. Errors: the device strips tags in hardware
    // and cannot be told not to.
    Result<void> set_vlans(std::span<const OwnVlan> vlans);

    [[nodiscard]] const std::string& device() const noexcept { return device_; }
    [[nodiscard]] int if_index() const noexcept { return if_index_; }
    [[nodiscard]] Mode mode() const noexcept { return mode_; }
    [[nodiscard]] Hold hold() const noexcept { return hold_; }
    // The XSKMAP; key: receive queue.
    [[nodiscard]] int sockets_fd() const noexcept;

  private:
    struct Unload {
        void operator()(steer_xdp_bpf* skeleton) const;
    };
    XdpSteering(std::string device, int if_index, Hold hold)
        : device_(std::move(device)), if_index_(if_index), hold_(hold) {}
    Result<void> load();
    Result<void> make_way();
    Result<void> hook();
    int hook_in(Mode mode);
    void unhook();

    std::string device_;
    int if_index_;
    Hold hold_;
    bool hooked_ = false;
    int link_fd_ = -1;
    bool stripping_turned_off_ = false;  // by us: on again at the end
    Mode mode_ = Mode::native;
    std::unique_ptr<steer_xdp_bpf, Unload> skeleton_;
    // What the maps hold now.
    std::set<std::pair<IpAddress, std::uint32_t>> addresses_;
    std::set<std::uint16_t> service_ports_;
    std::set<UpstreamEndpoint> upstreams_;
    std::set<OwnVlan> vlans_;
};

}  // namespace steer
