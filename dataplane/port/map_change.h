// Changes the entries of a kernel map while its readers use it.
//
// Adds new entries before it removes old ones, so an entry that stays is never missing. If an entry
// cannot be added, the map is restored: added entries are removed, and replaced values are put
// back. Cost: one system call per changed entry.
#pragma once

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace steer {

// Puts back the value that an added entry replaced, or removes the entry.
template <class T, class Map>
void take_back(Map& map, const std::set<T>& before, const std::vector<const T*>& added) {
    for (const T* const one : added) {
        const auto old = std::find_if(before.begin(), before.end(), [&](const T& entry) {
            return map.key(entry) == map.key(*one);
        });
        if (old == before.end())
            map.remove(*one);
        else
            map.put(*old);
    }
}

// `Map` has `bool put(const T&)`, `void remove(const T&)` and `std::string key(const T&)`. Two
// entries with the same key replace each other. `now`: the present entries of the map. Returns
// false if an entry could not be put; errno says why.
template <class T, class Map>
bool change_entries(Map& map, std::set<T>& now, std::set<T> wanted) {
    std::set<std::string> stays;
    std::vector<const T*> added;
    for (const T& entry : wanted) {
        stays.insert(map.key(entry));
        if (now.contains(entry)) continue;
        if (map.put(entry)) {
            added.push_back(&entry);
            continue;
        }
        const int why = errno;
        take_back(map, now, added);
        errno = why;
        return false;
    }
    for (const T& entry : now) {
        if (!stays.contains(map.key(entry))) map.remove(entry);
    }
    now = std::move(wanted);
    return true;
}

}  // namespace steer
