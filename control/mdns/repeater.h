// Decides about an mDNS packet from one link: drops it with a counted reason (mdns_counters.h), or
// sends it to the other links.
//
// A packet keeps its family. It is sent from our own address there, port 5353, TTL or hop limit
// 255. Three changes: the ID is 0; questions do not request a unicast answer (QU, RFC 6762 5.4),
// which only we would receive; and the filter removes parts (packet_filter.h). A legacy query is
// sent as an ordinary question, see legacy_queries.h. Dropped are our own packets and packets from
// outside the link's networks (11). Packets from port 5353 with a hop limit other than 255 are
// dropped too. (One-shot queriers send with the kernel's default of 1, and routers do not forward
// the group's packets.)
//
// Has no socket, clock or thread: for the main thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "control/mdns/legacy_queries.h"
#include "control/mdns/mdns_counters.h"
#include "control/mdns/named_hosts.h"
#include "control/mdns/packet_budget.h"
#include "control/mdns/packet_filter.h"
#include "control/mdns/recent_packets.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::mdns {

// The output. Each function returns whether the kernel accepted the packet.
class Outlet {
  public:
    virtual ~Outlet() = default;
    // Sends to the group of that family.
    virtual bool send(int if_index, bool v6, std::span<const std::uint8_t> bytes) = 0;
    virtual bool send_to(const LegacyQuerier& querier, std::span<const std::uint8_t> bytes) = 0;
};

struct Link {
    int if_index = 0;
    std::string name;
    bool v4 = false, v6 = false;             // packets of this family are repeated to this link
    std::vector<matchers::Prefix> networks;  // its networks; link-local ones may be missing
};

struct Arrival {
    int if_index = 0;
    IpAddress source;
    std::uint16_t port = 0;
    int hop_limit = -1;  // -1: not known
    bool cut = false;    // the packet was larger than the buffer
    std::span<const std::uint8_t> bytes;
};

class Repeater {
  public:
    explicit Repeater(Outlet& outlet) : outlet_(outlet) {}

    // Changes the services; removes hosts of the former services.
    void set_services(Services services);
    void set_links(std::vector<Link> links, std::vector<IpAddress> own_addresses,
                   std::uint64_t now_ms);

    void receive(const Arrival& arrival, std::uint64_t now_ms);

    // By interface name; counters of former interfaces stay.
    [[nodiscard]] const std::map<std::string, MdnsCounters>& counters() const { return counters_; }
    [[nodiscard]] const PacketFilter& filter() const { return filter_; }
    // Whatever the services are: names are not repeated.
    [[nodiscard]] const NamedHosts& hosts() const { return hosts_; }

  private:
    struct Known {
        Link link;
        MdnsCounters* counters;
        PacketBudget budget;
    };
    Known* find(int if_index);
    // The reason to drop a packet unread. `received`: the packet must be read.
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
    NamedHosts hosts_;
    std::vector<Known> links_;
    std::vector<IpAddress> own_;  // sorted
    std::map<std::string, MdnsCounters> counters_;
};

}  // namespace steer::mdns
