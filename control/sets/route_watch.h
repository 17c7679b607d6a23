// Reports routing tables from which another program removed our routes (rtnetlink).
//
// A filter in the kernel passes only removals of routes with our protocol by other sockets than `own_port`, so a full
// table that changes costs nothing. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "control/sets/kernel_set.h"

struct mnl_socket;

namespace steer::sets {

class RouteWatch {
  public:
    using OnChange = std::function<void(const SetName&)>;

    static Result<std::unique_ptr<RouteWatch>> open(std::uint32_t own_port);
    ~RouteWatch();
    RouteWatch(const RouteWatch&) = delete;
    RouteWatch& operator=(const RouteWatch&) = delete;

    // Reads waiting messages; does not wait. False: messages were lost, anything may have changed.
    bool read(const OnChange& on_change);
    [[nodiscard]] int fd() const;

  private:
    explicit RouteWatch(mnl_socket* socket) : socket_(socket) {}

    mnl_socket* socket_;
};

}  // namespace steer::sets
