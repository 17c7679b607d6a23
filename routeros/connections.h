// Looks for addresses in connection tracking, for two purposes. Connections that were opened before the row of
// their address existed would keep the wrong egress for their life, so those without a connection mark are ended, once.
// And a route whose lease has ended stays while connections use it: it is looked for again every 30 s.
//
// This part decides for which addresses to look, when, and which entries to remove. A print of
// connection tracking reads the whole table, so one print serves all addresses that came late or have to be looked for
// since the last one, at most 65,536 per family. Newer versions print ports as separate properties; a session
// that has seen this asks only for the addresses, if they are few. A print may end
// with a trap because an entry vanished: then the same addresses are looked for again, at most three
// times. A print begins
// a second after the first late address, at least 5 s after the last print, and at least 19 times its
// duration after it: 5 % of the router's time. Its results (1,000 entries; the rest at the
// next one) are removed at 20 per second. No I/O, no clock.
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
    // An answer with this address left before its row existed; now it exists. False: too many
    // wait already.
    bool late(const Address& address, std::uint64_t now_ms);

    // The family whose connections to print now, if it is time; `quiet`: no writes wait, else there
    // is some patience. looked() must follow.
    std::optional<Menu> look(bool quiet, std::uint64_t now_ms);
    void found(RowId id, const Address& address, bool is_marked);
    void looked(std::uint64_t now_ms);
    // The print ended early: addresses that it did not show are looked for again. False: it was tried often enough, and
    // their connections keep the wrong egress.
    bool looked_in_part(std::uint64_t now_ms);
    // A connection of that family was printed with its port apart, so that its address can be asked for.
    void has_ports_apart(Menu menu) { of(menu).ports_apart = true; }
    // The addresses to ask for, if the router supports it; none: print all connections.
    [[nodiscard]] std::vector<Address> asked() const;
    [[nodiscard]] bool only_unmarked() const;

    // Whether a route to this address or prefix may go; until connections were read, or if they cannot be read, it may not.
    void guard(const Address& address, std::uint64_t now_ms);
    [[nodiscard]] bool is_free(const Address& address, std::uint64_t now_ms) const;
    // The results of the last print: routes that no connection uses, and the number of others.
    std::vector<Address> take_free();
    std::size_t take_busy();
    // Routes that connections used when it was last read.
    [[nodiscard]] std::size_t kept() const;

    struct Cut {
        Menu menu = Menu::ip;
        std::vector<RowId> ids;
    };
    // The entries to remove now with one sentence; cut_done() or cut_missed() must follow.
    std::optional<Cut> cut(std::uint64_t now_ms);
    std::size_t cut_done();  // returns their number
    // One of them no longer exists, and the router does not say which: repeats with halves; a single one is dropped.
    void cut_missed();

    // When look() or cut() may have work; UINT64_MAX: no work, or waiting for an
    // end.
    [[nodiscard]] std::uint64_t next_ms(bool quiet) const;
    [[nodiscard]] std::size_t waiting() const;
    // Nothing more of that family until session().
    void refuse(Menu menu);
    [[nodiscard]] bool refused(Menu menu) const { return of(menu).refused; }
    // The session ended: the next one repeats the work in progress.
    void session(std::uint64_t now_ms);
    // All connections have ended (reboot).
    void clear();

  private:
    struct Found {
        RowId id;
        Address address;
    };
    struct Family {
        boost::unordered_flat_set<Address, AddressHash> late, looking;
        // Of routes: to be looked for, looked for now, of those seen with a connection, and to be looked for again.
        boost::unordered_flat_set<Address, AddressHash> guarded, guarding, busy, kept;
        boost::unordered_flat_set<Address, AddressHash> free;  // by the last print
        std::uint64_t free_until_ms = 0;
        std::uint64_t kept_ms = UINT64_MAX;  // when `kept` is looked for again
        std::uint64_t since_ms = 0;          // since the first of `late` or `guarded` is there
        std::uint64_t rest_ms = 0;           // no print before
        std::deque<std::vector<Found>> cuts;
        std::size_t entries = 0;  // entries of the print in progress
        unsigned tries = 0;       // incomplete prints in a row
        bool refused = false;
        bool ports_apart = false;  // as seen in this session
    };
    [[nodiscard]] Family& of(Menu menu) { return families_[menu == Menu::ip ? 0 : 1]; }
    [[nodiscard]] const Family& of(Menu menu) const { return families_[menu == Menu::ip ? 0 : 1]; }
    static std::uint64_t look_ms(const Family& family, bool quiet);
    static void want(Family& family, std::uint64_t now_ms);
    static void keep(Family& family, std::uint64_t now_ms);
    static void forget_routes(Family& family);

    std::array<Family, 2> families_;
    std::optional<Menu> looking_, cutting_;
    std::uint64_t look_began_ms_ = 0, next_cut_ms_ = 0;
    std::vector<Address> freed_;
    std::size_t busy_ = 0;
};

}  // namespace steer::routeros
