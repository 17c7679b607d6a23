// `steerdnsd --init`: asks questions, and writes a configuration that --check accepts, the router's
// password, and the RouterOS commands.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "control/operator/init/answers.h"
#include "matchers/exit_codes.h"

namespace steer::init {

struct InitOptions {
    std::string file;  // the configuration to write
    // Answers by option: "--router", also "--router-password-file".
    std::map<std::string, std::string, std::less<>> given;
    bool defaults = false;  // --yes: no questions
    bool replace = false;   // --force
};

// kExitFailed: a file exists already or cannot be written. kExitRejected: an answer is missing or
// rejected.
ExitCode run_init(const InitOptions& options);

}  // namespace steer::init
