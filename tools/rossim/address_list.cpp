#include "tools/rossim/address_list.h"

namespace rossim {

void AddressList::index(const Row& row) {
    keys_.insert(key_of(row));
    if (row.expires_us) expiries_.emplace(*row.expires_us, row.id);
    if (row.parent != 0) children_.emplace(row.parent, row.id);
}

void AddressList::unindex(const Row& row) {
    keys_.erase(key_of(row));
    if (row.expires_us) expiries_.erase({*row.expires_us, row.id});
    if (row.parent != 0) children_.erase({row.parent, row.id});
}

Row& AddressList::insert(Row row) {
    row.id = ++last_id_;
    Row& stored = rows_.emplace_hint(rows_.end(), row.id, std::move(row))->second;
    index(stored);
    return stored;
}

void AddressList::erase(std::uint64_t id) {
    const auto it = rows_.find(id);
    if (it == rows_.end()) return;
    unindex(it->second);
    rows_.erase(it);
}

Row* AddressList::find(std::uint64_t id) {
    const auto it = rows_.find(id);
    return it == rows_.end() ? nullptr : &it->second;
}

const Row* AddressList::find(std::string_view list, std::string_view address) const {
    const auto it = keys_.lower_bound(Key{list, address, 0});
    if (it == keys_.end() || it->list != list || it->address != address) return nullptr;
    return &rows_.find(it->id)->second;
}

void AddressList::rename(Row& row, std::string list, std::string address) {
    unindex(row);
    row.list = std::move(list);
    row.address = std::move(address);
    index(row);
}

void AddressList::set_expiry(Row& row, std::optional<std::int64_t> expires_us) {
    unindex(row);
    row.expires_us = expires_us;
    index(row);
}

std::optional<std::pair<std::int64_t, std::uint64_t>> AddressList::next_expiry() const {
    if (expiries_.empty()) return std::nullopt;
    return *expiries_.begin();
}

std::vector<std::uint64_t> AddressList::children_of(std::uint64_t parent) const {
    std::vector<std::uint64_t> ids;
    for (auto it = children_.lower_bound({parent, 0}); it != children_.end(); ++it) {
        if (it->first != parent) break;
        ids.push_back(it->second);
    }
    return ids;
}

void AddressList::forget_dynamic(bool renumber) {
    Rows kept;
    std::uint64_t last = 0;
    for (auto& [id, row] : rows_) {
        if (row.is_dynamic()) continue;
        last = renumber ? last + 1 : id;
        row.id = last;
        kept.emplace_hint(kept.end(), last, std::move(row));
    }
    if (renumber) last_id_ = last;
    keys_.clear();
    expiries_.clear();
    children_.clear();
    rows_ = std::move(kept);
    for (const auto& [id, row] : rows_)
        index(row);
}

}  // namespace rossim
