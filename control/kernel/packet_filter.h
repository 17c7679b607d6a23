// The host's firewall, as far as it matters to ports that take packets before the kernel does (AF_XDP, AF_PACKET, DPDK): the
// chains of nftables (iptables-nft included) that can drop what this host receives.
//
// One dump of nf_tables' chains by netlink (no rule is read); needs CAP_NET_ADMIN in the network namespace. Blocks for the
// kernel's answer. iptables-legacy is not seen.
#pragma once

#include <string>
#include <vector>

namespace steer::kernel {

// Base chains of type filter at the hooks prerouting and input that have a rule or the policy drop, as "inet filter input".
// Empty: none, or the kernel does not tell this process.
std::vector<std::string> find_input_filters();

// What an operator of such chains must know of these devices; empty: there is nothing to tell.
std::string bypassed_filters(const std::vector<std::string>& devices,
                             const std::vector<std::string>& chains);

}  // namespace steer::kernel
