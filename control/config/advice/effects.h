// The effects of the rules of sequences, in words: for `why`, `explain` and the daemon's other
// explanations.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"

namespace steer::config {

// The effect of an executor: "forward to 192.0.2.1", "add to list 'media' (v4 'tv', v6 'tv6')".
std::string does_text(const Settings& settings, PluginIndex executor);
// The same for a rule: "reject NXDOMAIN", "run sequence 'direct'".
std::string does_text(const Settings& settings, const ExecRule& rule);

// A rule of a sequence that depends on a plugin: it has the plugin as a matcher or executor.
struct Effect {
    std::string does;
    std::string sequence;  // tag
    std::string file;
    int line = 0;
    bool negated = false;      // it applies to names that are not in the plugin
    bool with_others = false;  // it applies only if other matchers match too
    PluginIndex by = 0;        // the matcher or executor that decides about the name
};
// The effects of all rules that use a plugin with rules, in the order of the text.
std::vector<Effect> effects_of(const Settings& settings, PluginIndex plugin);

}  // namespace steer::config
