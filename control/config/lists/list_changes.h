// Lists as they were read, compared with those in force: which lost too many rules, which are not there, what to log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::config {

// A shorter list may lose what it wants: hand-written ones are edited so.
inline constexpr std::size_t kSmallList = 20;

// Whether a list of `before` rules lost more than `max_shrink` percent of them.
bool shrank_too_much(std::size_t before, std::size_t now, std::uint32_t max_shrink);
// "it has 3 rules, and had 2000: ...", with what to do about it.
std::string shrink_text(std::size_t before, std::size_t now, std::uint32_t max_shrink);

// Tells each download which plugins read its file, so that only what is good for them takes its place.
void give_uses(Settings& settings);

// An error for each local list that lost more than its `max_shrink`. Lists by URL are looked at when they are fetched.
std::vector<Error> shrunk_lists(std::span<const ReadList> before, std::span<const ReadList> now);

// The sources of lists that have no content yet, so that what they would say is not done.
std::vector<std::string> lists_not_loaded(std::span<const ReadList> lists);

// A sentence for each list that is new or has another number of rules or bad lines than before.
std::vector<std::string> list_news(std::span<const ReadList> before, std::span<const ReadList> now);

// Lets go of what a list was read for.

// Empties the rules and prefixes of all plugins, once what is built of them has them: about 100 bytes a line of a list.
void drop_rules(Settings& settings);

}  // namespace steer::config
