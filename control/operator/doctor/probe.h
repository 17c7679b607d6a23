// Judges one connection from a client segment with the router's data about it. Pure; prober.h sends
// and connects.
//
// Steps for each family: `row` (is the address on one of our lists, or does one of our routes have
// it?), `segment` (does the rule for clients match this host?), `connection` (does the router track
// it?), `mark`, `egress`. The address that NAT gave the connection proves the egress. Without NAT
// only counters prove it, which other traffic changes, too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "control/operator/doctor/expected.h"
#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"
#include "control/operator/doctor/step.h"
#include "matchers/prefix/ip_address.h"

namespace steer::doctor {

// How connections to the addresses of a list, or by a route, must leave the router. Empty: the
// router's rules do not say it, which is a finding of its own.
struct EgressPath {
    std::string row;  // "the list media_v4", "the route in vpn"
    std::string egress;
    std::string mark;       // of the connection; empty: a rule without connection marks
    std::string interface;  // of the table's default route, or of the route
    const Row* list_rule = nullptr;
    const Row* table_rule = nullptr;  // the rule that selects the table by the mark
};
EgressPath egress_path(const RouterFacts& router, const Expected& expected, routeros::Menu family,
                       const std::string& list);
EgressPath egress_path(const RouterFacts& router, const Row& route);

// Whether the rule's `in-interface` and `in-interface-list` match packets from there.
bool admits(const RouterFacts& router, const Row& rule, std::string_view interface);
// Whether /ipv6/nd advertises on that interface, by its own entry or by the entry for all.
bool advertises_on(const RouterFacts& router, std::string_view interface);
// Maximum time between two advertisements there; 0: unknown.
std::uint32_t advertisement_interval_s(const RouterFacts& router, std::string_view interface);

// Packet counters, by interface (sent) and by row of /firewall/mangle. `error`: why they cannot
// be read.
struct Counters {
    std::map<std::string, std::uint64_t, std::less<>> sent, matched;
    std::string error;
};

// The increase of the counter of `key`; 0 if it is unknown.
std::uint64_t rise(const std::map<std::string, std::uint64_t, std::less<>>& before,
                   const std::map<std::string, std::uint64_t, std::less<>>& after,
                   std::string_view key);

// An entry of connection tracking.
struct Tracked {
    std::string mark;                   // empty: none
    std::optional<IpAddress> answered;  // target of replies: the source, or its NAT address
};

// One connection and the router's data about it.
struct Probed {
    std::string name;  // the probed name
    IpAddress address, source;
    std::uint16_t port = 0;
    std::string failure;  // why the connection was not established; empty: it was

    std::string row_error;            // why the lists or routes cannot be read
    std::optional<std::string> list;  // our list with the address
    std::optional<Row> route;         // of a ros_route, if no list has it
    std::string tracking_error;       // why connection tracking cannot be read
    std::optional<Tracked> tracked;
    std::uint64_t packets = 1;  // minimum number sent between the two readings
    Counters before, after;
};

// How the probed connection must leave; empty without a row.
EgressPath egress_path(const RouterFacts& router, const Expected& expected, const Probed& probed);

void judge_probe(const RouterFacts& router, const Expected& expected, const Probed& probed,
                 Findings& findings, Steps& steps);

// ---- for prober.h

// Parses "192.0.2.1", "192.0.2.1:443", "2001:db8::1" or "[2001:db8::1]:443": the address, and the
// port if there is one.
struct End {
    std::optional<IpAddress> address;
    std::uint16_t port = 0;  // 0: missing
};
End read_end(std::string_view text);
// The connection tracking entry of this connection, if the row has its source, destination and
// ports.
std::optional<Tracked> read_tracked(const Row& row, const Probed& probed,
                                    std::uint16_t source_port);

}  // namespace steer::doctor
