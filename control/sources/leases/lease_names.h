// Assigns names to leases. Pure.
//
// A client chooses its host name. So it may be any text, a duplicate, or another host's name. It
// becomes one label below the domain: in lower case, with blanks and '_' as '-', without the
// domain's suffix. The name is rejected in these cases:
// - it then has characters other than letters, digits and '-' (RFC 952, RFC 1123 2.1);
// - it is not in the domain;
// - hosts trust it without a check (wpad, isatap, localhost).
//  If several clients have one name, the static lease gets it, else the router that is named first,
// else the older lease (lower id). The winner keeps the name for all addresses of its link-layer
// address, in both families.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "dataplane/answer/live_answers.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"
#include "routeros/dhcp_leases.h"

namespace steer::leases {

struct RouterLeases {
    std::string router;
    std::vector<routeros::DhcpLease> leases;
    bool operator==(const RouterLeases&) const = default;
};

struct NamedLease {
    std::string name;  // whole name, in lower case, without a last dot
    IpAddress address;
    std::string router, server;
    bool is_static = false;
    bool is_outside = false;  // as in DhcpLease: the address has no PTR record
};
struct NamelessLease {
    std::string address, host_name, router;  // as reported by the router
    std::string why;
};
struct LeaseBook {
    std::vector<NamedLease> named;  // by name, then family and address
    std::vector<NamelessLease> nameless;
    std::vector<LeaseDevice> devices;  // of all leases with an address, the preferred one first
};

// The label, or the reason for its rejection.
Result<std::string> label_of(std::string_view host_name, std::string_view domain);

// `all`: the leases of each router, in the order of the configuration. The first two lists omit
// leases of DHCP servers that `args` excludes, and those without a host name.
LeaseBook name_leases(std::span<const RouterLeases* const> all, const config::DhcpLeases& args);

// Builds the table for workers.
std::unique_ptr<const LiveTable> table_of(const LeaseBook& book, const config::DhcpLeases& args);

}  // namespace steer::leases
