#include "matchers/quote.h"

namespace steer::matchers {

std::string quoted(std::string_view text) {
    constexpr std::size_t kShown = 60;
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text.substr(0, kShown)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    if (text.size() > kShown) out += "...";
    return out + "\"";
}

}  // namespace steer::matchers
