// Facts about a fetched file, stored beside it as FILE.json: the server's validators, and the times
// of the last fetch and check. They are valid only for the bytes with which they were written.
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

// No value: the file or its facts are missing, or the facts are for another file or URL.
std::optional<ListFacts> load_facts(const std::string& file, const std::string& url);
Result<void> save_facts(const std::string& file, const ListFacts& facts);

}  // namespace steer::fetch
