// Publishes the public suffix list of this machine (matchers/suffix): at a start, for `--check` and
// at a reload.
#pragma once

#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

// Reads the file, and publishes its table if the text has changed. If the file is missing or not
// such a list, returns warnings and keeps the present table. The first table has no list: the last
// two labels are the domain. Any thread except workers.
std::vector<Error> take_up_suffix_file(const std::string& path);
std::vector<Error> take_up_suffix_file();  // Debian's

}  // namespace steer
