#include "control/host/resolver/server_text.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "matchers/prefix/zoned_address.h"
#include "matchers/text.h"

namespace steer::resolver {
namespace {

// The text after `key`, if the line begins with it.
std::optional<std::string_view> behind(std::string_view line, std::string_view key) {
    if (!line.starts_with(key)) return std::nullopt;
    return line.substr(key.size());
}

// "192.0.2.1", "fe80::1%eth0".
std::optional<NamedServer> server_in(std::string_view word) {
    auto found = parse_zoned(word);
    if (!found) return std::nullopt;
    return NamedServer{found->address, std::move(found->zone)};
}

std::vector<NamedServer> servers_in(std::string_view list) {
    std::vector<NamedServer> found;
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(" \t,;"), list.size());
        if (auto server = server_in(list.substr(0, end))) found.push_back(std::move(*server));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return found;
}

}  // namespace

std::vector<NamedServer> read_servers(std::string_view text) {
    std::vector<NamedServer> servers;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line =
            matchers::trimmed(matchers::without_marks(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (const auto one = behind(line, "nameserver")) {
            for (NamedServer& server : servers_in(*one))
                servers.push_back(std::move(server));
        } else if (const auto lease = behind(line, "option domain-name-servers")) {
            servers = servers_in(*lease);
        } else if (const auto leased6 = behind(line, "option dhcp6.name-servers")) {
            servers = servers_in(*leased6);
        } else if (const auto networkd = behind(line, "DNS=")) {
            servers = servers_in(*networkd);
        }
    }
    return servers;
}

}  // namespace steer::resolver
