#include "control/streams/http/http_site.h"

#include "matchers/text.h"

namespace steer::stream {
namespace {

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80".
std::optional<IpAddress> parse_node(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        return end == std::string_view::npos ? std::nullopt
                                             : IpAddress::parse(text.substr(1, end - 1));
    }
    const auto colon = text.find(':');
    const bool has_port = colon != std::string_view::npos && colon == text.rfind(':');
    return IpAddress::parse(has_port ? text.substr(0, colon) : text);
}

}  // namespace

std::optional<IpAddress> HttpSite::client_in(std::string_view value) const {
    for (;;) {
        const auto comma = value.rfind(',');
        const bool is_first = comma == std::string_view::npos;
        const auto node = parse_node(matchers::trimmed(is_first ? value : value.substr(comma + 1)));
        if (!node || is_first || !trusts(*node)) return node;
        value = value.substr(0, comma);
    }
}

}  // namespace steer::stream
