#include "matchers/list/lines.h"

#include <algorithm>

#include "matchers/text.h"

namespace steer::matchers {

Lines::Lines(std::string_view bytes) : rest_(without_marks(bytes)), at_end_(rest_.empty()) {}

std::optional<Line> Lines::next() {
    if (at_end_) return std::nullopt;
    const auto end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view text = trimmed(without_marks(rest_.substr(0, end)));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    at_end_ = rest_.empty();
    return Line{text, ++number_};
}

std::optional<Error> not_utf8(std::string_view bytes) {
    // A byte order mark, or a start like ASCII text with two bytes per letter.
    const auto is_letter = [](char c) { return c >= ' ' && c <= '~'; };
    const bool marked = bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff");
    bool wide = bytes.size() >= 4;
    for (std::size_t i = 0; wide && i < 4; i += 2) {
        const char first = bytes[i], second = bytes[i + 1];
        wide = (first == 0 && is_letter(second)) || (second == 0 && is_letter(first));
    }
    if (!marked && !wide) return std::nullopt;
    return Error{"the file is UTF-16: save it as UTF-8"};
}

std::string_view without_comment(std::string_view text) {
    if (text.starts_with('#')) return {};
    for (auto at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
        if (kBlank.find(text[at - 1]) != std::string_view::npos) return trimmed(text.substr(0, at));
    }
    return text;
}

}  // namespace steer::matchers
