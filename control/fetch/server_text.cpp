#include "control/fetch/server_text.h"

#include <algorithm>
#include <optional>
#include <string>

namespace steer::fetch {
namespace {

constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// What stands behind `key`, if the line begins so.
std::optional<std::string_view> behind(std::string_view line, std::string_view key) {
    if (!line.starts_with(key)) return std::nullopt;
    return line.substr(key.size());
}

std::vector<IpAddress> addresses_in(std::string_view list) {
    std::vector<IpAddress> found;
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(" \t,;"), list.size());
        const std::string_view word = list.substr(0, end);
        if (const auto ip = IpAddress::parse(std::string(word))) found.push_back(*ip);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return found;
}

}  // namespace

std::vector<IpAddress> read_servers(std::string_view text) {
    std::vector<IpAddress> servers;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (const auto one = behind(line, "nameserver")) {
            for (const IpAddress& address : addresses_in(*one))
                servers.push_back(address);
        } else if (const auto lease = behind(line, "option domain-name-servers")) {
            servers = addresses_in(*lease);
        } else if (const auto leased6 = behind(line, "option dhcp6.name-servers")) {
            servers = addresses_in(*leased6);
        } else if (const auto networkd = behind(line, "DNS=")) {
            servers = addresses_in(*networkd);
        }
    }
    return servers;
}

}  // namespace steer::fetch
