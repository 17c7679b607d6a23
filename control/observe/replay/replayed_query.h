// A query to run again: its question, client, count, and its known answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::replay {

inline constexpr std::size_t kMostDistinct = 100'000;  // per replay

inline constexpr std::uint16_t kServerPort = 53;  // of captured queries

// The answer that the client got.
struct KnownAnswer {
    std::uint16_t rcode = 0;
    // Its answer section in the format of recorder::put_answers(): targets of CNAMEs, addresses,
    // other types (by name, or as in RFC 3597).
    std::string records;
    std::string upstream;       // its sender; empty: unknown
    bool is_upstreams = false;  // an upstream may have sent it: not only rules answered
};

struct ReplayedQuery {
    std::vector<std::uint8_t> name;  // lower-cased wire form
    std::uint16_t qtype = 0, qclass = 1;
    IpAddress client;
    bool is_masked = false;  // only a prefix of the client's address is known
    std::string entry;       // tag of the executor that it entered; empty: unknown
    // Its destination address, at kServerPort. Each configuration then has its own entry for it.
    std::optional<IpAddress> server;
    std::uint64_t queries = 1;
    bool was_answered = true;
    std::optional<KnownAnswer> answer;
    // One of these upstreams sent the answer. Found by a run of the present configuration.
    std::vector<std::string> answered_by;
};

}  // namespace steer::replay
