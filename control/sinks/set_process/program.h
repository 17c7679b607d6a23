// The start of steerdns-sets: its name and its descriptor.
#pragma once

namespace steer::sets {

inline constexpr const char* kProgramName = "steerdns-sets";
inline constexpr int kSocketFd = 3;
// Exit codes.
inline constexpr int kDone = 0, kFailed = 1, kStartedByHand = 2, kNotUnderstood = 3;

}  // namespace steer::sets
