#include "control/sources/router_lists/list_state.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

#include "control/host/process/state_file.h"
#include "matchers/safe_text.h"

namespace steer::router_lists {

namespace json = boost::json;
using routeros::Address;
using routeros::RouterLists;
using routeros::TimedAddress;

namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
constexpr std::int64_t kLatestS = std::int64_t{1} << 40;  // later than any time of a router

std::int64_t wall_of(std::uint64_t boot_ms, const Moment& now) {
    return now.wall_s +
           (static_cast<std::int64_t>(boot_ms) - static_cast<std::int64_t>(now.boot_ms)) / 1000;
}

// A time before the boot is the boot, and one in the future is as it is.
std::uint64_t boot_of(std::int64_t wall_s, const Moment& now) {
    const std::int64_t apart_s = std::clamp(wall_s, std::int64_t{0}, kLatestS) - now.wall_s;
    const std::int64_t ms = static_cast<std::int64_t>(now.boot_ms) + apart_s * 1000;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 1));
}

std::int64_t number_at(const json::object& object, std::string_view key) {
    const json::value* const found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

std::optional<TimedAddress> address_of(const json::value& from, const Moment& now) {
    const auto* const pair = from.if_array();
    if (pair == nullptr || pair->size() != 2 || !pair->at(0).is_string() || !pair->at(1).is_int64())
        return std::nullopt;
    const auto address = Address::parse(pair->at(0).get_string());
    if (!address) return std::nullopt;
    const std::int64_t until = pair->at(1).get_int64();
    return TimedAddress{*address, until == 0 ? 0 : boot_of(until, now)};
}

KnownLists known_of(const json::object& from, const Moment& now) {
    KnownLists out;
    const std::int64_t at = number_at(from, "at");
    out.was_read = at != 0;
    out.current_ms = boot_of(std::min(at, now.wall_s), now);
    if (const auto* const lists = from.if_contains("lists");
        lists != nullptr && lists->is_object()) {
        for (const auto& [name, rows] : lists->get_object()) {
            auto& list = out.lists.lists[name];
            if (!rows.is_array()) continue;
            for (const json::value& row : rows.get_array()) {
                if (const auto address = address_of(row, now)) list.push_back(*address);
            }
        }
    }
    if (const auto* const servers = from.if_contains("servers");
        servers != nullptr && servers->is_array()) {
        for (const json::value& one : servers->get_array()) {
            if (one.is_string() && Address::parse(one.get_string()))
                out.lists.servers.emplace_back(one.get_string());
        }
    }
    return out;
}

}  // namespace

std::string state_text(const ByRouter& all, const Moment& now) {
    json::object out;
    for (const auto& [router, known] : all) {
        json::object lists;
        for (const auto& [name, addresses] : known.lists.lists) {
            // Names of a configuration can have any bytes, JSON is UTF-8: others are omitted.
            if (!is_safe_text(name, name.size())) continue;
            json::array rows;
            rows.reserve(addresses.size());
            for (const TimedAddress& one : addresses)
                rows.push_back(
                    json::array{one.address.to_string(),
                                one.until_ms == 0 ? std::int64_t{0} : wall_of(one.until_ms, now)});
            lists[name] = std::move(rows);
        }
        json::array servers;
        for (const std::string& server : known.lists.servers)
            servers.emplace_back(server);
        out[router] =
            json::object{{"at", known.was_read ? wall_of(known.current_ms, now) : std::int64_t{0}},
                         {"lists", std::move(lists)},
                         {"servers", std::move(servers)}};
    }
    return json::serialize(out) + "\n";
}

Result<ByRouter> load_lists(const std::string& file, const Moment& now) {
    const auto all =
        load_state(file, kMaxBytes, "address lists are known when their routers are read");
    if (!all) return all.error();
    ByRouter out;
    for (const auto& [router, known] : *all) {
        if (known.is_object()) out.emplace(router, known_of(known.get_object(), now));
    }
    return out;
}

Result<void> save_lists(const std::string& file, const std::string& text) {
    return save_state(file, text, {.setting = "router_lists"}, "the address lists of routers",
                      "after the next start they are empty until the routers are read");
}

std::string servers_text(const std::string& router, const RouterLists& lists) {
    std::string out = "# DNS servers that router " + safe_text(router, 200) + " learned itself.\n";
    for (const std::string& server : lists.servers)
        out += "nameserver " + server + "\n";
    return out;
}

}  // namespace steer::router_lists
