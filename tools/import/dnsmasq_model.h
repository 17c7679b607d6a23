// What dnsmasq's options say, before it is written: names, servers, sets, and the rest.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/import/dnsmasq.h"
#include "tools/import/forward.h"
#include "tools/import/records.h"

namespace steer::importing {

// server=/DOMAIN/...: the upstreams of a domain.
struct DomainServers {
    std::string place;
    std::vector<std::string> servers;  // "192.0.2.1", "192.0.2.1:5353"; "#": the default upstreams
};

// ipset=/DOMAIN/..., nftset=...: where its addresses go.
struct DomainSet {
    std::string place, type;           // ipset, nftset
    std::vector<std::string> domains;  // empty text: every name
    std::string set4, set6;            // "NAME"; of nftset "FAMILY#TABLE#NAME"
};

// OWNER's PTR record.
struct Pointer {
    std::string owner, target, ttl_s;
};

struct DnsmasqModel {
    std::vector<Record> records;             // names with data of their own, addresses of domains
    std::vector<std::string> other_records;  // TXT of several texts: lines of a zone file
    std::vector<Pointer> ptr_records;        // as written: all that have one owner
    std::vector<Pointer> pointers;  // of addresses: the first of one owner, if it has no other
    std::map<std::string, DomainServers> domains;
    std::vector<std::pair<std::string, std::string>> denied;  // domain, place: NXDOMAIN
    std::vector<DomainSet> sets;
    std::vector<std::string> everything;  // address=/#/...: the answer for every name
    std::vector<std::string> bogus;       // bogus-nxdomain
    Forward forward;
    bool has_upstreams = true;  // false: no-resolv without servers
    std::string port = "53", cache_size = "150", local_ttl = "0";
    std::vector<std::string> listen;
    std::vector<std::pair<std::string, std::string>> cache_keys;
    bool domain_needed = false, bogus_priv = false, filter_a = false, filter_aaaa = false,
         logs = false;
    std::vector<Note> notes;
};

DnsmasqModel read_dnsmasq_options(const std::vector<DnsmasqOption>& options);

}  // namespace steer::importing
