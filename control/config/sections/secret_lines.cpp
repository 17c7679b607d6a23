#include "control/config/sections/secret_lines.h"

#include "control/config/values.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {

SecretLines::SecretLines(Reading& in, const Node& node, const Place& place, std::string_view what,
                         std::size_t bytes, std::string& path)
    : in_(in), place_(place), path_(path), bytes_(bytes) {
    std::string name;
    if (!read_value(in, node, place, {}, name)) return;
    const ResolvedPath file = in.resolve(name, place.line);
    path = file;
    content_ = in.read_file(file, place);
    if (!content_) return;
    in.note_secret(place.line, std::string(what), path);
    rest_ = matchers::without_marks(*content_);
}

std::string_view SecretLines::next() {
    while (!rest_.empty()) {
        const auto end = rest_.find('\n');
        std::string_view text = trimmed(rest_.substr(0, end));
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        ++line_;
        if (text.empty() || text.front() == '#') continue;
        // As Knot writes them.
        if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
        return text.empty() ? "0x" : text;
    }
    return {};
}

void SecretLines::refuse(std::string_view expected) {
    in_.report().error(place_.line, matchers::quoted_path(path_) + " in " + place_.name() +
                                        ", line " + std::to_string(line_) + ": " +
                                        std::string(expected));
}

std::string SecretLines::expected() const {
    return std::to_string(2 * bytes_) + " hexadecimal digits, as printed by `openssl rand -hex " +
           std::to_string(bytes_) + "`";
}

}  // namespace steer::config
