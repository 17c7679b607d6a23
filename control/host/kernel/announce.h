// Announces new addresses on a port's interface, so that neighbours stop sending to the
// previous owner: gratuitous ARP (RFC 5227 2.3: two, two seconds apart) and unsolicited neighbour
// advertisements (RFC 4861 7.2.6: three, a second apart), by a packet socket on the interface.
//
// An address is new when it is added, when its duplicate detection has ended, and when its link
// comes up.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/host/kernel/next_hops.h"
#include "dataplane/base/counters.h"

namespace steer::kernel {

using ArpFrame = std::array<std::uint8_t, 42>;
using NeighbourAdvertisement = std::array<std::uint8_t, 86>;

ArpFrame gratuitous_arp(const MacAddress& mac, const IpAddress& address);
NeighbourAdvertisement unsolicited_advertisement(const MacAddress& mac, const IpAddress& address);

// The schedule of announcements: no sockets, and the caller gives the time.
class Announcements {
  public:
    using Time = std::chrono::steady_clock::time_point;

    // Sets the present addresses. New ones are announced; announcements of removed ones end.
    void follow(std::vector<PortAddress> addresses, Time now);
    // Sets the present addresses without an announcement.
    void assume(std::vector<PortAddress> addresses);
    // The announcements that are due now. Each is repeated as often as needed.
    std::vector<PortAddress> take_due(Time now);
    // The time of the next announcement; no value: there is none.
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

// Runs on one io_context, as NextHops does.
class Announcer {
  public:
    explicit Announcer(boost::asio::io_context& main_io);
    ~Announcer();
    Announcer(const Announcer&) = delete;
    Announcer& operator=(const Announcer&) = delete;

    void follow(std::span<const DeviceState> devices);
    // Sets the addresses at the start, which need no announcement: the kernel sent it.
    void assume(std::span<const DeviceState> devices);
    // Sets devices without ARP: their IPv4 addresses are not announced.
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
