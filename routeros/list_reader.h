// Follows address lists of a router, in both families, and the DNS servers that the router learned.
// (`dynamic-servers` of /ip/dns has no `listen` and is read every 10 s.)
//
// Disabled rows and rows with names do not count; the router resolves a name into separate rows.
// Ranges become prefixes. A row with a timeout has an end, for times in which the router cannot
// report it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/menu_reader.h"

namespace steer::routeros {

struct TimedAddress {
    Address address;
    std::uint64_t until_ms = 0;  // CLOCK_BOOTTIME; 0: no end
    auto operator<=>(const TimedAddress&) const = default;
};

// The addresses of a row: one, or the prefixes of a range. Empty: a name, or not an address of this
// family.
std::vector<Address> addresses_of(Menu menu, std::string_view text);

struct RouterLists {
    std::map<std::string, std::vector<TimedAddress>> lists;  // by name, sorted
    std::vector<std::string> servers;                        // addresses, in the router's order
    bool operator==(const RouterLists&) const = default;
};

using ListSink = MenuSink<RouterLists>;

class ListReader final : public MenuReader {
  public:
    struct Config {
        ReaderConfig access;
        std::map<std::string, std::size_t> max_entries;  // of each followed list
        bool with_servers = false;
        bool operator==(const Config&) const = default;
    };
    using Rows = RouterLists;
    ListReader(Config config, ListSink& sink, RouterLink& link);

    // Connects again with these settings.
    void configure(Config config, std::uint64_t now_ms);

  private:
    enum class Kind : std::uint8_t { v4, v6, servers };
    struct Row {
        std::string list;
        std::vector<Address> addresses;
        std::uint64_t until_ms = 0;
    };
    bool take(std::size_t menu, RowId id, const ReplyRow& row) override;
    bool drop(std::size_t menu, RowId id) override;
    bool keep_only(std::size_t menu, const std::set<RowId>& ids) override;
    void notify() override;
    void log(Level level, std::string_view sentence) override { sink_.log(level, sentence); }

    bool take_servers(const ReplyRow& row);
    bool is_full(const std::string& list);

    Config config_;
    ListSink& sink_;
    std::vector<Kind> kinds_;                   // of the menus
    std::map<RowId, Row> rows_[2];              // of the two menus of address lists
    std::map<std::string, std::size_t> count_;  // rows of each list
    std::set<std::string> was_cut_;             // lists with a log line about their length
    std::vector<std::string> servers_;
};

}  // namespace steer::routeros
