// The references between plugins and their consequences: cycles, the entry, unused plugins, and
// advice about the path of queries through the sequences.
#pragma once

#include <vector>

#include "control/config/reading.h"

namespace steer::config {

struct Reference {
    PluginIndex to = 0;
    int line = 0;
};
// The plugins that this one refers to, in the order of the text.
std::vector<Reference> references_of(const Plugin& plugin);

// Reports every cycle once, with its path. Returns true if there is none.
bool check_cycles(Reading& in);
// Finds Settings::entry: the executors of the server plugins, else the only sequence without
// references.
bool find_entry(Reading& in);
// Warnings about a configuration without errors.
void advise(Reading& in);

// Warnings about the order of a sequence's rules. The configuration must have no errors.

// Warns about a sequence; only about one that is used.
void advise_sequence(Reading& in, const Plugin& plugin);
// Warns about an executor that queries enter first.
void advise_entry(Reading& in, const Plugin& entry);

}  // namespace steer::config
