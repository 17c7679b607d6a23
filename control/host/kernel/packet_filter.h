// The host's firewall, as far as it matters to ports that take packets before the kernel does (AF_XDP, AF_PACKET, DPDK): the
// chains of nftables (iptables-nft included) that can drop what this host receives.
//
// Dumps the chains and rules of nf_tables by netlink; needs CAP_NET_ADMIN in the network namespace. Blocks for the kernel's
// answer. iptables-legacy is not seen.
#pragma once

#include <string>
#include <vector>

namespace steer::kernel {

// Base chains of type filter at the hooks prerouting and input that can drop or reject a packet: by their policy, by a rule,
// or by a chain that their rules lead to. A map of verdicts counts as a drop. As "inet filter input". Empty: none, or the
// kernel does not tell this process.
std::vector<std::string> find_input_filters();

// The warning for these devices; empty: there is nothing to warn of.
std::string bypassed_filters(const std::vector<std::string>& devices,
                             const std::vector<std::string>& chains);

}  // namespace steer::kernel
