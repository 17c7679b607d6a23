#include "client_names.h"

#include <boost/json/object.hpp>

#include "cells.h"
#include "command.h"

namespace steerctl {
ClientNames::ClientNames(const boost::json::value& answer) {
    for (const auto& value : array_of(object_of(answer), "clients")) {
        const auto& row = object_of(value);
        const std::string name = string_of(row, "name"), address = string_of(row, "address");
        if (!name.empty() && !address.empty()) names_.emplace(address, name);
    }
}

std::string ClientNames::shown(const std::string& address) const {
    const auto at = names_.find(address);
    return at == names_.end() ? address : printable(at->second) + " (" + address + ")";
}

ClientNames client_names(const Options& options) {
    const Reply reply = ask(options.socket, "clients.list", nullptr, kPatience);
    return reply.error.empty() ? ClientNames(reply.result) : ClientNames();
}

}  // namespace steerctl
