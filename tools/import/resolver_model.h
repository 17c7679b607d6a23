// A resolver's configuration as imports of unbound and kresd collect it, and its output.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/import/corefile_servers.h"
#include "tools/import/forward.h"
#include "tools/import/note.h"
#include "tools/import/records.h"

namespace steer::importing {

// What happens to clients of a network; the longest network decides.
struct ClientNetwork {
    std::string net;   // "192.0.2.0/24"
    std::string exec;  // "drop", "reject REFUSED"; empty: allowed
};

// What a name gets, unless it has a record. The longest zone decides.
struct LocalZone {
    std::string place;
    std::string exec;                // "black_hole nxdomain short_circuit"; empty: resolved
    bool hides_records = false;      // its names have no records
    bool is_redirect = false;        // the records of the zone itself are those of all its names
    bool keeps_other_types = false;  // other types of names with records are resolved
};

// Names that are asked elsewhere than by the recursion.
struct Route {
    std::string zone;  // "": every name
    Forward forward;
    bool is_first = false;  // the recursion answers if the forward fails
};

// A zone by transfer, or from a file.
struct CopiedZone {
    std::string name;
    std::vector<std::string> primaries;
    std::string source;  // of an rpz: a path or a URL, instead of primaries
    bool is_policy = false, logs = false;
};

struct ResolverModel {
    std::vector<Note> notes;
    std::vector<std::string> silent;  // options without effect here

    // ---- servers and clients
    std::vector<CoreServer> servers;
    std::string max_connections;
    std::vector<ClientNetwork> networks;
    bool limits_clients = false;  // `networks` decide, and no other client is served
    std::vector<std::string> norecurse_cache, norecurse_forward;
    std::string queries_per_s;  // of a client

    // ---- policy
    std::string version_bind, id_server, nsid;
    std::vector<std::string> resolve_special, rebind_names;
    bool blocks_rebinding = false;

    // ---- names of its own
    std::vector<Record> records;
    std::vector<std::string> other_records;  // lines of a zone file
    std::vector<std::string> other_owners;
    std::map<std::string, LocalZone> zones;
    std::vector<std::string> hosts_files;
    std::vector<CopiedZone> copies;

    // ---- the cache
    std::uint64_t cache_bytes = 0;  // 0: the default
    std::vector<std::pair<std::string, std::string>> cache_keys;

    // ---- recursion
    std::string instances, validate;
    std::vector<std::string> trust_anchors, negative_trust_anchors;
    bool has_root_anchor = false;
    std::string root_hints;
    bool keeps_root_zone = false;
    std::optional<bool> qname_minimisation, aggressive_nsec;
    std::vector<std::string> outgoing;
    std::string outgoing_ports;
    std::map<std::string, std::vector<std::string>> stubs, forwards;
    std::vector<std::string> private_addresses;
    std::vector<std::string> extra;          // lines of the clause `server:`
    std::vector<std::string> extra_clauses;  // further ones, each clause with its lines
    std::vector<std::string> extra_zones;    // zones that they have
    std::vector<Route> routes;

    // ---- behind all upstreams
    std::vector<std::pair<std::string, std::string>> address_rules;  // network, action
    std::string dns64;                                               // prefix
    bool dns64_translates_all = false, logs = false;
};

// `program`: "unbound", as in 'steerctl import unbound'.
Imported write_resolver(ResolverModel model, std::string_view program, std::string_view source,
                        const FileTest& is_there);

// ---- what both imports need

// Returns "192.0.2.0/24" with zero bits behind its length; a single address is a /32 or /128.
std::optional<std::string> network_of(std::string_view text);
// Returns whether network `inner` is within `outer`, or the same; both are from network_of().
bool is_within(std::string_view inner, std::string_view outer);
// "192.0.2.1@5353#name", "2001:db8::1"; nothing: it cannot be asked.
struct ServerText {
    std::string address, name;  // name: empty if there is none
    std::uint64_t port = 0;     // 0: not written
};
std::optional<ServerText> read_server_text(std::string_view text);
// An upstream over TLS. Without a name its certificate is not checked.
Upstream tls_upstream(const ServerText& server, const std::string& place);
// Returns the special-use name at or above `zone` that the daemon answers itself; empty: none.
std::string special_name(std::string_view zone);
// A zone of the configuration: "." or a name; nothing: our parser refuses it.
std::optional<std::string> zone_name(std::string_view text);

}  // namespace steer::importing
