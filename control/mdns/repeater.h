// What becomes of an mDNS packet that came on one link: dropped for a named reason (mdns_counters.h), or sent on to the others.
//
// A packet goes on in its own family, from our own address there, port 5353, TTL or hop limit 255. What is changed: the ID is 0;
// a question does not ask for a unicast answer (QU, RFC 6762 5.4), which would come to us and to nobody else; what the filter
// leaves out (packet_filter.h). A query from a port of its own goes on as an ordinary question, see legacy_queries.h.
// Not taken: our own packets; those from no address of the link (11); those from port 5353 with a hop limit other
// than 255 (one-shot queriers send with the kernel's default of 1, and the group's packets are forwarded by no router).
//
// No socket, no clock, no thread: of the main thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "control/mdns/legacy_queries.h"
#include "control/mdns/mdns_counters.h"
#include "control/mdns/packet_budget.h"
#include "control/mdns/packet_filter.h"
#include "control/mdns/recent_packets.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::mdns {

// Where packets leave. Each returns whether the kernel took it.
class Outlet {
  public:
    virtual ~Outlet() = default;
    // To the group of that family.
    virtual bool send(int if_index, bool v6, std::span<const std::uint8_t> bytes) = 0;
    virtual bool send_to(const LegacyQuerier& querier, std::span<const std::uint8_t> bytes) = 0;
};

struct Link {
    int if_index = 0;
    std::string name;
    bool v4 = false, v6 = false;  // packets of this family are repeated to it
    std::vector<matchers::Prefix>
        networks;  // that it is in, link-local ones need not be among them
};

struct Arrival {
    int if_index = 0;
    IpAddress source;
    std::uint16_t port = 0;
    int hop_limit = -1;  // -1: not known
    bool cut = false;    // larger than what is here
    std::span<const std::uint8_t> bytes;
};

class Repeater {
  public:
    explicit Repeater(Outlet& outlet) : outlet_(outlet) {}

    // Other services than before: hosts of those that were listed are forgotten.
    void set_services(Services services);
    void set_links(std::vector<Link> links, std::vector<IpAddress> own_addresses,
                   std::uint64_t now_ms);

    void receive(const Arrival& arrival, std::uint64_t now_ms);

    // By interface name; those that were repeated once stay.
    [[nodiscard]] const std::map<std::string, MdnsCounters>& counters() const { return counters_; }
    [[nodiscard]] const PacketFilter& filter() const { return filter_; }

  private:
    struct Known {
        Link link;
        MdnsCounters* counters;
        PacketBudget budget;
    };
    Known* find(int if_index);
    // Why it is not even read; `received`: it is.
    MdnsCount judge(Known& from, const Arrival& arrival, std::uint64_t now_ms);
    MdnsCount repeat(Known& from, const Arrival& arrival, std::uint64_t now_ms);
    MdnsCount repeat_legacy(Known& from, const Arrival& arrival, Message& query,
                            std::uint64_t now_ms);
    void send(const Known& from, bool v6, std::span<const std::uint8_t> bytes);
    void answer_askers(const Message& response, int if_index, std::uint64_t now_ms);

    Outlet& outlet_;
    PacketFilter filter_;
    RecentPackets recent_;
    LegacyQueries legacy_;
    std::vector<Known> links_;
    std::vector<IpAddress> own_;  // sorted
    std::map<std::string, MdnsCounters> counters_;
};

}  // namespace steer::mdns
