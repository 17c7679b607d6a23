#include "routeros/dhcp_leases.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace steer::routeros {
namespace {

constexpr std::size_t kMaxListsBytes = 1024;
constexpr std::size_t kMaxPrinted = 4 * kMaxLeases;  // no real router has more

constexpr const CommandForm* kPrints[] = {&forms::print_leases, &forms::print_bindings,
                                          &forms::print_dhcp_networks};
constexpr const CommandForm* kListens[] = {&forms::listen_leases, &forms::listen_bindings,
                                           &forms::listen_dhcp_networks};
constexpr std::size_t kV6 = 1, kNetworks = 2;  // of the menus; the first is of leases, too

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

// The first of these properties that the row has, without its prefix length.
std::string first_of(const ReplyRow& row, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        const auto value = row.get(name);
        if (value && !value->empty()) return std::string(value->substr(0, kMaxHostNameBytes));
    }
    return {};
}

std::optional<DhcpLease> lease_of(bool v6, const ReplyRow& row) {
    if (row.get("status").value_or("") != "bound" || row.is_true("disabled")) return std::nullopt;
    DhcpLease lease;
    lease.v6 = v6;
    lease.is_static = !row.is_true("dynamic");
    lease.address = first_of(row, {"active-address", "address"});
    lease.server = first_of(row, {"active-server", "server"});
    if (const auto slash = lease.address.find('/'); slash != std::string::npos) {
        if (lease.address.substr(slash) != (v6 ? "/128" : "/32")) return std::nullopt;
        lease.address.resize(slash);
    }
    lease.mac = v6 ? mac_of_duid(row.get("duid").value_or(""))
                   : lower(first_of(row, {"active-mac-address", "mac-address"}));
    lease.host_name = row.get("host-name").value_or("").substr(0, kMaxHostNameBytes);
    lease.comment = row.get("comment").value_or("").substr(0, kMaxHostNameBytes);
    lease.lists = row.get("address-lists").value_or("").substr(0, kMaxListsBytes);
    if (lease.address.empty()) return std::nullopt;
    return lease;
}

}  // namespace

// Some RouterOS versions omit the type of DUID-LLT and DUID-LL: then time and address, or only the address, remain.
std::string mac_of_duid(std::string_view duid) {
    constexpr std::size_t kMacDigits = 12;
    if (duid.starts_with("0x")) duid.remove_prefix(2);
    const bool is_hexadecimal = duid.find_first_not_of("0123456789abcdefABCDEF") == duid.npos;
    const bool is_long = duid.size() == 28;
    const bool may_be = duid.size() == kMacDigits || duid.size() == 20 || is_long;
    if (!is_hexadecimal || !may_be || (is_long && !duid.starts_with("00010001"))) return {};
    const std::string digits = lower(duid.substr(duid.size() - kMacDigits));
    std::string out;
    for (std::size_t i = 0; i < kMacDigits; i += 2)
        out += (i == 0 ? "" : ":") + digits.substr(i, 2);
    return out;
}

LeaseReader::LeaseReader(ReaderConfig config, LeaseSink& sink, RouterLink& link)
    : MenuReader(config, "DHCP leases", link), sink_(sink) {
    configure(std::move(config), 0);
}

void LeaseReader::configure(ReaderConfig config, std::uint64_t now_ms) {
    std::vector<Follow> menus;
    for (std::size_t i = 0; i < std::size(kPrints); ++i)
        menus.push_back({.print = Command(*kPrints[i]),
                         .listen = Command(*kListens[i]),
                         .may_be_missing = i != 0,
                         .max_rows = kMaxPrinted});
    follow(std::move(config), std::move(menus), now_ms);
}

bool LeaseReader::take(std::size_t menu, RowId id, const ReplyRow& row) {
    if (menu == kNetworks) {
        const auto network = Address::parse(Menu::ip, row.get("address").value_or(""));
        if (!network) return drop(menu, id);
        return std::exchange(networks_[id], *network) != *network;
    }
    auto& rows = rows_[menu];
    auto lease = lease_of(menu == kV6, row);
    if (!lease) return drop(menu, id);
    if (rows.size() >= kMaxLeases && !rows.contains(id)) {
        if (!std::exchange(was_cut_[menu], true)) {
            sink_.log(Level::warning, who() + " has more than " + std::to_string(kMaxLeases) +
                                          " DHCP leases: the others have no names here");
        }
        return false;
    }
    lease->id = id;
    DhcpLease& known = rows[id];
    if (known == *lease) return false;
    known = *std::move(lease);
    return true;
}

bool LeaseReader::drop(std::size_t menu, RowId id) {
    if (menu == kNetworks) return networks_.erase(id) != 0;
    return rows_[menu].erase(id) != 0;
}

bool LeaseReader::keep_only(std::size_t menu, const std::set<RowId>& ids) {
    const auto is_gone = [&](const auto& row) { return !ids.contains(row.first); };
    if (menu == kNetworks) return std::erase_if(networks_, is_gone) != 0;
    return std::erase_if(rows_[menu], is_gone) != 0;
}

void LeaseReader::mark_outside(std::vector<DhcpLease>& all) const {
    constexpr std::uint8_t kShortest = 96;  // 0.0.0.0/0
    if (networks_.empty()) return;
    std::set<Address> networks;
    for (const auto& [id, network] : networks_)
        networks.insert(network);
    for (DhcpLease& lease : all) {
        const auto address = lease.v6 ? std::nullopt : Address::parse(Menu::ip, lease.address);
        lease.is_outside = address.has_value();
        for (auto prefix = kShortest; lease.is_outside && prefix <= address->prefix; ++prefix)
            lease.is_outside = !networks.contains(address->within(prefix));
    }
}

void LeaseReader::notify() {
    std::vector<DhcpLease> all;
    all.reserve(rows_[0].size() + rows_[1].size());
    for (const auto& rows : rows_) {
        for (const auto& [id, lease] : rows)
            all.push_back(lease);
    }
    mark_outside(all);
    sink_.rows(std::move(all));
}

}  // namespace steer::routeros
