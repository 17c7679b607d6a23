// A netlink socket of libmnl, closed with its object. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "matchers/result.h"

struct mnl_socket;
struct nlmsghdr;

namespace steer::sets {

class NetlinkSocket {
  public:
    using OnMessage = std::function<void(const nlmsghdr&)>;

    NetlinkSocket() = default;  // without a socket
    // `bus`: NETLINK_…; `flags`: SOCK_NONBLOCK or 0. Error: the kernel's reason.
    static Result<NetlinkSocket> open(int bus, int flags);
    // `groups`: a mask of RTMGRP_… to hear of.
    Result<void> bind(unsigned groups);
    // Exceeds the system's limit, if this process may.
    void enlarge_receive_buffer(int bytes);

    // Calls the function for each waiting message; does not wait, with SOCK_NONBLOCK. Returns false
    // if messages were lost.
    bool read_waiting(const OnMessage& on_message);

    [[nodiscard]] bool is_open() const { return socket_ != nullptr; }
    [[nodiscard]] mnl_socket* get() const { return socket_.get(); }
    [[nodiscard]] int fd() const;
    // The kernel's number of the socket, after bind().
    [[nodiscard]] std::uint32_t port() const;

  private:
    struct Close {
        void operator()(mnl_socket* socket) const;
    };
    std::unique_ptr<mnl_socket, Close> socket_;
};

}  // namespace steer::sets
