// Requests of OPNsense's API for aliases, and readers of its replies (docs.opnsense.org, "API:
// firewall").
//
// Replies are foreign data: each reader checks limits, and returns an Error for anything
// unexpected.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::opnsense {

inline constexpr std::size_t kMaxReply = std::size_t{32} << 20;  // bytes
inline constexpr std::size_t kMaxElements = 1'000'000;           // of a table

struct ApiRequest {
    std::string path;
    std::string body;  // JSON for a POST; empty: a GET
};

ApiRequest describe_aliases();
ApiRequest list_table(std::string_view alias);
ApiRequest add_element(std::string_view alias, const IpAddress& address);
ApiRequest delete_element(std::string_view alias, const IpAddress& address);

struct AliasFacts {
    std::string type, description, expire;
    bool enabled = false;
};
// By name: those of `names` that exist.
using AllFacts = std::map<std::string, AliasFacts, std::less<>>;
Result<AllFacts> read_facts(std::string_view reply,
                            const std::set<std::string, std::less<>>& names);

// The contents of a pf table: hosts, and the number of its other elements (prefixes and negated
// ones).
struct TableContent {
    std::vector<IpAddress> hosts;
    std::size_t others = 0;
};
Result<TableContent> read_table(std::string_view reply);

// Error: the API did not execute the request.
Result<void> read_done(std::string_view reply);

}  // namespace steer::opnsense
