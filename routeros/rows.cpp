#include "routeros/rows.h"

namespace steer::routeros {

Row* Rows::find(Menu menu, RowId id) {
    const auto found = map(menu).find(id);
    return found == map(menu).end() ? nullptr : &found->second.row;
}

void Rows::unlink(Map& map, const Entry& entry) {
    --counts_[index(entry.row.owner)];
    const auto head = places_.find(entry.row.place);
    RowId* link = &head->second;
    while (*link != entry.row.id)
        link = &map.find(*link)->second.next;
    *link = entry.next;
    if (head->second == 0) places_.erase(head);
}

Row& Rows::put(const Row& row) {
    Map& rows = map(row.place.address.menu());
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
    ++counts_[index(row.owner)];
    return found->second.row;
}

void Rows::erase(Menu menu, RowId id) {
    Map& rows = map(menu);
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
}

void Rows::at(const Place& place, std::vector<Row*>& rows) {
    rows.clear();
    const auto head = places_.find(place);
    if (head == places_.end()) return;
    Map& by_id = map(place.address.menu());
    for (RowId id = head->second; id != 0;) {
        Entry& entry = by_id.find(id)->second;
        rows.push_back(&entry.row);
        id = entry.next;
    }
}

}  // namespace steer::routeros
