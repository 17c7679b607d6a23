#include "matchers/quote.h"

namespace steer::matchers {

std::string quoted_path(std::string_view path) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out + "\"";
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kShown = 60;
    std::string out = quoted_path(text.substr(0, kShown));
    if (text.size() > kShown) out.insert(out.size() - 1, "...");
    return out;
}

}  // namespace steer::matchers
