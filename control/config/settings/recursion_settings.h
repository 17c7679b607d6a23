// A `recursion`: the engine that resolves from the root, and its instances.
//
// Its plugin is a `forward` (upstream_settings.h) whose upstreams are the instances: one address on
// loopback for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/lines.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::config {

// A value and its line, because the engine may refuse it.
struct RecursionText {
    std::string value;
    int line = 0;
    bool operator==(const RecursionText&) const = default;
};

// Servers that are asked for a zone instead of those that the tree names.
struct RecursionZone {
    struct Server {
        IpAddress address;
        std::uint16_t port = 53;
        bool operator==(const Server&) const = default;
    };
    std::string zone;  // as written
    int line = 0;
    std::vector<Server> servers;
    bool operator==(const RecursionZone&) const = default;
};

enum class RecursionEngine : std::uint8_t { unbound };
enum class Validation : std::uint8_t { yes, permissive, no };

// A word of the engine's configuration, as it stands between its quotes. Outside of quotes, it would
// be the same.
struct EngineWord {
    std::string text;
    char quote = '"';
    bool operator==(const EngineWord&) const = default;
};
// A line of it that the operator wrote (text/engine_lines.h).
struct EngineStatement {
    std::string_view name;  // of a table (text/engine_options.h)
    bool begins_clause = false;
    std::vector<EngineWord> words;
    int line = 0;
    bool operator==(const EngineStatement&) const = default;
};

struct Recursion {
    static constexpr std::uint32_t kMostInstances = 16;

    RecursionEngine engine = RecursionEngine::unbound;
    std::uint32_t instances = 1;
    std::uint16_t port = 0;  // of the first one; the others have the ports after it
    Validation validate = Validation::yes;
    std::vector<RecursionText> trust_anchors;  // records, or paths of files; empty: the root's
    std::vector<RecursionText> negative_trust_anchors;
    RecursionText root_hints;  // path; empty: those of the package dns-root-data
    int root_zone = 0;         // its line, if a copy of the root zone is kept (RFC 8806)
    bool qname_minimisation = true, aggressive_nsec = true;
    std::uint64_t cache_bytes = 0;  // of an instance
    std::vector<IpAddress> outgoing;
    RecursionText outgoing_interface;             // in place of addresses: those that it has
    std::uint16_t first_port = 0, last_port = 0;  // of its queries; 0: the engine's own choice
    int ports_line = 0;
    // Ports of the daemon's own queries, whose replies its ports of the network take.
    std::uint16_t first_taken_port = 0, last_taken_port = 0;
    std::vector<RecursionZone> stubs, forwards;
    std::vector<matchers::Prefix> private_addresses;
    std::vector<EngineStatement> extra;
    // Of `extra`, what a start has left out instead of ending: sentences with their lines.
    std::vector<RecursionText> left_out;
    int line = 0;
    bool operator==(const Recursion&) const = default;
};

}  // namespace steer::config
