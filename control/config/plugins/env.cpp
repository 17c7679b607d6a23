// env: holds if an environment variable exists or has a value, which is read once, with the
// configuration.
#include <algorithm>

#include "control/config/plugins/words.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kEnvForms = "KEY, KEY=VALUE, KEY:VALUE, or KEY VALUE";

bool has_separator(std::string_view word) {
    return word.find_first_of(":=") != std::string_view::npos;
}

// KEY, KEY= and KEY: ask whether it exists; KEY=VALUE and KEY:VALUE whether it has that value.
bool condition_holds(const Reading& in, std::string_view word) {
    const auto end = std::min(word.find_first_of(":="), word.size());
    const auto found = in.environment(std::string(trimmed(word.substr(0, end))));
    const auto value = trimmed(word.substr(std::min(end + 1, word.size())));
    return found && (value.empty() || *found == value);
}

// KEY VALUE alone, or conditions that all have to hold.
void read_env_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    Constant out{!words.empty()};
    if (words.size() == 2 && !has_separator(words.front().value)) {
        const std::string &key = words.front().value, &value = words.back().value;
        const auto found = in.environment(key);
        out.value = found && *found == value;
        if (in.environment(value)) {
            in.report().warn(words.front().line,
                             owner_of(plugin) + " compares " + matchers::quoted(key) +
                                 " with the text " + matchers::quoted(value) +
                                 ", which is also the name of a variable: write '" + key + "=" +
                                 value + "', or '" + key + "= " + value + "=' if both must exist");
        }
    } else {
        for (const Text& word : words) {
            if (has_separator(word.value.substr(0, 1)) || word.value.empty()) {
                in.report().error(word.line,
                                  owner_of(plugin) + ": expected " + std::string(kEnvForms));
            }
            out.value = condition_holds(in, word.value) && out.value;
        }
    }
    plugin.args = out;
}

}  // namespace

const PluginType kEnvType{"env",
                          Role::matcher,
                          "Matches if an environment variable exists (`KEY`, `KEY=`, `KEY:`) or "
                          "has a value (`KEY=VALUE`, `KEY:VALUE`). All conditions must hold. "
                          "Variables are read once, when the configuration is loaded.",
                          "env KEY... | env KEY=VALUE...",
                          "list of conditions, or one text; `KEY VALUE` alone means `KEY=VALUE`",
                          no_rows,
                          read_words<kEnvForms, read_env_all>,
                          read_quick_words<kEnvForms, read_env_all>};

}  // namespace steer::config
