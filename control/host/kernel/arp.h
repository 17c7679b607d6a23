// The ARP mode of a port's interface, with RouterOS's names, by the kernel's sysctls (IPv4 only).
//
//   mode             sysctl (net.ipv4.conf.IF and neigh.IF)    effect
//   enabled          arp_ignore 0, mcast_solicit 3             answers, queries, learns
//   disabled         arp_ignore 8, {mcast,ucast}_solicit 0     no answers, no queries: only static
//                                                              entries
//   reply-only       {mcast,ucast}_solicit 0, entries removed  answers; uses only static entries
//   proxy-arp        proxy_arp 1                               also answers for addresses routed
//                                                              elsewhere
//   local-proxy-arp  proxy_arp_pvlan 1, send_redirects 0       answers for neighbours on the same
//                                                              interface
//
// The kernel answers for others only if forwarding is on (conf.IF.forwarding). It uses the larger
// value of conf.all and conf.IF.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer::kernel {

enum class ArpMode : std::uint8_t { enabled, disabled, reply_only, proxy_arp, local_proxy_arp };

struct ArpKnob {
    std::string path;  // under /proc/sys/net/ipv4: "conf/eth0/arp_ignore"
    int value = 0;
    bool operator==(const ArpKnob&) const = default;
};

// All sysctls of a mode, so that one mode can replace another.
std::vector<ArpKnob> arp_knobs(ArpMode mode, const std::string& interface);

class ArpSetting {
  public:
    // Applies a mode to an interface in the calling thread's network namespace. Error: a sysctl is
    // missing or not writable.
    static Result<std::unique_ptr<ArpSetting>> apply(ArpMode mode, const std::string& interface);
    ~ArpSetting();  // restores the old values, if the interface still exists
    ArpSetting(const ArpSetting&) = delete;
    ArpSetting& operator=(const ArpSetting&) = delete;

    // Why the mode has no effect; empty: it has an effect.
    [[nodiscard]] const std::string& warning() const { return warning_; }

  private:
    ArpSetting() = default;
    struct Changed {
        int fd;
        int before;
    };
    Result<void> set(const ArpKnob& knob);
    std::vector<Changed> changed_;
    std::string warning_;
};

}  // namespace steer::kernel
