// Reports sets of nftables that another process changed: removed, created again, emptied (nfnetlink, group nftables).
//
// Own changes are recognised by the port numbers of our netlink sockets, and ignored; so are changes by the
// kernel itself (expired elements). One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "control/sets/kernel_set.h"

struct mnl_socket;

namespace steer::sets {

class NftablesWatch {
  public:
    using OnChange = std::function<void(const SetName&)>;  // v6 is unknown: false

    static Result<std::unique_ptr<NftablesWatch>> open();
    ~NftablesWatch();
    NftablesWatch(const NftablesWatch&) = delete;
    NftablesWatch& operator=(const NftablesWatch&) = delete;

    // Reads waiting messages; does not wait. False: messages were lost, anything may have changed.
    bool read(const OnChange& on_change);
    [[nodiscard]] int fd() const;

  private:
    explicit NftablesWatch(mnl_socket* socket) : socket_(socket) {}
    [[nodiscard]] bool is_own(std::uint32_t port) const;
    void learn_own_sockets();

    mnl_socket* socket_;
    std::vector<std::uint32_t> own_;  // ports; libnftables may reopen its socket
};

}  // namespace steer::sets
