// Compares new lists with the present ones: which lost too many rules, which are missing, what to
// log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer::config {

// A shorter list may lose any number of rules, because such lists are edited by hand.
inline constexpr std::size_t kSmallList = 20;

// Whether a list with `before` rules lost more than `max_shrink` percent of them.
bool shrank_too_much(std::size_t before, std::size_t now, std::uint32_t max_shrink);
// "it has 3 rules, and had 2000: ...", with what to do about it.
std::string shrink_text(std::size_t before, std::size_t now, std::uint32_t max_shrink);

// Gives each download the plugins that read its file, so that only a suitable file replaces the old
// one.
void give_uses(Settings& settings);

// An error for each local list that lost more than its `max_shrink`, and for each list from a URL
// whose copy became unusable. Such lists are otherwise checked when they are fetched.
std::vector<Error> shrunk_lists(std::span<const ReadList> before, std::span<const ReadList> now);

// The sources of lists without content yet; their rules have no effect.
std::vector<std::string> lists_not_loaded(std::span<const ReadList> lists);

// A sentence for each list that is new or has a changed number of rules or bad lines.
std::vector<std::string> list_news(std::span<const ReadList> before, std::span<const ReadList> now);

// Releases memory of lists that is needed only for reading.

// Drops the rules and prefixes of all plugins when the build no longer needs them, about 100 bytes
// per line of a list. Rules of `hosts` and `arbitrary` stay that name addresses of clients.
void drop_rules(Settings& settings);

}  // namespace steer::config
