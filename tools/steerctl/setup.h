// `steerctl setup`: steerdnsd looks at the machine, because it has the configuration's reader.
#pragma once

#include <string>
#include <vector>

namespace steerctl {

// Becomes steerdnsd, which is beside this program, or in PATH. Returns only if it cannot: a sentence.
std::string become_setup(const std::vector<std::string>& options);

}  // namespace steerctl
