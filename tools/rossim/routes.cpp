#include "tools/rossim/routes.h"

#include <algorithm>

#include "tools/rossim/address.h"
#include "tools/rossim/device.h"
#include "tools/rossim/records.h"

namespace rossim {

namespace {

std::string text_of(const Record& row, std::string_view name) {
    std::string scratch;
    return std::string(row.property(name, scratch).value_or(""));
}

// "10.0.0.1/32": RouterOS's words for text that is none are not known.
std::string destination(Family family, const std::string& text) {
    if (text.empty()) return family == Family::ipv4 ? "0.0.0.0/0" : "::/0";
    const auto address = normalise_address(family, text);
    if (!address || address->is_name || address->text.find('-') != std::string::npos)
        throw Trap{"invalid value for argument dst-address", kBadValue};
    const bool is_host = address->text.find('/') == std::string::npos;
    return is_host ? address->text + "/32" : address->text;
}

}  // namespace

std::optional<Family> route_family(std::string_view menu) {
    if (menu == "/ip/route") return Family::ipv4;
    if (menu == "/ipv6/route") return Family::ipv6;
    return std::nullopt;
}

void Routes::finish(std::string_view menu, Record& row, const std::vector<Record>& rows,
                    std::size_t count) const {
    row.set("dst-address", destination(*route_family(menu), text_of(row, "dst-address")));
    row.set("static", "true");
    set_flags(row);
    if (row.id == 0 && options_.max_routes && count >= *options_.max_routes)
        throw Trap{"failure: out of memory", std::nullopt};
    if (!options_.refuse_same_route) return;
    constexpr std::string_view kKey[] = {"dst-address", "routing-table", "gateway", "distance"};
    const bool is_there = std::any_of(rows.begin(), rows.end(), [&](const Record& other) {
        return other.id != row.id &&
               std::all_of(std::begin(kKey), std::end(kKey), [&](std::string_view name) {
                   return text_of(other, name) == text_of(row, name);
               });
    });
    if (is_there) throw Trap{"failure: already have such entry", std::nullopt};
}

void Routes::check_own(const Record& row, std::string_view what) {
    if (text_of(row, "dynamic") != "true") return;
    throw Trap{"failure: can not " + std::string(what) + " dynamic route", std::nullopt};
}

void Routes::set_flags(Record& row) const {
    const bool is_off = text_of(row, "disabled") == "true";
    const bool is_reachable = !unreachable_.contains(text_of(row, "gateway"));
    row.set("active", !is_off && is_reachable ? "true" : "false");
    row.set("inactive", !is_off && !is_reachable ? "true" : "false");
}

void Routes::set_gateway(const std::string& gateway, bool is_reachable) {
    if (is_reachable) {
        unreachable_.erase(gateway);
    } else {
        unreachable_.insert(gateway);
    }
}

}  // namespace rossim
