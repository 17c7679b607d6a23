// The meaning of dnsmasq's options, before the output is written: names, servers, sets, and others.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/import/dnsmasq.h"
#include "tools/import/dnsmasq_domains.h"
#include "tools/import/forward.h"
#include "tools/import/records.h"

namespace steer::importing {

// A set of ipset= or nftset=, for one family or both.
struct KernelSetNames {
    std::string type;        // ipset, nftset
    std::string set4, set6;  // "NAME"; of nftset "FAMILY#TABLE#NAME"
    bool operator==(const KernelSetNames&) const = default;
};
// The sets for a domain's addresses, from the first line with that domain.
using SetsOfDomains = std::map<std::string, std::vector<KernelSetNames>>;  // "": every name

// add-subnet: the subnet that is sent to upstreams.
struct ClientSubnet {
    std::string preset;  // replaces the client's own: "192.0.2.0/24"
    std::string bits4 = "0", bits6 = "0";
};

// OWNER's PTR record.
struct Pointer {
    std::string owner, target, ttl_s;
};

struct DnsmasqModel {
    std::vector<Record> records;             // of names with their own data
    std::vector<std::string> other_records;  // TXT, CAA: lines of a zone file
    std::vector<std::string> other_owners;   // the owners among them that make a name exist
    std::vector<Pointer> ptr_records;        // as written: all with the same owner
    std::vector<Pointer> pointers;  // of addresses: the first of an owner without a ptr_record
    Domains domains;
    SetsOfDomains ipsets, nftsets;
    std::vector<std::string> bogus;     // bogus-nxdomain
    std::vector<std::string> filtered;  // types: filter-A, filter-AAAA, filter-rr
    Forward forward;
    bool has_upstreams = true;  // false: no-resolv without servers
    std::string port = "53", cache_size = "150", local_ttl = "0";
    std::vector<std::string> listen;
    std::vector<std::pair<std::string, std::string>> cache_keys;
    std::string max_ttl;  // seconds; empty: none
    std::optional<ClientSubnet> subnet;
    bool asks_all = false, domain_needed = false, bogus_priv = false, logs = false;
    bool stop_rebind = false, rebind_localhost = false;
    std::vector<std::string> rebind_names;  // rebind-domain-ok
    std::vector<Note> notes;
};

DnsmasqModel read_dnsmasq_options(const std::vector<DnsmasqOption>& options);

}  // namespace steer::importing
