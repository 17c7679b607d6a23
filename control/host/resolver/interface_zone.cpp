#include "control/host/resolver/interface_zone.h"

#include <net/if.h>

#include <array>
#include <charconv>
#include <optional>

namespace steer::resolver {
namespace {

std::optional<unsigned> number_in(const std::string& zone) {
    unsigned number = 0;
    const char* const end = zone.data() + zone.size();
    const auto [rest, error] = std::from_chars(zone.data(), end, number);
    return error == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace

unsigned interface_number(const std::string& zone) {
    const unsigned by_name = ::if_nametoindex(zone.c_str());
    return by_name != 0 ? by_name : number_in(zone).value_or(0);
}

std::string interface_name(const std::string& zone) {
    if (::if_nametoindex(zone.c_str()) != 0) return zone;  // also a name of digits alone
    const auto number = number_in(zone);
    if (!number) return zone;
    std::array<char, IF_NAMESIZE> name{};
    return ::if_indextoname(*number, name.data()) != nullptr ? name.data() : "";
}

}  // namespace steer::resolver
