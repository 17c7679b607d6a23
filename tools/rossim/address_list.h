// One address-list table (IPv4 or IPv6): rows by id, by (list, address) and by expiry time.
//
// Ids only grow; only renumber() uses one again. A lookup takes logarithmic time; iteration is in
// order of ids.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/rossim/journal.h"

namespace rossim {

struct Row {
    std::uint64_t id = 0;
    std::string list;
    std::string address;
    std::string comment;
    std::int64_t created_ns = 0;             // CLOCK_REALTIME
    std::optional<std::int64_t> expires_us;  // the router's clock
    std::uint64_t parent = 0;                // the row whose DNS name has this address
    bool is_name = false;
    bool disabled = false;
    bool was_made_dynamic = false;  // by `dynamic=yes`: without a timeout, but a reboot removes it

    bool is_dynamic() const { return expires_us.has_value() || parent != 0 || was_made_dynamic; }
};

class AddressList {
  public:
    using Rows = std::map<std::uint64_t, Row>;

    // Inserts the row with the next id.
    Row& insert(Row row);
    void erase(std::uint64_t id);
    Row* find(std::uint64_t id);
    // Returns a row with that list and address; nullptr if there is none.
    const Row* find(std::string_view list, std::string_view address) const;

    // Changes indexed fields; only this function may.
    void rename(Row& row, std::string list, std::string address);
    void set_expiry(Row& row, std::optional<std::int64_t> expires_us);

    // Returns the row that expires first.
    std::optional<std::pair<std::int64_t, std::uint64_t>> next_expiry() const;

    std::vector<std::uint64_t> children_of(std::uint64_t parent) const;
    // Removes the dynamic rows. The others keep their ids, or with `renumber` get 1, 2, 3, ...
    void forget_dynamic(bool renumber);

    const Rows& rows() const { return rows_; }
    std::size_t size() const { return rows_.size(); }

  private:
    struct Key {
        std::string_view list;  // into the row
        std::string_view address;
        std::uint64_t id;
        auto operator<=>(const Key&) const = default;
    };
    static Key key_of(const Row& row) { return {row.list, row.address, row.id}; }
    void index(const Row& row);
    void unindex(const Row& row);

    Rows rows_;
    std::set<Key> keys_;
    std::set<std::pair<std::int64_t, std::uint64_t>> expiries_;
    std::set<std::pair<std::uint64_t, std::uint64_t>> children_;  // parent, child
    std::uint64_t last_id_ = 0;
};

}  // namespace rossim
