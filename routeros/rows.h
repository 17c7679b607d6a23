// The known rows of a router's lists: from prints, from `listen`, and from our acknowledged writes.
//
// A timed row is known by two bounds, because a router reports its countdown in whole seconds and
// with a delay. It lives at least until `until_ms` and no longer than `gone_ms`. Promises use only
// the first bound. Rows are found by id and by place. A place may have several (imports, older
// versions). Memory: about 130 bytes per row.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "routeros/address.h"
#include "routeros/commands.h"
#include "routeros/comment.h"
#include "routeros/row_types.h"

namespace steer::routeros {

inline constexpr std::uint64_t kForever = UINT64_MAX;

using NameIndex = std::uint16_t;  // of a (table, name) pair that this router's lists use

// The place of a row. Coverage is computed per place, for rows of any plugin.
struct Place {
    NameIndex name = 0;
    Address address;
    RowType type = RowType::address;  // of its name

    [[nodiscard]] Table table() const { return {address.menu(), type}; }
    auto operator<=>(const Place&) const = default;
};
struct PlaceHash {
    std::size_t operator()(const Place& place) const noexcept {
        return AddressHash{}(place.address) ^ (std::size_t{place.name} * 0x9e3779b97f4a7c15ULL);
    }
};

enum class Owner : std::uint8_t {
    ours,    // by its comment
    orphan,  // our prefix, but the tag of an unknown plugin: listed, never changed
    foreign  // never changed
};

struct Row {
    RowId id = 0;
    Place place;
    Owner owner = Owner::foreign;
    RowKind kind = RowKind::dynamic;
    bool disabled = false;
    bool unclear = false;       // dynamic without timeout (a child of a name): its end is unknown
    bool written_here = false;  // added by this object
    bool leaving = false;       // its removal is in flight: it no longer covers
    bool is_outdated = false;   // our route with another gateway or distance: it covers nothing
    bool is_inactive = false;   // a route whose gateway the router cannot reach
    std::uint64_t until_ms = kForever;
    std::uint64_t gone_ms = kForever;
    std::uint64_t touched_ms = 0;  // last acknowledgement or `listen` report
    std::uint32_t print = 0;       // the last print that showed it
    bool is_reported = false;      // it is disabled and blocks, and was logged
    std::string comment{};         // stored for orphans, and for foreign rows in our form

    [[nodiscard]] bool is_static() const { return gone_ms == kForever && !unclear; }
    [[nodiscard]] bool is_gone(std::uint64_t now_ms) const { return gone_ms <= now_ms; }
};

class Rows {
  public:
    [[nodiscard]] Row* find(Table table, RowId id);
    // Inserts the row, or replaces the row with that id. The reference is valid until the next
    // put() or erase().
    Row& put(const Row& row);
    void erase(Table table, RowId id);
    void clear();
    // The rows at a place, as pointers that are valid until the next put() or erase().
    void at(const Place& place, std::vector<Row*>& rows);

    [[nodiscard]] std::size_t size() const {
        std::size_t size = 0;
        for (const auto& map : maps_)
            size += map.size();
        return size;
    }
    // Number of our routes with a gateway that the router cannot reach.
    [[nodiscard]] std::size_t inactive() const { return inactive_; }
    [[nodiscard]] std::size_t count(Owner owner) const { return counts_[index(owner)]; }
    template <class F>
    void for_each(F&& f) const {
        for (const auto& map : maps_) {
            for (const auto& [id, entry] : map)
                f(entry.row);
        }
    }

  private:
    struct Entry {
        Row row;
        RowId next = 0;  // at the same place
    };
    using Map = boost::unordered_flat_map<RowId, Entry>;
    static std::size_t index(Owner owner) { return static_cast<std::size_t>(owner); }
    Map& map(Table table) { return maps_[table.index()]; }
    void unlink(Map& map, const Entry& entry);
    void count(const Row& row, std::size_t by);

    std::array<Map, kTables.size()> maps_;
    boost::unordered_flat_map<Place, RowId, PlaceHash> places_;
    std::array<std::size_t, 3> counts_{};
    std::size_t inactive_ = 0;
};

}  // namespace steer::routeros
