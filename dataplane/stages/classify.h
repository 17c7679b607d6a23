// Sorts received frames: queries to this appliance, upstream replies to it, and all others, which
// belong to the kernel.
//
// In:   mbufs of one port, any bytes.
// Out:  burst.packets (queries: addresses, ports and the DNS message found, IP checked; the UDP
//       checksum is begun, see Packet::checksum), burst.replies (all checked), burst.ended. No
//       packet is changed, so a punted packet is the same as received.
// Cost: the first cache line of a packet. Of consecutive queries whose headers differ only in
//       source, lengths and checksums, only the first is checked in full (header_pattern.h).
//
// A frame is ours if its destination is the MAC address of the port's device or of a VLAN child. If
// the kernel does not know the device, any address is ours. A packet in such a frame is ours if it
// is unfragmented UDP to one of our addresses. It must be IPv4 without options, or IPv6 without
// extension headers, with up to two VLAN tags. Its destination must be a service port or a port of
// our upstream queries. A malformed packet that is ours is dropped. No other packet is checked.
//
// A frame to another host is dropped, or punted while the kernel's interface is promiscuous.
//
// Ends: Verdict::punted, drop_other_host, drop_short_frame, drop_bad_ip, drop_bad_checksum,
//       drop_bad_source, drop_bad_mac, drop_source_port, drop_segmented.
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

// MessageKind::query_frame: packs all results of classify() for a query into a message to another
// worker, and unpacks it there. The answer uses `lane`. The packet is not checked again.
Message moved_query(const Packet& packet) noexcept;
void add_moved_query(const Message& message, std::uint8_t lane, Burst& burst) noexcept;

// The DNS message of a frame that another worker classified as an upstream reply.
UpstreamFrame reread_upstream_frame(rte_mbuf* mbuf) noexcept;

}  // namespace steer
