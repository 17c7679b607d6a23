#include "tools/rossim/device.h"

#include <algorithm>

#include "tools/rossim/address.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

constexpr std::int64_t kMaxTimeoutS = 21'474'836;  // 35w3d13h13m56s

// IPv4 refuses what does not fit into 31 bits of 1/100 s; IPv6 wraps it, and what is below zero then is 0.
std::int64_t read_timeout(Family family, const std::string& text) {
    const auto seconds = parse_duration(text);
    if (!seconds) throw Trap{"invalid time value for argument timeout", kBadValue};
    if (*seconds <= kMaxTimeoutS) return *seconds;
    if (family == Family::ipv4)
        throw Trap{"value of timeout is out of range (00:00:00 .. 35w3d13:13:56)", kBadValue};
    const auto wrapped = static_cast<std::int32_t>(static_cast<std::uint64_t>(*seconds) * 100);
    return std::max(wrapped, 0) / 100;
}

bool read_bool(std::string_view name, const std::string& text) {
    const auto value = parse_bool(text);
    if (!value) {
        throw Trap{"input does not match any value of " + std::string(name), kBadValue};
    }
    return *value;
}

ListAddress read_address(Family family, const std::string& text) {
    auto address = normalise_address(family, text);
    if (!address) throw Trap{"failure: " + text + " is not a valid dns name", std::nullopt};
    return std::move(*address);
}

Trap duplicate() {
    return {"failure: already have such entry", std::nullopt};
}

Trap dynamic_row(std::string_view what) {
    return {"failure: can not " + std::string(what) + " dynamic entry", std::nullopt};
}

}  // namespace

Trap no_such_item() {
    return {"no such item", kMissingItem};
}

// RouterOS's words for it are not known.
Trap value_too_long(std::string_view name) {
    return {"failure: value of " + std::string(name) + " is too long", std::nullopt};
}

std::vector<std::uint64_t> ids_of(const Sentence& sentence) {
    const std::string* numbers = sentence.find(".id");
    if (numbers == nullptr) numbers = sentence.find("numbers");
    if (numbers == nullptr) throw Trap{"missing value(s) of argument(s) numbers", kMissingItem};
    const auto ids = parse_id_list(*numbers);
    if (!ids) throw no_such_item();
    return *ids;
}

RowArguments::RowArguments(Family family, const Attributes& attributes) {
    for (const auto& [name, value] : attributes) {
        if (name == "list") {
            list = value;
        } else if (name == "address") {
            address = value;
        } else if (name == "comment") {
            comment = value;
        } else if (name == "timeout") {
            timeout_s = read_timeout(family, value);
            has_wrapped_to_zero = *timeout_s == 0 && parse_duration(value) != 0;
        } else if (name == "disabled") {
            disabled = read_bool(name, value);
        } else if (name == "copy-from") {
            copy_from = parse_id(value);
            if (!copy_from) throw no_such_item();
        } else if (name == "dynamic") {
            dynamic = read_bool(name, value);
        } else if (name != "numbers" && name != ".id") {
            throw Trap{"unknown parameter " + name, kMissingItem};
        }
    }
}

Device::Device(const Options& options, Report& report, Journal journal, Watcher watcher)
    : options_(options),
      report_(report),
      journal_(std::move(journal)),
      watcher_(std::move(watcher)),
      wall_at_zero_ns_(options.wall_at_zero_ns) {}

void Device::write_journal(Change change, Family family, const Row& row, std::int64_t now_us) {
    if (!journal_) return;
    Commit commit{wall_ns(now_us), options_.name, change,      family, row.list,
                  row.address,     std::nullopt,  row.comment, row.id, row.disabled};
    if (row.expires_us) commit.left_us = *row.expires_us - now_us;
    journal_(commit);
}

void Device::write_journal(Commit commit, std::int64_t now_us) {
    if (!journal_) return;
    commit.t_ns = wall_ns(now_us);
    commit.router = options_.name;
    journal_(commit);
}

std::optional<std::int64_t> Device::expiry(const RowArguments& arguments,
                                           std::int64_t now_us) const {
    const std::int64_t timeout_s = *arguments.timeout_s;
    const bool expires = options_.zero_timeout_expires || arguments.has_wrapped_to_zero;
    if (timeout_s == 0 && !expires) return std::nullopt;
    return now_us + timeout_s * 1'000'000;
}

std::uint64_t Device::add(Family family, const RowArguments& arguments, std::int64_t now_us,
                          bool allow_duplicate) {
    Row row;
    if (arguments.copy_from) {
        const Row* const model = table(family).find(*arguments.copy_from);
        if (model == nullptr) throw no_such_item();
        row = *model;
        row.parent = 0;
        row.expires_us.reset();
    }
    if (arguments.list) row.list = *arguments.list;
    if (row.list.empty()) throw Trap{"missing value(s) of argument(s) list", kMissingItem};
    if (!arguments.address && !arguments.copy_from) {
        throw Trap{"missing value(s) of argument(s) address", kMissingItem};
    }
    if (arguments.address) {
        ListAddress address = read_address(family, *arguments.address);
        row.address = std::move(address.text);
        row.is_name = address.is_name;
    }
    if (!allow_duplicate && table(family).find(row.list, row.address) != nullptr) {
        throw duplicate();
    }
    if (options_.max_rows && tables_[0].size() + tables_[1].size() >= *options_.max_rows) {
        throw Trap{"failure: out of memory", std::nullopt};
    }
    row.comment = arguments.comment.value_or(row.comment);
    row.disabled = arguments.disabled.value_or(row.disabled);
    row.created_ns = clock_ns(now_us);
    row.was_made_dynamic = arguments.dynamic.value_or(false);
    if (arguments.timeout_s) row.expires_us = expiry(arguments, now_us);
    const Row& stored = table(family).insert(std::move(row));
    ++report_.adds;
    if (!stored.is_dynamic()) write_flash(now_us);
    write_journal(Change::add, family, stored, now_us);
    watcher_(family, nullptr, &stored);
    return stored.id;
}

std::vector<Row*> Device::get_rows(Family family, const std::vector<std::uint64_t>& ids) {
    std::vector<Row*> rows;
    for (const std::uint64_t id : ids) {
        rows.push_back(table(family).find(id));
        if (rows.back() == nullptr && options_.multi_id_atomic) throw no_such_item();
    }
    return rows;
}

void Device::set(Family family, const std::vector<std::uint64_t>& ids,
                 const RowArguments& arguments, std::int64_t now_us) {
    for (Row* row : get_rows(family, ids)) {
        if (row == nullptr) throw no_such_item();
        set_row(family, *row, arguments, now_us);
    }
}

void Device::set_row(Family family, Row& row, const RowArguments& arguments, std::int64_t now_us) {
    if (row.parent != 0) throw dynamic_row("change");
    if (arguments.disabled && *arguments.disabled && row.is_dynamic()) throw dynamic_row("disable");
    const bool static_timeout = arguments.timeout_s && !row.is_dynamic();
    if (static_timeout && options_.static_timeout == StaticTimeout::refused) {
        throw Trap{"failure: can not set timeout of static entry", std::nullopt};
    }
    const Row before = row;
    const std::string list = arguments.list.value_or(row.list);
    if (list.empty()) throw Trap{"missing value(s) of argument(s) list", kMissingItem};
    ListAddress address{row.address, row.is_name};
    if (arguments.address) address = read_address(family, *arguments.address);
    const bool moves = list != row.list || address.text != row.address;
    if (moves && table(family).find(list, address.text) != nullptr) throw duplicate();

    if (moves) {
        for (const std::uint64_t child : table(family).children_of(row.id)) {
            erase(family, child, Change::remove, now_us);
        }
        write_journal(Change::remove, family, row, now_us);
        table(family).rename(row, list, address.text);
        row.is_name = address.is_name;
    }
    if (arguments.comment) row.comment = *arguments.comment;
    if (arguments.disabled) row.disabled = *arguments.disabled;
    if (arguments.timeout_s &&
        !(static_timeout && options_.static_timeout == StaticTimeout::ignored)) {
        table(family).set_expiry(row, expiry(arguments, now_us));
    }
    ++report_.sets;
    if (!before.is_dynamic() || !row.is_dynamic()) write_flash(now_us);
    write_journal(moves ? Change::add : Change::set, family, row, now_us);
    watcher_(family, &before, &row);
}

void Device::remove(Family family, const std::vector<std::uint64_t>& ids, std::int64_t now_us) {
    get_rows(family, ids);
    for (const std::uint64_t id : ids) {
        const Row* const row = table(family).find(id);
        if (row == nullptr) throw no_such_item();
        if (row->parent != 0) throw dynamic_row("remove");
        ++report_.removes;
        erase(family, id, Change::remove, now_us);
    }
}

void Device::erase(Family family, std::uint64_t id, Change change, std::int64_t now_us) {
    for (const std::uint64_t child : table(family).children_of(id)) {
        erase(family, child, change, now_us);
    }
    const Row before = *table(family).find(id);
    table(family).erase(id);
    if (!before.is_dynamic()) write_flash(now_us);
    write_journal(change, family, before, now_us);
    if (change != Change::expire || options_.listen_tells_expiry) {
        watcher_(family, &before, nullptr);
    }
}

void Device::resolve(Family family, std::string_view name,
                     const std::vector<std::string>& addresses, std::int64_t now_us) {
    std::vector<std::uint64_t> parents;
    for (const auto& [id, row] : table(family).rows()) {
        if (row.is_name && row.address == name) parents.push_back(id);
    }
    for (const std::uint64_t parent : parents) {
        for (const std::uint64_t child : table(family).children_of(parent)) {
            erase(family, child, Change::remove, now_us);
        }
        const std::string list = table(family).find(parent)->list;
        for (const std::string& text : addresses) {
            ListAddress address = read_address(family, text);
            if (table(family).find(list, address.text) != nullptr) continue;
            Row child;
            child.list = list;
            child.address = std::move(address.text);
            child.comment = name;
            child.created_ns = clock_ns(now_us);
            child.parent = parent;
            const Row& stored = table(family).insert(std::move(child));
            write_journal(Change::add, family, stored, now_us);
            watcher_(family, nullptr, &stored);
        }
    }
}

void Device::set_lease_rows(Family family, std::uint64_t lease, std::string_view address,
                            const std::vector<std::string>& lists, std::int64_t now_us) {
    constexpr std::uint64_t kLeases = std::uint64_t{1} << 62;  // above the ids of rows
    const std::uint64_t parent = kLeases + lease;
    for (const std::uint64_t child : table(family).children_of(parent))
        erase(family, child, Change::remove, now_us);
    for (const std::string& list : lists) {
        ListAddress own = read_address(family, std::string(address));
        if (table(family).find(list, own.text) != nullptr) continue;
        Row row;
        row.list = list;
        row.address = std::move(own.text);
        row.created_ns = clock_ns(now_us);
        row.parent = parent;
        const Row& stored = table(family).insert(std::move(row));
        write_journal(Change::add, family, stored, now_us);
        watcher_(family, nullptr, &stored);
    }
}

std::optional<std::int64_t> Device::next_expiry_us() const {
    std::optional<std::int64_t> first;
    for (const AddressList& list : tables_) {
        const auto next = list.next_expiry();
        if (next && (!first || next->first < *first)) first = next->first;
    }
    return first;
}

void Device::expire(std::int64_t now_us) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        for (auto next = table(family).next_expiry(); next && next->first <= now_us;
             next = table(family).next_expiry()) {
            erase(family, next->second, Change::expire, now_us);
        }
    }
}

void Device::write_flash(std::int64_t now_us) {
    if (saved_us_ && now_us < *saved_us_ + options_.flash_save_us) return;
    saved_us_ = now_us;
    flash_.since_reboot += options_.flash_sectors_per_write;
    flash_.total += options_.flash_sectors_per_write;
}

void Device::reboot(std::int64_t now_us) {
    flash_.since_reboot = 0;
    saved_us_.reset();
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        for (const auto& [id, row] : table(family).rows()) {
            // The journal's reader drops rows with a timeout by itself, not these.
            if (row.parent != 0) write_journal(Change::remove, family, row, now_us);
        }
        table(family).forget_dynamic(options_.renumber_ids_on_reboot);
    }
    write_journal({.change = Change::reboot}, now_us);
}

void Device::come_up(std::int64_t now_us) {
    write_journal({.change = Change::up}, now_us);
}

}  // namespace rossim
