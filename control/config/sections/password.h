// A password from any of its three settings: `password`, `password_file`, `password_env`.
#pragma once

#include <optional>
#include <string>

#include "control/config/reading.h"
#include "control/config/setting.h"
#include "matchers/secret.h"

namespace steer::config {

struct PasswordText {
    std::string password_file, password_env;
    std::optional<Secret> password;
    int password_line = 0;  // line of the setting; 0: from another source
    int file_line = 0;      // of `password_file`
    [[nodiscard]] bool is_given() const {
        return password || !password_file.empty() || !password_env.empty();
    }
};

void read_password(Reading& in, const Node& node, const Place& place, PasswordText& out);

void read_password_file(Reading& in, const Node& node, const Place& place, PasswordText& out);

// No value after a reported error, or if there is no password.
std::optional<Secret> find_password(Reading& in, const PasswordText& text, const std::string& owner,
                                    int line);

}  // namespace steer::config
