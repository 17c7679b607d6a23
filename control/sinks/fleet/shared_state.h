// What people change on one box, in Redis: the entries of each kind (control/api/rpc/shared_entries.h).
//
//   P state:KIND   hash: an entry's key, and "STAMP BOX VALUE"; an entry without VALUE was removed
//   P state        channel: "KIND KEY\nSTAMP BOX VALUE" after each change; a KIND has no blank
//
// A stamp is in ms of Redis's clock, and grows with each change of an entry: the last change wins, in
// Redis's order. A change that a box made without Redis has that box's time, and loses to a newer
// one. A removed entry is kept for kRemovedMs, so that a box that was away learns of it.
//
// After each connection all entries are read again; a message that arrives at that time is newer
// or older by its stamp. No sockets and no clock. One thread: `routers`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/sinks/fleet/redis_connection.h"
#include "control/sinks/fleet/redis_script.h"
#include "matchers/result.h"

namespace steer::fleet {

struct StoredEntry {
    std::string kind, key, value;  // value: empty: it was removed
    std::string box;               // that changed it; empty: this one
    std::uint64_t stamp_ms = 0;
};

// A change of this box.
struct EntryChange {
    std::string kind, key, value;  // value: empty: it was removed
    // When it was made, since 1970; 0: now, by Redis's clock. wall_ms: by this box's clock.
    std::uint64_t stamp_ms = 0, wall_ms = 0;
    std::uint64_t number = 0;  // for the sender
};

class SharedState {
  public:
    static constexpr std::uint64_t kRemovedMs = std::uint64_t{30} * 86'400'000;
    // All entries are read again, so that a lost message and old removed entries do not stay.
    static constexpr std::uint64_t kReadAgainMs = std::uint64_t{6} * 3'600'000;
    // The same after messages were lost.
    static constexpr std::uint64_t kReadLostMs = 10'000;

    struct Events {
        // A message, also of this box, or read from Redis.
        std::function<void(StoredEntry entry)> arrived;
        // Redis has the change, or a newer one, which it names. Error: it refused it.
        std::function<void(const EntryChange& change, Result<StoredEntry> stored)> stored;
        // All entries of the kind have arrived since the connection began. Error: Redis refuses to
        // read them.
        std::function<void(const std::string& kind, const Result<void>& done)> read;
        // Whether so many entries may arrive now.
        std::function<bool(std::size_t entries)> has_room;
        // Whether entries that arrived were lost: all are read again.
        std::function<bool()> has_lost;
    };

    // `prefix`: of the fleet's keys. `box`: its name.
    SharedState(std::string prefix, std::string box, RedisConnection& redis);

    // Without kinds it does nothing.
    void use(std::vector<std::string> kinds, Events events);
    [[nodiscard]] bool is_used() const { return !kinds_.empty(); }
    [[nodiscard]] std::string channel() const { return prefix_ + "state"; }
    // The channel is subscribed: reads all entries. `difference_ms`: Redis's clock less ours.
    void begin(std::int64_t difference_ms, std::uint64_t now_ms);
    void lost();
    // Whether begin() should be called again.
    [[nodiscard]] bool is_due(std::uint64_t now_ms) const {
        if (!is_connected_ || !pages_.empty()) return false;
        if (now_ms >= begun_ms_ + kReadAgainMs) return true;
        return now_ms >= begun_ms_ + kReadLostMs && events_.has_lost();
    }
    // Reads on where there was no room.
    void tick(std::uint64_t now_ms);
    // `clock_ahead_ms`: Redis's clock less this box's. False: it was not sent; send it again after
    // the next read().
    bool put(const EntryChange& change, std::int64_t clock_ahead_ms, std::uint64_t now_ms);
    void took_message(std::string_view payload, std::uint64_t now_ms);
    // Messages and entries that could not be read, since the last call.
    std::uint64_t take_bad() { return std::exchange(bad_, 0); }

  private:
    struct Page {
        std::string kind, cursor;
    };
    void read_page(const Page& page, std::uint64_t now_ms);
    void took_page(const Page& page, const RedisReply& reply, std::uint64_t now_ms);
    [[nodiscard]] std::uint64_t redis_ms(std::uint64_t now_ms) const;
    void forget(const StoredEntry& entry, const std::string& stored, std::uint64_t now_ms);

    const std::string prefix_, box_;
    RedisConnection& redis_;
    RedisScript put_, read_, forget_;
    std::vector<Page> pages_;  // that wait for room
    std::vector<std::string> kinds_;
    Events events_;
    bool is_connected_ = false;
    std::uint64_t begun_ms_ = 0;
    std::int64_t difference_ms_ = 0;
    std::uint64_t bad_ = 0;
};

}  // namespace steer::fleet
