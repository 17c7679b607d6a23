// What the rules of sequences do, in words: for `why`, `explain` and the daemon's other explanations.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"

namespace steer::config {

// What an executor does: "forward to 192.0.2.1", "add to list 'media' (v4 'tv', v6 'tv6')".
std::string does_text(const Settings& settings, PluginIndex executor);
// The same for a rule: "reject NXDOMAIN", "run sequence 'direct'".
std::string does_text(const Settings& settings, const ExecRule& rule);

// A rule of a sequence that depends on a plugin: by a matcher, or because it executes it.
struct Effect {
    std::string does;
    std::string sequence;  // tag
    std::string file;
    int line = 0;
    bool negated = false;      // it is done for names that are not in the plugin
    bool with_others = false;  // only if other matchers hold, too
    PluginIndex by = 0;        // the matcher or the executor that decides about the name
};
// Of each rule that a plugin with rules decides about, or is executed by, in the order of writing.
std::vector<Effect> effects_of(const Settings& settings, PluginIndex plugin);

}  // namespace steer::config
