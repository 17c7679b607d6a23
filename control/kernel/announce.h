// Tells the neighbours about addresses that appeared on a port's interface, so that they do not go on sending
// to whoever had them before: gratuitous ARP (RFC 5227 2.3: two, two seconds apart) and unsolicited neighbour
// advertisements (RFC 4861 7.2.6: three, a second apart), by a packet socket on the interface.
//
// An address appears when it comes, when its duplicate detection has ended, and when its link comes up.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/kernel/next_hops.h"
#include "dataplane/base/counters.h"

namespace steer::kernel {

using ArpFrame = std::array<std::uint8_t, 42>;
using NeighbourAdvertisement = std::array<std::uint8_t, 86>;

ArpFrame gratuitous_arp(const MacAddress& mac, const IpAddress& address);
NeighbourAdvertisement unsolicited_advertisement(const MacAddress& mac, const IpAddress& address);

// What is to be said, and when: no sockets, no clock of its own.
class Announcements {
  public:
    using Time = std::chrono::steady_clock::time_point;

    // The addresses that are there now. Those that were not there before are announced, those that are gone
    // are not any more.
    void follow(std::vector<PortAddress> addresses, Time now);
    // They are there, and nobody is told.
    void assume(std::vector<PortAddress> addresses);
    // Those due by now; each comes back until it was said often enough.
    std::vector<PortAddress> take_due(Time now);
    // When take_due() has something next; nothing: never.
    [[nodiscard]] std::optional<Time> next() const;

  private:
    struct Pending {
        PortAddress address;
        unsigned left;
        Time due;
    };
    std::vector<PortAddress> known_;  // sorted
    std::vector<Pending> pending_;
};

// On one io_context, as NextHops is.
class Announcer {
  public:
    explicit Announcer(boost::asio::io_context& main_io);
    ~Announcer();
    Announcer(const Announcer&) = delete;
    Announcer& operator=(const Announcer&) = delete;

    void follow(std::span<const DeviceState> devices);
    // What is there at start was announced by the kernel, or is somebody's who had it before us.
    void assume(std::span<const DeviceState> devices);
    // Devices without ARP: nothing is said of their IPv4 addresses.
    void set_quiet(std::vector<int> if_indices) { quiet_ = std::move(if_indices); }

    Count arp_sent, advertisements_sent;

  private:
    void send_due();
    void send(const PortAddress& address);

    boost::asio::steady_timer timer_;
    Announcements announcements_;
    std::vector<int> quiet_;
    int socket_ = -1;
};

}  // namespace steer::kernel
