// Changes of a map that takes only so many entries.
#include "dataplane/port/map_change.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <utility>

namespace steer {
namespace {

using Entry = std::pair<std::string, int>;  // key and value

struct SmallMap {
    bool put(const Entry& entry) {
        if (entries.size() >= most && !entries.contains(entry.first)) {
            errno = E2BIG;
            return false;
        }
        entries[entry.first] = entry.second;
        return true;
    }
    void remove(const Entry& entry) { entries.erase(entry.first); }
    static std::string key(const Entry& entry) { return entry.first; }

    std::size_t most = 3;
    std::map<std::string, int> entries;
};

using Entries = std::map<std::string, int>;

}  // namespace

BOOST_AUTO_TEST_SUITE(map_change)

BOOST_AUTO_TEST_CASE(entries_are_added_replaced_and_removed) {
    SmallMap map;
    std::set<Entry> now;
    BOOST_TEST(change_entries(map, now, {{"a", 1}, {"b", 1}}));
    BOOST_TEST(change_entries(map, now, {{"b", 2}, {"c", 1}}));
    BOOST_TEST((map.entries == Entries{{"b", 2}, {"c", 1}}));
    BOOST_TEST((now == std::set<Entry>{{"b", 2}, {"c", 1}}));
}

BOOST_AUTO_TEST_CASE(a_change_that_does_not_fit_leaves_the_map_as_it_was) {
    SmallMap map;
    std::set<Entry> now;
    BOOST_TEST(change_entries(map, now, {{"a", 1}, {"b", 1}}));
    const auto before = now;
    errno = 0;
    BOOST_TEST(!change_entries(map, now, {{"a", 2}, {"c", 1}, {"d", 1}, {"e", 1}}));
    BOOST_TEST(errno == E2BIG);
    BOOST_TEST((map.entries == Entries{{"a", 1}, {"b", 1}}));
    BOOST_TEST((now == before));
    // What was added then is no part of the map later.
    BOOST_TEST(change_entries(map, now, {{"b", 1}, {"e", 1}}));
    BOOST_TEST((map.entries == Entries{{"b", 1}, {"e", 1}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
