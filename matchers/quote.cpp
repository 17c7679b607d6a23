#include "matchers/quote.h"

#include "matchers/safe_text.h"

namespace steer::matchers {

std::string quoted_path(std::string_view path) {
    return '"' + safe_text(path, std::string::npos) + '"';
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kShown = 60;
    const std::string_view shown = whole_characters(text, kShown);
    std::string out = quoted_path(shown);
    if (shown.size() < text.size()) out.insert(out.size() - 1, "...");
    return out;
}

}  // namespace steer::matchers
