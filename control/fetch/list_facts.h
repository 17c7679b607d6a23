// What is known of a fetched file, beside it as FILE.json: what its server called it, and when it was brought and looked
// for. It holds only for the bytes that it was written for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "matchers/result.h"

namespace steer::fetch {

struct ListFacts {
    std::string url, etag, last_modified;
    std::uint64_t bytes = 0, rules = 0;
    std::uint64_t fetched_s = 0, checked_s = 0;  // seconds since 1970
};

// Nothing: there is no such file, there are no facts, or they are of another file or URL.
std::optional<ListFacts> load_facts(const std::string& file, const std::string& url);
Result<void> save_facts(const std::string& file, const ListFacts& facts);

}  // namespace steer::fetch
