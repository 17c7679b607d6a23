// The contents of the router: its two address lists and all operations that change them. Each
// change is checked as RouterOS does, and reported to the journal and to the watcher (the
// `listen`s).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rossim/address_list.h"
#include "tools/rossim/journal.h"
#include "tools/rossim/router.h"
#include "tools/rossim/sentence.h"

namespace rossim {

// A refusal with RouterOS's text; category 0 to 7, or none.
struct Trap {
    std::string message;
    std::optional<int> category;
};

constexpr int kMissingItem = 0;
constexpr int kBadValue = 1;
constexpr int kInterrupted = 2;
constexpr int kScriptFailure = 3;

Trap no_such_item();
Trap value_too_long(std::string_view name);

// Returns the rows that `.id` or `numbers` names. Throws Trap.
std::vector<std::uint64_t> ids_of(const Sentence& sentence);

// The arguments of `add` and `set`, by name: list, address, timeout, comment, disabled, ...
class RowArguments {
  public:
    RowArguments(Family family, const Attributes& attributes);  // throws Trap

    std::optional<std::string> list;
    std::optional<std::string> address;
    std::optional<std::string> comment;
    std::optional<std::int64_t> timeout_s;
    bool has_wrapped_to_zero = false;  // a timeout that is too long for IPv6: the row ends at once
    std::optional<bool> disabled, dynamic;
    std::optional<std::uint64_t> copy_from;
};

// Counts sectors written.
struct Flash {
    std::uint64_t since_reboot = 0;
    std::uint64_t total = 0;
};

class Device {
  public:
    // before: nullptr for a new row; after: nullptr for a removed one.
    using Watcher = std::function<void(Family, const Row* before, const Row* after)>;

    Device(const Options& options, Report& report, Journal journal, Watcher watcher);

    // These throw Trap, after RouterOS's checks in its order.
    std::uint64_t add(Family family, const RowArguments& arguments, std::int64_t now_us,
                      bool allow_duplicate = false);
    void set(Family family, const std::vector<std::uint64_t>& ids, const RowArguments& arguments,
             std::int64_t now_us);
    void remove(Family family, const std::vector<std::uint64_t>& ids, std::int64_t now_us);
    // Sets the dynamic rows of a DHCP lease with `address-lists`; these replace its earlier ones.
    void set_lease_rows(Family family, std::uint64_t lease, std::string_view address,
                        const std::vector<std::string>& lists, std::int64_t now_us);

    void resolve(Family family, std::string_view name, const std::vector<std::string>& addresses,
                 std::int64_t now_us);

    // Writes a change of a route to the journal, with its time.
    void write_journal(Commit commit, std::int64_t now_us);
    // Counts a write that survives a reboot.
    void write_flash(std::int64_t now_us);
    const Flash& flash() const { return flash_; }

    // Returns when the next row expires.
    std::optional<std::int64_t> next_expiry_us() const;
    void expire(std::int64_t now_us);
    void reboot(std::int64_t now_us);
    void come_up(std::int64_t now_us);

    AddressList& table(Family family) { return tables_[family == Family::ipv4 ? 0 : 1]; }
    const AddressList& table(Family family) const {
        return tables_[family == Family::ipv4 ? 0 : 1];
    }

    std::int64_t wall_ns(std::int64_t now_us) const { return wall_at_zero_ns_ + now_us * 1000; }
    // The router's own clock.
    std::int64_t clock_ns(std::int64_t now_us) const { return wall_ns(now_us) + clock_off_ns_; }
    void jump_clock(std::int64_t by_ns) { clock_off_ns_ += by_ns; }
    void set_wall_clock(std::int64_t wall_at_zero_ns) { wall_at_zero_ns_ = wall_at_zero_ns; }

  private:
    std::vector<Row*> get_rows(Family family, const std::vector<std::uint64_t>& ids);
    void set_row(Family family, Row& row, const RowArguments& arguments, std::int64_t now_us);
    void erase(Family family, std::uint64_t id, Change change, std::int64_t now_us);
    void write_journal(Change change, Family family, const Row& row, std::int64_t now_us);
    std::optional<std::int64_t> expiry(const RowArguments& arguments, std::int64_t now_us) const;

    const Options& options_;
    Report& report_;
    Journal journal_;
    Watcher watcher_;
    std::int64_t wall_at_zero_ns_;
    std::int64_t clock_off_ns_ = 0;
    Flash flash_;
    std::optional<std::int64_t> saved_us_;  // the first change that the last save contains
    AddressList tables_[2];
};

}  // namespace rossim
