// Connections that were opened before the row of their address was there: they keep the wrong
// egress for their life, so those that carry no connection mark are ended, once.
//
// What is decided here: for which addresses to look, when, which entries to remove. A print of
// connection tracking walks all of it, so one print serves all addresses that came late since the
// last, 65,536 of a family at most. Newer versions print ports as properties of their own; a session
// that has seen that asks for the addresses, if they are few, so that less is printed. A print may end
// with a trap because an entry vanished: then the same addresses are looked for again, three times
// at most. It
// begins a second after the first of them, 5 s after the last print at the earliest and 19 times as
// long after it as it took: 5 % of the router's time. What it finds (1,000 entries; the rest by the
// next one) is removed at 20 a second. No I/O, no clock.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "routeros/commands.h"

namespace steer::routeros {

// The address in `dst-address` of a connection: "192.0.2.1:443", "192.0.2.1", "[2001:db8::1]:443",
// "2001:db8::1".
std::optional<Address> connection_address(Menu menu, std::string_view text);

class Connections {
  public:
    // An answer with this address left before its row was there, which it is now. False: too many
    // wait already.
    bool late(const Address& address, std::uint64_t now_ms);

    // Whose connections are to be printed now, if it is time; `quiet`: no writes wait, else there
    // is some patience. looked() must follow.
    std::optional<Menu> look(bool quiet, std::uint64_t now_ms);
    void found(RowId id, const Address& address);
    void looked(std::uint64_t now_ms);
    // The print ended early: what it did not show is looked for again. False: it has been tried often enough, and what it
    // did not show keeps the wrong egress.
    bool looked_in_part(std::uint64_t now_ms);
    // A connection of that family was printed with its port apart, so that its address can be asked for.
    void has_ports_apart(Menu menu) { of(menu).ports_apart = true; }
    // The addresses that are looked for, if they can be asked for; none: all connections have to be printed.
    [[nodiscard]] std::vector<Address> asked() const;

    struct Cut {
        Menu menu = Menu::ip;
        std::vector<RowId> ids;
    };
    // What is to be removed now with one sentence; cut_done() or cut_missed() must follow.
    std::optional<Cut> cut(std::uint64_t now_ms);
    std::size_t cut_done();  // how many
    // One of them is there no more, and which is not said: in halves again, one alone is forgotten.
    void cut_missed();

    // When look() or cut() may have something; UINT64_MAX: nothing is to be done, or an end is
    // waited for.
    [[nodiscard]] std::uint64_t next_ms(bool quiet) const;
    [[nodiscard]] std::size_t waiting() const;
    // Nothing more of that family until session().
    void refuse(Menu menu);
    [[nodiscard]] bool refused(Menu menu) const { return of(menu).refused; }
    // The session ended: what was in progress is to be done again, by the next one.
    void session(std::uint64_t now_ms);
    // All connections are gone.
    void clear();

  private:
    struct Found {
        RowId id;
        Address address;
    };
    struct Family {
        boost::unordered_flat_set<Address, AddressHash> late, looking;
        std::uint64_t since_ms = 0;  // that the first of `late` is
        std::uint64_t rest_ms = 0;   // no print before
        std::deque<std::vector<Found>> cuts;
        std::size_t entries = 0;  // of the print in progress
        unsigned tries = 0;       // prints in part, one after another
        bool refused = false;
        bool ports_apart = false;  // as far as this session knows
    };
    [[nodiscard]] Family& of(Menu menu) { return families_[menu == Menu::ip ? 0 : 1]; }
    [[nodiscard]] const Family& of(Menu menu) const { return families_[menu == Menu::ip ? 0 : 1]; }
    static std::uint64_t look_ms(const Family& family, bool quiet);

    std::array<Family, 2> families_;
    std::optional<Menu> looking_, cutting_;
    std::uint64_t look_began_ms_ = 0, next_cut_ms_ = 0;
};

}  // namespace steer::routeros
