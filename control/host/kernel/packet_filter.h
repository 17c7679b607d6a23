// The host's firewall, for ports that bypass it (AF_XDP, AF_PACKET, DPDK): the chains of nftables
// (including iptables-nft) that can drop packets to this host.
//
// Dumps the chains and rules of nf_tables by netlink; needs CAP_NET_ADMIN in the network namespace.
// Waits for the kernel's answer. Does not see iptables-legacy.
#pragma once

#include <string>
#include <vector>

namespace steer::kernel {

// Base chains of type filter at the hooks prerouting and input that can drop or reject a packet.
// The cause may be their policy, a rule, or a chain that their rules jump to. A map of verdicts
// counts as a drop. Format: "inet filter input". Empty: there are none, or this process may not
// read them.
std::vector<std::string> find_input_filters();

// The warning for these devices; empty: no warning is needed.
std::string bypassed_filters(const std::vector<std::string>& devices,
                             const std::vector<std::string>& chains);

}  // namespace steer::kernel
