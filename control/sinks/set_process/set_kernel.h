// The kernel's sets for SetHelper: a writer, and a watch for changes by others.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "control/sinks/set_process/kernel_set.h"
#include "matchers/result.h"

namespace steer::sets {

class SetKernel : public SetWriter {
  public:
    // Watches nftables while there is a set of nftables, and routes while there is a routing table.
    virtual Result<void> follow(bool nftables, bool routes) = 0;
    // For poll (POLLIN); -1: no watch.
    [[nodiscard]] virtual std::array<int, 2> fds() const = 0;
    struct Changes {
        std::vector<SetName> sets;
        bool lost = false;  // messages were lost: anything may have changed
    };
    // Since the last call; does not wait.
    virtual Changes changes() = 0;
};

// Uses libnftables, libipset and rtnetlink, each opened when a set first needs it, because a kernel may lack one of them.
std::unique_ptr<SetKernel> open_set_kernel();

}  // namespace steer::sets
