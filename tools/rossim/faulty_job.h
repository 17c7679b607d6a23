// A sentence that a fault struck: paid as it would have been, and ended as the fault says.
#pragma once

#include <memory>

#include "tools/rossim/machine.h"

namespace rossim {

// For trap, reset, hang with `applied`, hang_in_reply and reboot.
std::unique_ptr<Job> make_faulty(Machine& machine, const Fault& fault, std::unique_ptr<Job> job);

}  // namespace rossim
