// Reads a configuration: YAML, checked as a whole, every mistake named.
//
// Nothing is touched but the configuration, the files that it names (rules, passwords, persistent
// addresses) and the environment: no name is looked up, no interface, socket or router is asked.
// What only a start can see (a port that is taken, a right that is missing) is said by the start.
//
// No exception leaves; memory is bounded by the files' size (an alias-bomb is an error, not a
// death).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::config {

// What the programs read without --config.
inline constexpr const char* kDefaultFile = "/etc/steerdns/steerdns.yaml";

struct LoadOptions {
    // What relative paths in the configuration start from; empty: the folder of the configuration.
    std::string base_dir;
    // Where ${NAME} and password_env look; empty: the process's environment.
    std::function<std::optional<std::string>(const std::string&)> environment;
    // The downloads of a start have run: a list file that is still missing is an error.
    bool downloads_tried = false;
    // Texts that are read instead of the files of these names; nullptr: none.
    std::shared_ptr<const SourceTexts> texts{};
};

struct LoadOutcome {
    Settings settings;          // complete only if ok()
    std::vector<Error> errors;  // by line; each a sentence for the operator
    std::vector<Error> warnings;
    // Some of the errors are about sections, keys, plugin types, matchers or executors that this version does not know.
    bool has_unknown_names = false;
    [[nodiscard]] bool ok() const { return errors.empty(); }
};

LoadOutcome load(const std::string& path, const LoadOptions& options = {});
// As if `text` were the content of a file called `name`; relative paths start from base_dir or ".".
LoadOutcome load_text(std::string_view text, const std::string& name,
                      const LoadOptions& options = {});

}  // namespace steer::config
