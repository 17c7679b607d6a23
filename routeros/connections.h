// Searches connection tracking for addresses, for two purposes. Connections from before the row of
// their address existed would keep the wrong egress for their life, so those without a connection
// mark are removed, once. And a route whose lease has ended stays while connections use it: they
// are searched again every 30 s.
//
// This part decides which addresses to search, when, and which entries to remove. A print of
// connection tracking reads the whole table. So one print serves all addresses that are new since
// the last one, or due again; at most 65,536 per family. Newer versions print ports as separate
// properties; a session that has seen this requests only the addresses, if they are few. A print
// may end with a trap because an entry vanished. Then the same addresses are searched again, at
// most three times.
//
// A print begins one second after the first late address, and at least 5 s after the last print. It
// also begins at least 19 times the last print's duration after its end: 5 % of the router's time.
// Its results are removed at 20 per second (1,000 entries; the rest after the next print). No I/O,
// no clock.
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
    // An answer with this address was sent before its row existed; now the row exists. Returns
    // false if too many wait already.
    bool late(const Address& address, std::uint64_t now_ms);

    // The family whose connections to print now, if it is time. `quiet`: no writes wait; otherwise
    // the print waits longer. Call end_print() afterwards.
    std::optional<Menu> begin_print(bool quiet, std::uint64_t now_ms);
    void found(RowId id, const Address& address, bool is_marked);
    void end_print(std::uint64_t now_ms);
    // The print ended early: addresses that it did not show are searched again. Returns false after
    // too many tries; their connections keep the wrong egress.
    bool end_print_early(std::uint64_t now_ms);
    // A connection of that family was printed with a separate port, so that addresses can be
    // requested.
    void has_ports_apart(Menu menu) { of(menu).ports_apart = true; }
    // The addresses to request, if the router supports it; empty: print all connections.
    [[nodiscard]] std::vector<Address> asked() const;
    [[nodiscard]] bool only_unmarked() const;

    // Searches for connections to this address or prefix. The route may be removed only when the
    // connections were read and none uses it.
    void guard(const Address& address, std::uint64_t now_ms);
    [[nodiscard]] bool is_free(const Address& address, std::uint64_t now_ms) const;
    // The results of the last print: routes without connections, and the number of others.
    std::vector<Address> take_free();
    std::size_t take_busy();
    // Routes with connections at the last read.
    [[nodiscard]] std::size_t kept() const;

    struct Cut {
        Menu menu = Menu::ip;
        std::vector<RowId> ids;
    };
    // The entries to remove now with one sentence; call cut_done() or cut_missed() afterwards.
    std::optional<Cut> cut(std::uint64_t now_ms);
    std::size_t cut_done();  // returns their number
    // One of them no longer exists, and the router does not name it: repeats with halves. A single
    // one is dropped.
    void cut_missed();

    // The time of the next work for begin_print() or cut(). UINT64_MAX: no work, or an end is awaited.
    [[nodiscard]] std::uint64_t next_ms(bool quiet) const;
    [[nodiscard]] std::size_t waiting() const;
    // Stops all work for that family until session().
    void refuse(Menu menu);
    [[nodiscard]] bool refused(Menu menu) const { return of(menu).refused; }
    // The session ended: the next one repeats the present work.
    void session(std::uint64_t now_ms);
    // All connections have ended (reboot).
    void clear();

  private:
    struct Found {
        RowId id;
        Address address;
    };
    struct Family {
        boost::unordered_flat_set<Address, AddressHash> late, searched;
        // Routes: to be searched, being searched now, found with a connection, and to be searched
        // again.
        boost::unordered_flat_set<Address, AddressHash> guarded, guarding, busy, kept;
        boost::unordered_flat_set<Address, AddressHash> free;  // from the last print
        std::uint64_t free_until_ms = 0;
        std::uint64_t kept_ms = UINT64_MAX;  // next search for `kept`
        std::uint64_t since_ms = 0;          // since when `late` or `guarded` is not empty
        std::uint64_t rest_ms = 0;           // no print before
        std::deque<std::vector<Found>> cuts;
        std::size_t entries = 0;  // entries of the print in progress
        unsigned tries = 0;       // incomplete prints in a row
        bool refused = false;
        bool ports_apart = false;  // as seen in this session
    };
    [[nodiscard]] Family& of(Menu menu) { return families_[menu == Menu::ip ? 0 : 1]; }
    [[nodiscard]] const Family& of(Menu menu) const { return families_[menu == Menu::ip ? 0 : 1]; }
    static std::uint64_t print_due_ms(const Family& family, bool quiet);
    static void want(Family& family, std::uint64_t now_ms);
    static void keep(Family& family, std::uint64_t now_ms);
    static void forget_routes(Family& family);

    std::array<Family, 2> families_;
    std::optional<Menu> printing_, cutting_;
    std::uint64_t print_began_ms_ = 0, next_cut_ms_ = 0;
    std::vector<Address> freed_;
    std::size_t busy_ = 0;
};

}  // namespace steer::routeros
