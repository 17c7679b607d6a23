// The configuration that answers make, as YAML with comments.
#pragma once

#include <string>

#include "control/operator/init/answers.h"

namespace steer::init {

// `password_file`: the file with the router's password; empty: the password itself is in the text, for checks alone.
std::string configuration_text(const Answers& answers, const std::string& password_file);

}  // namespace steer::init
