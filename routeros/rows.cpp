#include "routeros/rows.h"

namespace steer::routeros {

Row* Rows::find(Table table, RowId id) {
    const auto found = map(table).find(id);
    return found == map(table).end() ? nullptr : &found->second.row;
}

// `by`: 1, or its negative.
void Rows::count(const Row& row, std::size_t by) {
    counts_[index(row.owner)] += by;
    if (row.owner == Owner::ours && row.is_inactive && !row.disabled) inactive_ += by;
}

void Rows::unlink(Map& map, const Entry& entry) {
    count(entry.row, std::size_t{0} - 1);
    const auto head = places_.find(entry.row.place);
    RowId* link = &head->second;
    while (*link != entry.row.id)
        link = &map.find(*link)->second.next;
    *link = entry.next;
    if (head->second == 0) places_.erase(head);
}

Row& Rows::put(const Row& row) {
    Map& rows = map(row.place.table());
    auto found = rows.find(row.id);
    if (found == rows.end()) {
        found = rows.emplace(row.id, Entry{}).first;
    } else {
        unlink(rows, found->second);
    }
    found->second.row = row;
    RowId& head = places_[row.place];
    found->second.next = head;
    head = row.id;
    count(row, 1);
    return found->second.row;
}

void Rows::erase(Table table, RowId id) {
    Map& rows = map(table);
    const auto found = rows.find(id);
    if (found == rows.end()) return;
    unlink(rows, found->second);
    rows.erase(found);
}

void Rows::clear() {
    for (auto& rows : maps_)
        rows.clear();
    places_.clear();
    counts_ = {};
    inactive_ = 0;
}

void Rows::at(const Place& place, std::vector<Row*>& rows) {
    rows.clear();
    const auto head = places_.find(place);
    if (head == places_.end()) return;
    Map& by_id = map(place.table());
    for (RowId id = head->second; id != 0;) {
        Entry& entry = by_id.find(id)->second;
        rows.push_back(&entry.row);
        id = entry.next;
    }
}

}  // namespace steer::routeros
