// The name of steerdns-quic.
#pragma once

namespace steer::quic {

inline constexpr const char* kProgramName = "steerdns-quic";

}  // namespace steer::quic
