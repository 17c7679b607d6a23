// A case from a seed: small, and with more of what makes ways to an answer than chance alone would give.
#pragma once

#include <cstdint>

#include "differential/case.h"

namespace steer::differential {

Case make_case(std::uint32_t seed);

}  // namespace steer::differential
