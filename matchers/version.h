// The version of the programs: "0.1.0", or "0.1.0+git20261123.0740.d013ea4" for a build between
// releases.
#pragma once

#include <string>

namespace steer {

// `program`, a separator and the version: "steerdnsd 0.1.0".
std::string with_version(const char* program, char separator = ' ');
// The version alone; lives as long as the program.
extern const char* const kVersion;

}  // namespace steer
