#include "control/config/text/dns_names.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/type_names.h"
#include "matchers/name_text.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

struct Named {
    std::string_view name;
    std::uint16_t number;
};

constexpr std::array<Named, 9> kClasses{{{"in", 1},
                                         {"cs", 2},
                                         {"ch", 3},
                                         {"chaos", 3},
                                         {"hs", 4},
                                         {"hesiod", 4},
                                         {"none", 254},
                                         {"any", 255},
                                         {"*", 255}}};

}  // namespace

std::optional<std::uint16_t> parse_qtype(std::string_view text) {
    return dns::type_from_text(text);
}

std::optional<std::uint16_t> parse_qclass(std::string_view text) {
    const std::string word = lowered(text);
    const auto at = std::find_if(kClasses.begin(), kClasses.end(),
                                 [&](const Named& n) { return n.name == word; });
    if (at != kClasses.end()) return at->number;
    constexpr std::string_view kPrefix = "class";
    std::string_view digits = word;
    if (digits.starts_with(kPrefix)) digits.remove_prefix(kPrefix.size());
    const auto number = parse_integer(digits);
    if (!number || *number > UINT16_MAX) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

std::optional<std::vector<std::uint8_t>> asked_name(std::string_view text) {
    if (matchers::is_ascii(text)) return dns::name_from_text(text);
    const auto name = matchers::parse_name(text, {.any_escape = true, .numbers = true});
    return name ? dns::name_from_text(*name) : std::nullopt;
}

std::string pointer_name_v4(std::span<const std::uint8_t> bytes) {
    std::string out;
    for (std::size_t i = bytes.size(); i-- > 0;)
        out += std::to_string(bytes[i]) + ".";
    return out + "in-addr.arpa";
}

std::string pointer_name_v6(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = bytes.size(); i-- > 0;)
        out += {kDigits[bytes[i] & 0xfU], '.', kDigits[bytes[i] >> 4], '.'};
    return out + "ip6.arpa";
}

}  // namespace steer::config
