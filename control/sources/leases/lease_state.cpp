#include "control/sources/leases/lease_state.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "control/host/process/state_file.h"
#include "matchers/safe_text.h"

namespace steer::leases {
namespace {

namespace json = boost::json;
using routeros::DhcpLease;

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

// The texts of a lease, by their keys.
constexpr std::pair<std::string_view, std::string DhcpLease::*> kTexts[] = {
    {"address", &DhcpLease::address},     {"mac", &DhcpLease::mac},
    {"host_name", &DhcpLease::host_name}, {"server", &DhcpLease::server},
    {"comment", &DhcpLease::comment},     {"lists", &DhcpLease::lists}};

DhcpLease lease_of(const json::object& from) {
    DhcpLease lease;
    lease.id = routeros::parse_row_id(text_at(from, "id"));
    lease.v6 = is_true_at(from, "v6");
    lease.is_static = is_true_at(from, "static");
    lease.is_outside = is_true_at(from, "outside");
    for (const auto& [key, member] : kTexts)
        lease.*member = text_at(from, key);
    return lease;
}

}  // namespace

// Texts of a router can have any bytes, JSON is UTF-8: other texts are omitted.
std::string state_text(const ByRouter& all) {
    json::object out;
    for (const auto& [router, leases] : all) {
        json::array rows;
        for (const DhcpLease& lease : leases) {
            json::object row{{"id", routeros::row_id_text(lease.id)},
                             {"v6", lease.v6},
                             {"static", lease.is_static},
                             {"outside", lease.is_outside}};
            for (const auto& [key, member] : kTexts) {
                const std::string& text = lease.*member;
                if (is_safe_text(text, text.size())) row[key] = text;
            }
            rows.push_back(std::move(row));
        }
        out[router] = std::move(rows);
    }
    return json::serialize(out) + "\n";
}

Result<ByRouter> load_leases(const std::string& file) {
    const auto all =
        load_state(file, kMaxBytes, "names of leases are known when their routers are read");
    if (!all) return all.error();
    ByRouter out;
    for (const auto& [router, rows] : *all) {
        if (!rows.is_array()) continue;
        for (const json::value& row : rows.get_array()) {
            if (row.is_object()) out[router].push_back(lease_of(row.get_object()));
        }
    }
    return out;
}

Result<void> save_leases(const std::string& file, const std::string& text) {
    return save_state(file, text, {.setting = "leases"}, "the DHCP leases",
                      "after the next start hosts have no names until the routers are read");
}

}  // namespace steer::leases
