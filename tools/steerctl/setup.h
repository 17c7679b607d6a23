// `steerctl setup` and `doctor`: steerdnsd does the work, because it has the configuration's reader.
#pragma once

#include <string>
#include <vector>

namespace steerctl {

// Becomes steerdnsd, which is beside this program, or in PATH. Returns only if it cannot: a sentence.
std::string become_setup(const std::vector<std::string>& options);
std::string become_doctor(const std::vector<std::string>& options);

}  // namespace steerctl
