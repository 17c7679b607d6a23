// Judges one connection of a client segment by what the router says about it. Pure; prober.h asks and connects.
//
// Steps of each family: `row` (is the address on one of our lists, or has it one of our routes?), `segment` (does the rule for
// clients see this host?), `connection` (does the router track it?), `mark`, `egress`. The egress is proved by the address that
// NAT gave the connection; without NAT only by counters, which other traffic moves, too.
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

// How connections to the addresses of a list, or by a route, must leave. Empty: the router's rules do not say it, which is a
// finding of its own.
struct Way {
    std::string row;  // "the list media_v4", "the route in vpn"
    std::string egress;
    std::string mark;       // of the connection; empty: a rule without connection marks
    std::string interface;  // of the table's default route, or of the route
    const Row* list_rule = nullptr;
    const Row* table_rule = nullptr;  // that chooses the table by the mark
};
Way way_of(const RouterFacts& router, const Expected& expected, routeros::Menu family,
           const std::string& list);
Way way_of(const RouterFacts& router, const Row& route);

// Whether the rule's `in-interface` and `in-interface-list` admit packets from there.
bool admits(const RouterFacts& router, const Row& rule, std::string_view interface);
// Whether /ipv6/nd advertises on that interface, by an entry of its own or by the one for all.
bool advertises_on(const RouterFacts& router, std::string_view interface);
// The longest time between two advertisements there; 0: unknown.
std::uint32_t advertisement_interval_s(const RouterFacts& router, std::string_view interface);

// Packets, by interface (sent) and by row of /firewall/mangle. `trouble`: why they cannot be read.
struct Counters {
    std::map<std::string, std::uint64_t, std::less<>> sent, matched;
    std::string trouble;
};

// How much a counter of `key` has risen; 0 if it is unknown.
std::uint64_t rise(const std::map<std::string, std::uint64_t, std::less<>>& before,
                   const std::map<std::string, std::uint64_t, std::less<>>& after,
                   std::string_view key);

// An entry of connection tracking.
struct Tracked {
    std::string mark;                   // empty: none
    std::optional<IpAddress> answered;  // where replies go: the source, or what NAT made of it
};

// One connection and what the router says about it.
struct Probed {
    std::string name;  // the probed name
    IpAddress address, source;
    std::uint16_t port = 0;
    std::string failure;  // why the connection was not established; empty: it was

    std::string row_trouble;          // why the lists or routes cannot be read
    std::optional<std::string> list;  // our list that has the address
    std::optional<Row> route;         // of a ros_route, if no list has it
    std::string tracking_trouble;     // why connection tracking cannot be read
    std::optional<Tracked> tracked;
    std::uint64_t packets = 1;  // at least so many were sent between the counters
    Counters before, after;
};

// How the probed connection must leave; empty without a row.
Way way_of(const RouterFacts& router, const Expected& expected, const Probed& probed);

void judge_probe(const RouterFacts& router, const Expected& expected, const Probed& probed,
                 Findings& findings, Steps& steps);

// ---- of prober.h

// "192.0.2.1", "192.0.2.1:443", "2001:db8::1" or "[2001:db8::1]:443", and the port, if it is there.
struct End {
    std::optional<IpAddress> address;
    std::uint16_t port = 0;  // 0: not in it
};
End read_end(std::string_view text);
// The entry of this connection, if the row is it: source and destination with their ports.
std::optional<Tracked> read_tracked(const Row& row, const Probed& probed,
                                    std::uint16_t source_port);

}  // namespace steer::doctor
