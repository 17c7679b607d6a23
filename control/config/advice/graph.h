// What plugins refer to, and what follows from it: cycles, the entry, what is never used, and
// advice on how queries will go through the sequences.
#pragma once

#include <vector>

#include "control/config/reading.h"

namespace steer::config {

struct Reference {
    PluginIndex to = 0;
    int line = 0;
};
// The plugins that this one refers to, in the order of writing.
std::vector<Reference> references_of(const Plugin& plugin);

// Reports every cycle once, with its path. True if there is none.
bool check_cycles(Reading& in);
// Finds Settings::entry: what the server plugins name, else the one sequence without references.
bool find_entry(Reading& in);
// Warnings about a configuration without errors.
void advise(Reading& in);

// Warnings about what sequences do in the order in which they do it. Of a configuration without errors.

// About a sequence that is used; others are none.
void advise_sequence(Reading& in, const Plugin& plugin);
// About what queries enter first.
void advise_entry(Reading& in, const Plugin& entry);

}  // namespace steer::config
