// A `recursion`: the engine that resolves from the root, and its instances.
//
// Its plugin is a `forward` (upstream_settings.h) whose upstreams are the instances: one address on
// loopback for each.
#pragma once

#include <array>
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

// Options of the engine that are the daemon's: without them it neither reaches nor confines the
// engine, or they open a port or read other files.
inline constexpr auto kOwnEngineOptions =
    std::to_array<std::string_view>({"interface",
                                     "do-ip4",
                                     "do-udp",
                                     "do-tcp",
                                     "ip-address",
                                     "interface-automatic",
                                     "interface-automatic-ports",
                                     "port",
                                     "directory",
                                     "username",
                                     "chroot",
                                     "pidfile",
                                     "logfile",
                                     "use-syslog",
                                     "log-identity",
                                     "do-daemonize",
                                     "num-threads",
                                     "so-reuseport",
                                     "use-systemd",
                                     "control-enable",
                                     "control-interface",
                                     "control-port",
                                     "control-use-cert",
                                     "include",
                                     "include-toplevel",
                                     "dnscrypt-port"});

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
    std::vector<RecursionText> extra;  // lines for the engine
    int line = 0;
    bool operator==(const Recursion&) const = default;
};

}  // namespace steer::config
