// Writes host routes into a routing table of the kernel by rtnetlink. A BGP daemon (BIRD) learns
// them there.
//
// Our routes are blackholes with the protocol and the metric of route_marks.h. No other route is
// changed or removed, even with the same prefix. No rule needs to use the table, so the routes
// affect no packet of this machine. The kernel keeps them when this process ends; ours() finds them
// again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/sinks/set_process/kernel_set.h"
#include "control/sinks/set_process/netlink_socket.h"

struct nlmsghdr;

namespace steer::sets {

class RouteWriter final : public SetWriter {
  public:
    // Opens the socket, once.
    Result<void> open();
    // Port of its socket, after open(): the sender of our changes in events.
    [[nodiscard]] std::uint32_t port() const;

    // A table exists as soon as it has a route, so this fails only without rtnetlink.
    Result<SetAbility> read(const SetName& set) override;
    // 512 routes are one system call. An existing route is not an error.
    Result<void> add(const SetName& set, std::span<const SetElement> elements) override;
    // Not needed: the kernel reports changes (RouteWatch).
    Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override;
    Result<void> remove(const SetName& set, std::span<const matchers::Prefix> elements) override;
    Result<std::vector<matchers::Prefix>> ours(const SetName& set) override;

  private:
    struct Refused {
        std::size_t index;  // of the element
        int error;          // errno
    };
    // Sends a message for each element; returns the kernel's refusals, in order.
    Result<std::vector<Refused>> change(const SetName& set, std::uint16_t type,
                                        std::span<const matchers::Prefix> elements);
    Result<std::vector<Refused>> replies(std::uint32_t first_seq, std::size_t count);
    // Appends our routes. The value is false if routes changed during the call: then some may be
    // missing.
    Result<bool> read_routes(const SetName& set, std::vector<matchers::Prefix>& found);

    NetlinkSocket socket_;
    std::uint32_t seq_ = 0;
};

}  // namespace steer::sets
