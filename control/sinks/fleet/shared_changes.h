// What people change on this box, for the fleet, and what the other boxes changed, for this one.
//
// A change that Redis has not confirmed yet is `unsent`: it is kept in a file, so that a box that was
// changed without Redis, and then restarted, still sends the change. While a key is unsent, entries of
// other boxes for it wait; Redis's answer decides. An entry that Redis lacks is sent. At most kWindow
// changes are under way, because claims and leases share the connection. An entry that cannot be in
// force here is tried again every kAgainMs: what it needs may come later. Without a fleet nothing is
// shared.
//
// No sockets. All on the main thread; `put` gives a change to the thread of the fleet.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/api/rpc/shared_entries.h"
#include "control/host/process/side_thread.h"
#include "control/sinks/fleet/shared_state.h"

namespace steer::fleet {

class SharedChanges {
  public:
    static constexpr std::size_t kWindow = 256;
    static constexpr std::uint64_t kAgainMs = 10'000;

    struct World {
        std::function<void(EntryChange change)> put;
        std::function<std::int64_t()> wall_ms;         // since 1970
        std::function<std::int64_t()> clock_ahead_ms;  // Redis's clock less this box's
        std::function<void(const std::string& sentence)> warn;
    };
    // `entries` outlive it. `file`: for unsent changes; empty: they are not kept over a restart.
    SharedChanges(boost::asio::io_context& main_io, const std::vector<shared::Entries*>& entries,
                  std::string file, World world);

    [[nodiscard]] std::vector<std::string> kinds() const;
    // Whether there is a fleet. Changes count as unsent from then on.
    void set_configured(bool is_configured);

    // From the fleet.
    void arrived(const StoredEntry& entry);
    void stored(const EntryChange& change, const Result<StoredEntry>& result);
    void begin_reading();
    void read(const std::string& kind, const Result<void>& done);

    void poll(std::uint64_t now_ms);

    // [{"kind", "entries", "unsent", "refused"}]
    [[nodiscard]] boost::json::array report() const;
    [[nodiscard]] std::size_t unsent() const;
    // Sentences about entries of other boxes that are not in force here, and changes that Redis
    // refused; without names, because everyone may read problems. The log has each.
    [[nodiscard]] std::vector<std::string> problems() const;

  private:
    struct Unsent {
        std::int64_t at_ms = 0;  // since 1970, by this box's clock; 0: Redis lacks the entry
        std::uint64_t number = 0;
        bool is_sent = false;  // Redis's answer is missing
        StoredEntry waiting;   // of another box, the newest; stamp 0: none
    };
    struct Refused {
        StoredEntry entry;  // of another box; stamp 0: a change of this one
        std::string reason;
    };
    struct Kind {
        shared::Entries* entries;
        std::map<std::string, Unsent> unsent;
        std::map<std::string, std::uint64_t> stamps;  // of what is here and in Redis
        std::map<std::string, Refused> refused;
        std::set<std::string> seen;  // keys, since begin_reading()
        bool is_read = false;
        std::string unread;  // why Redis does not read them; empty: it does
    };

    void changed(Kind& kind, const std::string& key);
    void ended(const Kind& kind, const std::string& key);
    void send(Kind& kind, const std::string& key, Unsent& unsent, bool is_late);
    void send_more();
    void take(Kind& kind, const StoredEntry& entry);
    void refuse(Kind& kind, const std::string& key, Refused refused);
    [[nodiscard]] Kind* find(const std::string& kind);
    void load();
    void save();

    std::vector<Kind> kinds_;
    const std::string file_;
    const World world_;
    bool is_configured_ = false;
    std::uint64_t number_ = 0;    // of the last change
    std::size_t unanswered_ = 0;  // changes whose answer is missing
    std::uint64_t tried_ms_ = 0;  // when the refused entries were tried
    bool is_saving_ = false, has_more_to_save_ = false;
    std::string problem_;  // of the file; empty: none
    SideThread aside_;
};

}  // namespace steer::fleet
