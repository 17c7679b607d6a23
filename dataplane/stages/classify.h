// Sorts received frames: queries to this appliance, upstreams' replies to it, and all others, which belong to the
// kernel.
//
// In:   mbufs of one port, any bytes.
// Out:  burst.packets (queries: addresses, ports and the DNS message found, IP checked; UDP's checksum is begun, see
//       Packet::checksum), burst.replies (all checked), burst.ended. No packet is changed, so a punted packet is as it
//       was received.
// Cost: the first cache line of a packet. Among consecutive queries whose headers differ only in source, lengths
//       and checksums, only the first is checked in full (header_pattern.h).
//
// A frame is ours if its destination is the MAC address of the port's device or of a VLAN child (any address if the
// kernel does not know the device). A packet in it is ours if it is unfragmented UDP to one of our addresses, over IPv4
// without options or IPv6 without extension headers, with up to two VLAN tags, to a service port or a port of our
// upstream queries. A packet that is ours and malformed is dropped. No other packet is checked.
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
    std::uint16_t first, last;  // host order, both inclusive
    [[nodiscard]] bool contains(std::uint16_t p) const { return p >= first && p <= last; }
};

// `port_index` is stored in the packets. At most kBurst mbufs; the burst takes ownership.
void classify(std::span<rte_mbuf* const> received, const Port& port, std::uint8_t port_index,
              OwnAddresses& ours, PortRange upstream_ports, Burst& burst) noexcept;

// MessageKind::query_frame: packs all that classify() found out about a query into a message for another worker,
// and unpacks it there. The answer leaves by `lane`. The packet is not checked again.
Message moved_query(const Packet& packet) noexcept;
void add_moved_query(const Message& message, std::uint8_t lane, Burst& burst) noexcept;

// The DNS message of a frame that another worker classified as an upstream's reply.
UpstreamFrame reread_upstream_frame(rte_mbuf* mbuf) noexcept;

}  // namespace steer
