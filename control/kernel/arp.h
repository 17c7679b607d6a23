// How a port's interface takes part in ARP, in RouterOS's words and by the kernel's knobs (IPv4 alone).
//
//   mode             knob (net.ipv4.conf.IF and neigh.IF)            what it does
//   enabled          arp_ignore 0, mcast_solicit 3                   answers, asks, learns
//   disabled         arp_ignore 8, {mcast,ucast}_solicit 0           neither answers nor asks: static entries alone
//   reply-only       {mcast,ucast}_solicit 0, entries removed        answers, but only static entries are used
//   proxy-arp        proxy_arp 1                                     answers as well for what is routed elsewhere
//   local-proxy-arp  proxy_arp_pvlan 1, send_redirects 0             answers for neighbours on the same interface
//
// The kernel answers for others only where it forwards (conf.IF.forwarding); of conf.all and conf.IF it takes
// the larger.
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

// Every knob that a mode means, so that one mode follows another.
std::vector<ArpKnob> arp_knobs(ArpMode mode, const std::string& interface);

class ArpSetting {
  public:
    // Of an interface in the calling thread's network namespace. Error: a knob that is not there, or not ours.
    static Result<std::unique_ptr<ArpSetting>> apply(ArpMode mode, const std::string& interface);
    ~ArpSetting();  // as it was before, where that is still there
    ArpSetting(const ArpSetting&) = delete;
    ArpSetting& operator=(const ArpSetting&) = delete;

    // What keeps the mode from having its effect; empty: nothing.
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
