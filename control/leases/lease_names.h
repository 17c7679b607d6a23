// Which lease gets which name. Pure.
//
// A host name is what a client says of itself, so it may be anything, twice, or somebody else's. It becomes one label
// below the domain: in lower case, blanks and '_' as '-'; of a whole name the domain is taken off. It is refused if other
// than letters, digits and '-' are in it then (RFC 952, RFC 1123 2.1), if it is not in the domain, or if hosts trust the
// name without asking (wpad, isatap, localhost). Of several clients with one name the static lease has it, else the
// router that is named first, else the lease that is older (lower id); who has it has it with all addresses of its
// link-layer address, of both families.
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
    std::string name;  // whole, in lower case, without a last dot
    IpAddress address;
    std::string router, server;
    bool is_static = false;
};
struct NamelessLease {
    std::string address, host_name, router;  // as the router said them
    std::string why;
};
struct LeaseBook {
    std::vector<NamedLease> named;  // by name, then family and address
    std::vector<NamelessLease> nameless;
    std::vector<LeaseDevice> devices;  // of all leases with an address, the better one first
};

// The label, or why there is none.
Result<std::string> label_of(std::string_view host_name, std::string_view domain);

// `all`: of the routers in the order of the configuration. Leases of other DHCP servers than `args` wants, and those
// without a host name, are in neither of the first two lists.
LeaseBook name_leases(std::span<const RouterLeases* const> all, const config::DhcpLeases& args);

// What workers read.
std::unique_ptr<const LiveTable> table_of(const LeaseBook& book, const config::DhcpLeases& args);

}  // namespace steer::leases
