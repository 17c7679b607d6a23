// Where and how each instruction of a program is written, for explanations.
#pragma once

#include <string>
#include <string_view>

#include "control/config/settings.h"
#include "dataplane/policy/snapshot.h"

namespace steer::build {

// A line of a configuration without blanks around it and without passwords, cut at 160 bytes.
std::string shown_line(std::string_view line);

// Completes Snapshot::source, whose places the compiler has set, from the texts that were read.
void write_source(const config::Settings& settings, Snapshot& snapshot);

}  // namespace steer::build
