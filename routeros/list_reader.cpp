#include "routeros/list_reader.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "routeros/time_text.h"

namespace steer::routeros {
namespace {

constexpr std::uint64_t kServersEveryMs = 10'000;
constexpr std::uint64_t kSameEndMs = 2'000;  // timeouts are printed in seconds
constexpr std::size_t kMaxServers = 8;

std::uint32_t number_of(const Address& v4) {
    std::uint32_t out = 0;
    for (std::size_t i = 12; i < v4.bytes.size(); ++i)
        out = out << 8 | v4.bytes[i];
    return out;
}

Address v4_prefix(std::uint32_t first, unsigned host_bits) {
    Address out;
    out.bytes[10] = out.bytes[11] = 0xff;
    for (std::size_t i = 0; i < 4; ++i)
        out.bytes[12 + i] = static_cast<std::uint8_t>(first >> (24 - 8 * i));
    out.prefix = static_cast<std::uint8_t>(128 - host_bits);
    return out;
}

// The fewest prefixes from `first` to `last`.
std::vector<Address> prefixes_between(std::uint32_t first, std::uint32_t last) {
    std::vector<Address> out;
    for (std::uint64_t at = first; at <= last;) {
        unsigned bits = at == 0 ? 32U : static_cast<unsigned>(std::countr_zero(at));
        while (at + (std::uint64_t{1} << bits) - 1 > last)
            --bits;
        out.push_back(v4_prefix(static_cast<std::uint32_t>(at), bits));
        at += std::uint64_t{1} << bits;
    }
    return out;
}

}  // namespace

std::vector<Address> addresses_of(Menu menu, std::string_view text) {
    if (const auto address = Address::parse(menu, text)) return {*address};
    const auto dash = text.find('-');
    if (menu != Menu::ip || dash == text.npos) return {};
    const auto first = Address::parse(menu, text.substr(0, dash));
    const auto last = Address::parse(menu, text.substr(dash + 1));
    if (!first || !last || !first->is_host() || !last->is_host()) return {};
    return prefixes_between(number_of(*first), number_of(*last));
}

ListReader::ListReader(Config config, ListSink& sink, RouterLink& link)
    : MenuReader(config.access, "address lists", link), sink_(sink) {
    configure(std::move(config), 0);
}

void ListReader::configure(Config config, std::uint64_t now_ms) {
    std::vector<std::string_view> names;
    std::size_t most = 0;
    for (const auto& [list, max] : config.max_entries) {
        names.push_back(list);
        most += max;
    }
    std::vector<Follow> menus;
    kinds_.clear();
    for (const Kind kind : {Kind::v4, Kind::v6}) {
        if (names.empty()) break;
        const Menu menu = kind == Kind::v4 ? Menu::ip : Menu::ipv6;
        kinds_.push_back(kind);
        menus.push_back({.print = print_groups({menu}, names),
                         .listen = listen(Table{menu}),
                         .may_be_missing = kind == Kind::v6,
                         .max_rows = 4 * most + 1024});
    }
    if (config.with_servers) {
        kinds_.push_back(Kind::servers);
        menus.push_back({.print = Command(forms::print_dns_servers).proplist(),
                         .listen = std::nullopt,
                         .poll_ms = kServersEveryMs,
                         .max_rows = 1});
    }
    config_ = std::move(config);
    was_cut_.clear();
    count_.clear();
    for (auto& rows : rows_)
        rows.clear();
    follow(config_.access, std::move(menus), now_ms);
}

bool ListReader::is_full(const std::string& list) {
    const std::size_t max = config_.max_entries.at(list);
    if (count_[list] < max) return false;
    if (was_cut_.insert(list).second) {
        sink_.log(Level::warning, who() + " has more than " + std::to_string(max) +
                                      " entries in list '" + list +
                                      "': the others are left out; raise max_entries");
    }
    return true;
}

bool ListReader::take_servers(const ReplyRow& row) {
    std::vector<std::string> servers;
    std::string_view text = row.get("dynamic-servers").value_or("");
    while (!text.empty() && servers.size() < kMaxServers) {
        const std::size_t end = std::min(text.find(','), text.size());
        const std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto address = Address::parse(one);
        if (!address || !address->is_host()) continue;
        const std::string plain = address->to_string();
        servers.push_back(plain.substr(0, plain.find('/')));
    }
    return std::exchange(servers_, servers) != servers;
}

bool ListReader::take(std::size_t menu, RowId id, const ReplyRow& row) {
    if (kinds_[menu] == Kind::servers) return take_servers(row);
    const std::string list(row.get("list").value_or(""));
    Row fresh{list, {}, 0};
    if (config_.max_entries.contains(list) && !row.is_true("disabled"))
        fresh.addresses = addresses_of(kinds_[menu] == Kind::v4 ? Menu::ip : Menu::ipv6,
                                       row.get("address").value_or(""));
    if (fresh.addresses.empty()) return drop(menu, id);
    if (const auto timeout = row.get("timeout")) {
        if (const auto seconds = parse_time(*timeout)) fresh.until_ms = now_ms() + *seconds * 1000;
    }
    const auto known = rows_[menu].find(id);
    const bool is_known = known != rows_[menu].end();
    if (is_known) {
        const Row& old = known->second;
        const std::uint64_t apart =
            std::max(old.until_ms, fresh.until_ms) - std::min(old.until_ms, fresh.until_ms);
        const bool same_end = (old.until_ms == 0) == (fresh.until_ms == 0) && apart <= kSameEndMs;
        if (old.list == list && old.addresses == fresh.addresses && same_end) return false;
        drop(menu, id);
    }
    if (is_full(list)) return is_known;
    ++count_[list];
    rows_[menu].emplace(id, std::move(fresh));
    return true;
}

bool ListReader::drop(std::size_t menu, RowId id) {
    if (kinds_[menu] == Kind::servers) return false;
    const auto at = rows_[menu].find(id);
    if (at == rows_[menu].end()) return false;
    --count_[at->second.list];
    rows_[menu].erase(at);
    return true;
}

bool ListReader::keep_only(std::size_t menu, const std::set<RowId>& ids) {
    if (kinds_[menu] == Kind::servers) return false;
    std::vector<RowId> gone;
    for (const auto& [id, row] : rows_[menu]) {
        if (!ids.contains(id)) gone.push_back(id);
    }
    for (const RowId id : gone)
        drop(menu, id);
    return !gone.empty();
}

void ListReader::notify() {
    RouterLists all;
    for (const auto& [list, max] : config_.max_entries)
        all.lists[list];
    for (const auto& rows : rows_) {
        for (const auto& [id, row] : rows) {
            for (const Address& address : row.addresses)
                all.lists[row.list].push_back({address, row.until_ms});
        }
    }
    for (auto& [list, addresses] : all.lists)
        std::ranges::sort(addresses);
    all.servers = servers_;
    sink_.rows(std::move(all));
}

}  // namespace steer::routeros
