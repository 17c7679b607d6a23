// The connection tracking of one family: /ip/firewall/connection, /ipv6/firewall/connection.
//
// Tests add entries; an entry ends by its timeout, by `remove` or with a reboot. Traffic neither
// creates nor renews one.
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
    // `atomic`: an unknown id prevents every removal; else the ids before it are removed. Throws
    // Trap.
    void remove(const std::vector<std::uint64_t>& ids, bool atomic, std::int64_t now_us);
    void clear() { entries_.clear(); }

    // Returns the entries by id, without ended ones. `ports_apart`: ports are separate properties,
    // else they follow the addresses.
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
