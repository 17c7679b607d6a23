// A checksum of a configuration's text, to compare machines: the file and the files that it includes.
#pragma once

#include <cstdint>

#include "control/config/settings.h"

namespace steer {

// 48 bits of SHA-256, so that a double holds it. Reads the files; 0 if one is no regular file any more.
std::uint64_t text_hash(const config::Settings& settings);

}  // namespace steer
