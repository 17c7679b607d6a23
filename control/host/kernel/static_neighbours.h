// Configured entries of the kernel's neighbour tables on a port's interface. Static entries are
// never resolved or replaced. For published entries, the kernel answers on behalf of another host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/host/kernel/neighbours.h"
#include "control/host/kernel/netlink.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::kernel {

struct StaticNeighbour {
    IpAddress ip;
    MacAddress mac{};  // unused for published ones: the kernel uses the interface's own
    bool published =
        false;  // the kernel does so only for addresses that it forwards to (as for proxy-arp)
};

class StaticNeighbours {
  public:
    static Result<std::unique_ptr<StaticNeighbours>> add(
        int if_index, const std::vector<StaticNeighbour>& entries);
    ~StaticNeighbours();  // removes them, if the interface still exists
    StaticNeighbours(const StaticNeighbours&) = delete;
    StaticNeighbours& operator=(const StaticNeighbours&) = delete;

  private:
    StaticNeighbours(std::unique_ptr<Netlink> netlink, int if_index)
        : netlink_(std::move(netlink)), if_index_(if_index) {}
    std::unique_ptr<Netlink> netlink_;
    int if_index_;
    std::vector<StaticNeighbour> added_;
};

// Removes entries that the kernel learns on interfaces with `arp: reply-only`, where only static
// entries are used. The removal may be some milliseconds late.
//
// Works by events; forget() removes older entries. One thread.
class LearnedNeighbours {
  public:
    static Result<std::unique_ptr<LearnedNeighbours>> open(std::vector<int> if_indices);

    [[nodiscard]] int fd() const { return events_->fd(); }  // readable: call remove()
    void remove();
    void forget();  // everything learned so far

  private:
    LearnedNeighbours(std::unique_ptr<Netlink> events, std::unique_ptr<Netlink> requests,
                      std::vector<int> if_indices)
        : events_(std::move(events)),
          requests_(std::move(requests)),
          if_indices_(std::move(if_indices)) {}
    [[nodiscard]] bool is_learned(const nlmsghdr& message) const;
    void remove_one(const NeighbourKey& key);
    std::unique_ptr<Netlink> events_, requests_;
    std::vector<int> if_indices_;
};

}  // namespace steer::kernel
