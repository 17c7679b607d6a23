// A checksum of a configuration's text, to compare machines: the file and the files that it
// includes.
#pragma once

#include <cstdint>

#include "control/config/settings.h"

namespace steer {

// 48 bits of SHA-256, which fit into a double. Reads the files; 0 if one is no longer a regular
// file.
std::uint64_t text_hash(const config::Settings& settings);

}  // namespace steer
