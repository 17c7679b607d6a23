#include "matchers/version.h"

namespace steer {

const char* const kVersion = STEER_VERSION;

std::string with_version(const char* program, char separator) {
    return std::string(program) + separator + kVersion;
}

}  // namespace steer
