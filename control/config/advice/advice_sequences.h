// Warnings about what sequences do in the order in which they do it. Of a configuration without errors.
#pragma once

#include "control/config/reading.h"

namespace steer::config {

// About a sequence that is used; others are none.
void advise_sequence(Reading& in, const Plugin& plugin);
// About what queries enter first.
void advise_entry(Reading& in, const Plugin& entry);

}  // namespace steer::config
