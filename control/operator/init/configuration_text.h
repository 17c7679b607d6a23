// The configuration for these answers, as YAML with comments.
#pragma once

#include <string>

#include "control/operator/init/answers.h"

namespace steer::init {

// `password_file`: the file with the router's password. Empty: the text has the password; only for
// checks.
std::string configuration_text(const Answers& answers, const std::string& password_file);

}  // namespace steer::init
