// Reads a configuration: YAML. Checks it as a whole and reports every mistake.
//
// Uses only the configuration, the files that it names (rules, passwords, persistent addresses) and
// the environment. It resolves no name, and queries no interface, socket or router. The start
// reports problems that only it can find (a port in use, a missing right).
//
// No exception leaves it. Memory is bounded by the files' size (an alias bomb is an error).
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

// The file that the programs read without --config.
inline constexpr const char* kDefaultFile = "/etc/steerdns/steerdns.yaml";

// How the layer over the configuration is read (layer.h).
struct ManagedOptions {
    bool is_on = false;  // false: `control.managed` has no effect
    // Gives the calling thread the rights of the daemon's user, until the result is destroyed on
    // it. `user`: of `control`, may be empty. Empty: the rights stay as they are.
    std::function<Result<std::shared_ptr<void>>(const std::string& user)> as_user;
    // The layer's text, in place of the file's.
    std::optional<std::string> text;
    // False: the file is not read; without `text` there is no layer.
    bool has_file = true;
};

struct LoadOptions {
    // Base of relative paths in the configuration; empty: the folder of the configuration.
    std::string base_dir;
    // Source of ${NAME} and password_env; empty: the process's environment.
    std::function<std::optional<std::string>(const std::string&)> environment;
    // True: the downloads of a start have run, so a list file that is still missing is an error.
    bool downloads_tried = false;
    // Texts that replace the files with these names; nullptr: none.
    std::shared_ptr<const SourceTexts> texts{};
    ManagedOptions managed{};
    // Lines of `extra` of a `recursion` that may not be there are left out with a warning, and are no
    // errors (Recursion::left_out): for a start, and for who explains what a start has done.
    bool leaves_out_lines = false;
    bool keeps_placeholders = false;  // ${NAME} stays as it is written
};

struct LoadOutcome {
    Settings settings;          // complete only if ok()
    std::vector<Error> errors;  // by line; each a sentence for the operator
    std::vector<Error> warnings;
    // Whether some errors are about sections, keys, plugin types, matchers or executors that this
    // version does not know.
    bool has_unknown_names = false;
    [[nodiscard]] bool ok() const { return errors.empty(); }
};

LoadOutcome load(const std::string& path, const LoadOptions& options = {});
// Reads `text` as the content of a file named `name`. Relative paths start from base_dir or ".".
LoadOutcome load_text(std::string_view text, const std::string& name,
                      const LoadOptions& options = {});

}  // namespace steer::config
