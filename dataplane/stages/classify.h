// Sorts received frames: queries for us, replies of upstreams to us, and the rest, which is the
// kernel's.
//
// In:   mbufs of one port, any bytes.
// Out:  burst.packets (queries: addresses, ports and the DNS message found, IP checked; UDP's checksum is begun, see
//       Packet::checksum), burst.replies (all checked), burst.ended. Nothing in a packet is changed, so what is punted is as it
//       came.
// Cost: the first cache line of a packet. Of queries that follow each other with the same headers but for source,
//       lengths and sums, one is judged in full (header_pattern.h).
//
// Ours is what is sent to the MAC address of the port's device or of a VLAN child of it (where the kernel knows the
// device; elsewhere to any), and in that: UDP in an unfragmented IPv4 packet without options or an IPv6 packet without extension
// headers, up to two VLAN tags, to one of our addresses, and there to a service port or a port of
// our upstream queries. What is ours and wrong is dropped; what is not ours is not judged.
//
// A frame to another host is dropped, or punted while the kernel's interface is promiscuous.
//
// Ends: Verdict::punted, drop_other_host, drop_short_frame, drop_bad_ip, drop_bad_checksum, drop_bad_source, drop_bad_mac,
//       drop_segmented.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/message.h"
#include "dataplane/port/port.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/own_addresses.h"

namespace steer {

struct PortRange {
    std::uint16_t first, last;  // host order, both inside
    [[nodiscard]] bool contains(std::uint16_t p) const { return p >= first && p <= last; }
};

// `port_index` is kept in the packets. At most kBurst mbufs; their ownership goes to the burst.
void classify(std::span<rte_mbuf* const> received, const Port& port, std::uint8_t port_index,
              OwnAddresses& ours, PortRange upstream_ports, Burst& burst) noexcept;

// MessageKind::query_frame: all that classify() found out about a query, for another worker, in a
// message; and there a packet again, whose answer leaves by `lane`. It is not judged again.
Message moved_query(const Packet& packet) noexcept;
void add_moved_query(const Message& message, std::uint8_t lane, Burst& burst) noexcept;

// The DNS message of a frame that another worker classified as an upstream's reply.
UpstreamFrame reread_upstream_frame(rte_mbuf* mbuf) noexcept;

}  // namespace steer
