#include "client_names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <string_view>

#include "cells.h"
#include "command.h"

namespace steerctl {
namespace {

// Whether it is an address, a prefix or a MAC address, right or wrong: the daemon says more about
// it. No other name has only these characters and one of the separators.
bool is_address(std::string_view text) {
    constexpr std::string_view kBytes = "0123456789abcdefABCDEF.:/-";
    return text.find_first_of(".:/") != text.npos && text.find_first_not_of(kBytes) == text.npos;
}

std::string joined(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts)
        out.append(out.empty() ? "" : ", ").append(text);
    return out;
}

}  // namespace

ClientNames::ClientNames(const boost::json::value& answer) {
    for (const auto& value : array_of(object_of(answer), "clients")) {
        const auto& row = object_of(value);
        const std::string name = string_of(row, "name"), address = string_of(row, "address");
        if (name.empty()) continue;
        if (!address.empty()) names_.emplace(address, name);
        clients_[name].push_back({address, string_of(row, "mac")});
    }
}

std::string ClientNames::shown(const std::string& address) const {
    const auto at = names_.find(address);
    return at == names_.end() ? address : printable(at->second) + " (" + address + ")";
}

ClientNames::Found ClientNames::find(const std::string& written, ClientAs as) const {
    if (written.empty() || is_address(written)) return {written, {}};
    const auto at = clients_.find(written);
    if (at == clients_.end())
        return {{},
                "'" + written +
                    "' is not an address or the name of a client; 'steerctl clients' shows both"};
    std::vector<std::string> found;
    for (const Row& row : at->second) {
        const std::string& one = as == ClientAs::device && !row.mac.empty() ? row.mac : row.address;
        if (!one.empty() && std::ranges::find(found, one) == found.end()) found.push_back(one);
    }
    if (found.size() == 1) return {found.front(), {}};
    if (found.empty()) return {{}, "no address of '" + written + "' is known now"};
    return {{}, "'" + written + "' is the name of " + joined(found) + ": write one of them"};
}

ClientNames client_names(const Options& options) {
    const Reply reply = ask(options.socket, "clients.list", nullptr, kPatience);
    return reply.error.empty() ? ClientNames(reply.result) : ClientNames();
}

ClientNames::Found known_client(const Options& options, const std::string& written, ClientAs as) {
    const bool is_name = !written.empty() && !is_address(written);
    return (is_name ? client_names(options) : ClientNames()).find(written, as);
}

}  // namespace steerctl
