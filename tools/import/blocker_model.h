// What the imports of ad blockers (AdGuard Home, Pi-hole, Technitium) collect: lists and rules for
// everyone and for groups of clients, upstreams, records. blocker_write.cpp makes the output.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/import/forward.h"
#include "tools/import/records.h"

namespace steer::importing {

// Weekly times, as the matcher `time` writes them.
struct Times {
    std::string timezone;              // empty: the system's
    std::vector<std::string> periods;  // flow maps
    bool operator==(const Times&) const = default;
};

// Lists of geosite.dat whose names are blocked, except at `free`.
struct ServiceBlock {
    std::vector<std::string> codes;
    Times free;  // without periods: blocked always
    bool operator==(const ServiceBlock&) const = default;
};

// What is blocked for everyone, or for one group.
struct BlockSet {
    std::vector<std::string> lists, allow_lists;  // URLs and paths
    std::vector<std::string> block, allow;        // rules in AdGuard's syntax; `allow` without @@
    std::vector<ServiceBlock> services;
    bool operator==(const BlockSet&) const = default;
    [[nodiscard]] bool empty() const { return *this == BlockSet{}; }
};

// Names with upstreams of their own.
struct ZoneServers {
    std::vector<std::string> names;  // rules: "domain:corp.example"
    std::size_t labels = 0;          // zones with more labels come first
    Forward forward;                 // its tag is ignored
    bool is_default = false;         // these names go to the default upstreams
};

// Where the questions of everyone, or of one group, go.
struct BlockerServers {
    Forward forward, fallback;  // a fallback without upstreams: none
    std::vector<ZoneServers> zones;
    bool cached = true;
};

// Clients with settings of their own.
struct ClientGroup {
    std::string tag;   // "kids": a part of tags
    std::string name;  // as in the input, for comments
    std::string place;
    std::vector<std::string> prefixes, macs;
    BlockSet set;
    std::optional<BlockerServers> servers;  // none: those of everyone
    bool unrecorded = false;
    std::vector<Note> notes;
};

// An answer for all names below a domain, or for all but the domain itself.
struct WideAnswer {
    std::string domain;
    std::vector<std::string> except;     // full names with answers of their own
    std::vector<std::string> addresses;  // or
    std::string alias;                   // the name that is resolved instead
};

struct BlockerModel {
    std::vector<Note> notes;
    std::vector<std::string> unneeded;  // settings that need nothing here
    // Sections.
    std::vector<std::string> allow;  // clients of `dataplane`
    std::string limit_rate, limit_burst, limit_prefix4, limit_prefix6, limit_action;
    std::vector<std::string> limit_except;
    bool any_forwarded = false;
    std::string designated_name;
    bool canaries = false;  // names by which Firefox and iCloud ask: NXDOMAIN
    // The query log; without retention_days there is none.
    std::string retention_days, mask4, mask6;
    std::vector<std::string> unrecorded_names;  // rules
    // Answers.
    std::string answer = "null";  // of blocked names, as a black_hole writes it
    std::vector<std::string> dropped_clients;
    std::vector<std::string> refused_names;  // rules
    std::vector<Record> records;
    bool with_ptr = false;
    std::vector<WideAnswer> wide;
    std::vector<std::pair<std::string, std::string>> zone_files;  // the zone and its file
    std::vector<std::string> rule_answers;  // "RULE\nEXECUTOR": answers that rules of a list give
    BlockSet everyone;
    std::vector<ClientGroup> groups;
    BlockerServers servers;
    // The rest of the sequence.
    std::vector<std::string> unforwarded;  // rules: names that no upstream but that of a zone has
    bool cname = true;                     // lists count for aliases, too
    bool without_aaaa = false;
    std::string subnet_preset;  // of ecs_handler; "send": the client's own
    std::vector<std::string> bogus;
    bool dns64 = false;
    std::vector<std::string> dns64_prefixes;
    std::string cache_size = "16MiB";  // "0": none
    std::vector<std::pair<std::string, std::string>> cache_keys;
    bool local_names = false;  // names under .local are forwarded
    // Servers.
    std::vector<std::string> listen;  // ADDRESS:PORT of UDP and TCP
    std::string cert, key;
    bool cert_is_here = false;
    std::vector<std::string> listen_tls, listen_https, listen_quic;
    std::vector<std::string> proxies;  // trusted_proxies of the http_server
    bool http3 = false;
};

// `kind`: the word behind `steerctl import`.
Imported write_blocker(BlockerModel model, std::string_view kind, std::string_view source);

}  // namespace steer::importing
