#include "control/config/sections/password.h"

#include <utility>

#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::size_t kLongestPassword = 1024;

}  // namespace

void read_password(Reading& in, const Node& node, const Place& place, PasswordText& out) {
    if (node.is_text() && node.text.size() <= kLongestPassword) {
        out.password = node.text;
        out.password_line = node.replaced || node.text.empty() ? 0 : place.line;
    } else if (node.is_null()) {
        in.report().error(place.line,
                          place.name() + " is empty: write \"\" if the user has no password");
    } else {
        in.report().error(place.line, place.name() + ": expected text of at most 1024 characters");
    }
}

void read_password_file(Reading& in, const Node& node, const Place& place, PasswordText& out) {
    if (read_value(in, node, place, {}, out.password_file)) out.file_line = place.line;
}

std::optional<Secret> find_password(Reading& in, const PasswordText& text, const std::string& owner,
                                    int line) {
    const int given = (text.password ? 1 : 0) + (text.password_file.empty() ? 0 : 1) +
                      (text.password_env.empty() ? 0 : 1);
    const auto refuse = [&](const std::string& sentence) -> std::optional<Secret> {
        in.report().error(line, sentence);
        return std::nullopt;
    };
    if (given == 0) {
        return refuse("'password' is missing in " + owner +
                      ": write 'password', 'password_file' or 'password_env'");
    }
    if (given > 1)
        return refuse(
            owner + " has more than one of 'password', 'password_file', 'password_env': keep one");
    if (text.password) {
        if (text.password_line != 0) in.note_secret(text.password_line, "the password of " + owner);
        return text.password;
    }
    if (!text.password_env.empty()) {
        auto value = in.environment(text.password_env);
        if (value) return Secret(*value);
        return refuse("the environment variable " + matchers::quoted(text.password_env) +
                      " in 'password_env' of " + owner + " is not set");
    }
    const ResolvedPath resolved = in.resolve(text.password_file, text.file_line);
    const std::string& path = resolved.text();
    const auto content = in.read_file(resolved, {"password_file", owner, line});
    if (!content) return std::nullopt;
    in.note_secret(line, "the password of " + owner, path);
    const std::string_view bytes = matchers::without_marks(*content);
    std::string first(bytes.substr(0, bytes.find_first_of("\r\n")));
    if (first.empty())
        return refuse("the first line of " + matchers::quoted_path(path) +
                      " in 'password_file' of " + owner + " is empty");
    return Secret(first);
}

}  // namespace steer::config
