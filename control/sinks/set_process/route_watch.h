// Reports routing tables from which another program removed our routes (rtnetlink).
//
// A kernel filter passes only removals of routes with our protocol by other sockets than
// `own_port`. So changes of a full table cost nothing. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "control/sinks/set_process/kernel_set.h"
#include "control/sinks/set_process/netlink_socket.h"

namespace steer::sets {

class RouteWatch {
  public:
    using OnChange = std::function<void(const SetName&)>;

    static Result<RouteWatch> open(std::uint32_t own_port);

    // Reads waiting messages; does not wait. Returns false if messages were lost; then anything may
    // have changed.
    bool read(const OnChange& on_change);
    [[nodiscard]] int fd() const { return socket_.fd(); }

  private:
    explicit RouteWatch(NetlinkSocket socket) : socket_(std::move(socket)) {}

    NetlinkSocket socket_;
};

}  // namespace steer::sets
