// A query that is run again: its question, client, number, and the answer that is known for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer::replay {

inline constexpr std::size_t kMostDistinct = 100'000;  // queries of one replay

inline constexpr std::uint16_t kServerPort = 53;  // of captured queries

// What the client was answered.
struct KnownAnswer {
    std::uint16_t rcode = 0;
    // Its answer section as recorder::put_answers() writes it: targets of CNAMEs, addresses, other types (by name, or as
    // RFC 3597 has them).
    std::string records;
    std::string upstream;       // that sent it; empty: not known
    bool is_upstreams = false;  // an upstream may have sent it: it is not an answer of rules alone
};

struct ReplayedQuery {
    std::vector<std::uint8_t> name;  // lower-cased wire form
    std::uint16_t qtype = 0, qclass = 1;
    IpAddress client;
    bool is_masked = false;  // of the client, only a prefix is known
    std::string entry;       // the tag of the executor that it came to; empty: not known
    // The address that it was sent to, at kServerPort. Then each configuration has its own entry for it.
    std::optional<IpAddress> server;
    std::uint64_t queries = 1;
    bool was_answered = true;
    std::optional<KnownAnswer> answer;
    // One of these upstreams sent the answer: found when the configuration in force was run.
    std::vector<std::string> answered_by;
};

}  // namespace steer::replay
