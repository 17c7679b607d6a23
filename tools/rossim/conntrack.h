// The connection tracking of one family: /ip/firewall/connection, /ipv6/firewall/connection.
//
// Entries come from tests and end by their timeout, by `remove` and with a reboot; no traffic makes
// or renews one.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tools/rossim/records.h"
#include "tools/rossim/router.h"

namespace rossim {

class Conntrack {
  public:
    std::uint64_t add(TrackedConnection connection, std::int64_t now_us);
    // `atomic`: one unknown id and nothing is removed; else those before it are. Throws Trap.
    void remove(const std::vector<std::uint64_t>& ids, bool atomic, std::int64_t now_us);
    void clear() { entries_.clear(); }

    // By id. What has ended is not there.
    // `ports_apart`: as properties of their own, else behind their addresses.
    std::vector<Record> records(bool ports_apart, std::int64_t now_us) const;
    std::vector<TrackedConnection> connections(std::int64_t now_us) const;

  private:
    struct Entry {
        TrackedConnection connection;
        std::int64_t expires_us;
    };
    void forget_ended(std::int64_t now_us);

    std::map<std::uint64_t, Entry> entries_;
    std::uint64_t last_id_ = 0;
};

}  // namespace rossim
