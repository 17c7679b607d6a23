// Puts the public suffix list of this machine in force (matchers/suffix): at a start, for `--check` and at a reload.
#pragma once

#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

// Reads the file, and publishes its table if the text is another than before. Otherwise warnings: without the file, or
// with one that is no list, the table before stays in force, at first one that takes the last two labels for the domain.
// Any thread but a worker.
std::vector<Error> take_up_suffix_file(const std::string& path);
std::vector<Error> take_up_suffix_file();  // Debian's

}  // namespace steer
