// Reports sets of nftables that another process changed: removed, created again, emptied
// (nfnetlink, group nftables).
//
// Recognizes our own changes by the port numbers of our netlink sockets, and ignores them. Also
// ignores changes by the kernel (expired elements). One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "control/sinks/set_process/kernel_set.h"
#include "control/sinks/set_process/netlink_socket.h"

namespace steer::sets {

class NftablesWatch {
  public:
    using OnChange = std::function<void(const SetName&)>;  // v6 is unknown: false

    static Result<NftablesWatch> open();

    // Reads waiting messages; does not wait. Returns false if messages were lost; then anything may
    // have changed.
    bool read(const OnChange& on_change);
    [[nodiscard]] int fd() const { return socket_.fd(); }

  private:
    explicit NftablesWatch(NetlinkSocket socket) : socket_(std::move(socket)) {}
    [[nodiscard]] bool is_own(std::uint32_t port) const;
    void learn_own_sockets();

    NetlinkSocket socket_;
    std::vector<std::uint32_t> own_;  // ports; libnftables may reopen its socket
};

}  // namespace steer::sets
