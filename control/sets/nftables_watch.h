// Tells of sets of nftables that somebody else changed: removed, made anew, emptied (nfnetlink, group nftables).
//
// What this process does itself is known by the port numbers of its own netlink sockets, and left out; so is what the
// kernel does by itself (elements whose time is over). One thread.
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
    using OnChange = std::function<void(const SetName&)>;  // v6 is not known: false

    static Result<std::unique_ptr<NftablesWatch>> open();
    ~NftablesWatch();
    NftablesWatch(const NftablesWatch&) = delete;
    NftablesWatch& operator=(const NftablesWatch&) = delete;

    // What is there; does not wait. False: messages were lost, anything may have changed.
    bool read(const OnChange& on_change);
    [[nodiscard]] int fd() const;

  private:
    explicit NftablesWatch(mnl_socket* socket) : socket_(socket) {}
    [[nodiscard]] bool is_own(std::uint32_t port) const;
    void learn_own_sockets();

    mnl_socket* socket_;
    std::vector<std::uint32_t> own_;  // ports; libnftables may open its socket anew
};

}  // namespace steer::sets
