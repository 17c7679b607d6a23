// The name of steerdns-sets.
#pragma once

namespace steer::sets {

inline constexpr const char* kProgramName = "steerdns-sets";

}  // namespace steer::sets
