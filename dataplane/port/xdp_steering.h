// The XDP program on a device, and the packets that it takes from the kernel.
//
// It redirects only our packets to our sockets (xdp/steer_xdp.bpf.c defines them). All others stay
// with the kernel, and all packets while no socket is bound. It is attached by a link if the kernel
// supports links (5.9), so the end of this process detaches it. On a kernel without links, it
// replaces a program that our earlier process left. It reports, and leaves attached, a
// foreign program and one with a running owner.
//
// The set_ functions change the maps in use. They add new entries before they remove old ones, so
// an entry that stays is never missing. One thread calls them. Cost: one system call per changed
// entry.
#pragma once

#include <chrono>
#include <cstddef>
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

// An upstream as a source of replies.
struct UpstreamEndpoint {
    IpAddress address;
    std::uint16_t port = 53;  // host order
    auto operator<=>(const UpstreamEndpoint&) const = default;
};

// VLAN tags in the frame, host order; 0: no tag. {10, 0} is one tag; {10, 20} is tag 20 inside tag
// 10.
struct VlanTags {
    std::uint16_t outer = 0, inner = 0;
    auto operator<=>(const VlanTags&) const = default;
};

// A VLAN child of a device; it may have its own MAC address.
struct OwnVlan {
    VlanTags tags;
    MacAddress mac{};
    auto operator<=>(const OwnVlan&) const = default;
};

// A source prefix; IPv4 as ::ffff:a.b.c.d, so /24 has 120 bits. Host bits are 0.
struct XdpPrefix {
    IpAddress address;
    std::uint8_t bits = 128;
    auto operator<=>(const XdpPrefix&) const = default;
};

// A source prefix whose queries the program drops. `place` has its counters and its end.
struct XdpBan {
    XdpPrefix source;
    std::uint32_t place = 0;  // below XdpSteering::kMaxBans, unique
    auto operator<=>(const XdpBan&) const = default;
};
// Queries of a place. They only grow, also when another ban takes the place.
struct XdpBanCounts {
    std::uint64_t dropped = 0, passed = 0;
    std::uint64_t bytes = 0;  // of both, without headers
};

class XdpSteering {
  public:
    static constexpr std::size_t kMaxBans = 1024, kMaxBanExempt = 8192;
    static constexpr std::chrono::milliseconds kLongestBan{60'000};

    enum class Mode : std::uint8_t { native, generic };
    // How the program is attached: by a link, or to the device until it is detached (before Linux
    // 5.9).
    enum class Hold : std::uint8_t { link, device };

    // Loads and attaches it, in the network namespace of the calling thread. With empty maps it
    // redirects nothing. Errors: no such interface, no permission, a foreign program, another
    // running SteerDNS, an MTU or a queue count that the driver's XDP does not support. If a link
    // is not possible, it uses Hold::device.
    static Result<std::unique_ptr<XdpSteering>> attach(const std::string& device,
                                                       Hold hold = Hold::link);
    ~XdpSteering();
    XdpSteering(const XdpSteering&) = delete;
    XdpSteering& operator=(const XdpSteering&) = delete;

    // Whether the device still exists, under any name. A system call.
    [[nodiscard]] bool has_device() const;
    // After a removal: attaches the program, with the present maps, to the device that has the name
    // now. Errors as attach(); may be tried again.
    Result<void> reattach();

    // `service`: destinations of queries. `own`: further destinations of upstream replies.
    Result<void> set_addresses(std::span<const IpAddress> service, std::span<const IpAddress> own);
    // UDP ports of queries, host order. Until this is called: 53.
    Result<void> set_service_ports(std::span<const std::uint16_t> ports);
    Result<void> set_upstreams(std::span<const UpstreamEndpoint> upstreams);
    // Destination ports of upstream replies, both included. Until this is called: none.
    void set_port_range(std::uint16_t first, std::uint16_t last) noexcept;
    // The device's MAC address; frames to other addresses go to the kernel. Default: the address at
    // attach().
    void set_mac(const MacAddress& mac) noexcept;
    // VLANs whose frames are checked, in addition to untagged frames. The destination is the
    // child's address or the device's. Error: the device strips tags in hardware and this cannot be
    // turned off.
    Result<void> set_vlans(std::span<const OwnVlan> vlans);

    // Bans in force, and sources that no ban applies to. A new ban drops nothing before
    // renew_ban(). Errors: more than kMaxBans or kMaxBanExempt.
    Result<void> set_bans(std::span<const XdpBan> bans, std::span<const XdpPrefix> exempt);
    // The program ignores the ban after this time, at most kLongestBan.
    void renew_ban(std::uint32_t place, std::chrono::milliseconds lifetime) noexcept;
    [[nodiscard]] XdpBanCounts ban_counts(std::uint32_t place) const noexcept;

    [[nodiscard]] const std::string& device() const noexcept { return device_; }
    [[nodiscard]] int if_index() const noexcept { return if_index_; }
    [[nodiscard]] Mode mode() const noexcept { return mode_; }
    [[nodiscard]] Hold hold() const noexcept { return hold_; }
    // The XSKMAP; its key is the receive queue.
    [[nodiscard]] int sockets_fd() const noexcept;

  private:
    struct Unload {
        void operator()(steer_xdp_bpf* skeleton) const;
    };
    XdpSteering(std::string device, int if_index, Hold hold)
        : device_(std::move(device)), if_index_(if_index), hold_(hold) {}
    Result<void> load();
    Result<void> clear_leftover();
    Result<void> hook();
    int hook_in(Mode mode);
    void unhook();

    std::string device_;
    int if_index_;
    Hold hold_;
    bool hooked_ = false;
    int link_fd_ = -1;
    bool stripping_turned_off_ = false;  // true: restore it at the end
    Mode mode_ = Mode::native;
    std::unique_ptr<steer_xdp_bpf, Unload> skeleton_;
    // The present contents of the maps.
    std::set<std::pair<IpAddress, std::uint32_t>> addresses_;
    std::set<std::uint16_t> service_ports_;
    std::set<UpstreamEndpoint> upstreams_;
    std::set<OwnVlan> vlans_;
    std::set<XdpBan> bans_;
    std::set<XdpPrefix> ban_exempt_;
};

}  // namespace steer
