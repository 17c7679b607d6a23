// Names of search engines, and the names whose servers answer with safe search only.
//
// As the engines document them for operators of networks, in November 2026. Names of the first kind
// are resolved as those of the second. A list by URL (`files` of `redirect`) comes first,
// so that it can renew these.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steer::config {

struct SafeSearchEngine {
    std::string_view name;    // as in `safe_search`
    std::string_view target;  // presentation form
    std::span<const std::string_view> names;
    std::span<const std::string_view> countries;  // for names of the form www.google.COUNTRY
};

// All of them, in the order of the documentation.
std::span<const SafeSearchEngine> safe_search_engines();
// The names that the engine's target answers for, in lower case.
std::vector<std::string> names_of(const SafeSearchEngine& engine);
// "google|bing|...", in that order
const std::string& safe_search_words();

}  // namespace steer::config
