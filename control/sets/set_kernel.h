// The kernel's sets as SetHelper drives them: a writer, and a watch for what others change.
#pragma once

#include <memory>
#include <vector>

#include "control/sets/kernel_set.h"
#include "matchers/result.h"

namespace steer::sets {

class SetKernel : public SetWriter {
  public:
    // Changes of nftables are followed while there is a set of nftables.
    virtual Result<void> follow(bool nftables) = 0;
    // To wait for (POLLIN); -1: nothing is followed.
    [[nodiscard]] virtual int fd() const = 0;
    struct Changes {
        std::vector<SetName> sets;
        bool lost = false;  // messages were lost: anything may have changed
    };
    // Since the last call; does not wait.
    virtual Changes changes() = 0;
};

// By libnftables and libipset, each opened when the first set asks for it: a machine may lack one of the two in its kernel.
std::unique_ptr<SetKernel> open_set_kernel();

}  // namespace steer::sets
