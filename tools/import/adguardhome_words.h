// Values of AdGuardHome.yaml: flags, lists of texts, clients, times.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/import/policy_tree.h"
#include "tools/import/words.h"

namespace steer::importing {

inline constexpr std::array<TimeUnit, 7> kGoUnits{{{"ms", 1},
                                                   {"us", 0},
                                                   {"ns", 0},
                                                   {"d", 86'400'000},
                                                   {"h", 3'600'000},
                                                   {"m", 60'000},
                                                   {"s", 1000}}};
inline constexpr std::uint64_t kOneDayMs = 86'400'000;

bool is_on(std::string_view text);
// Returns true for no value, false, 0 and null.
bool is_unset(const Tree& value);
// Returns the value of a key; an empty tree if there is none.
const Tree& below(const Tree& tree, std::string_view key);
// Returns the texts of a list, or a single text, with their lines.
std::vector<std::pair<std::string, int>> tree_texts(const Tree& value);

// Returns an address or a prefix as our configuration accepts it; empty: it is neither.
std::string client_prefix(std::string_view text);
// Returns the MAC address as aa:bb:cc:dd:ee:ff; empty: it is none.
std::string client_mac(std::string_view text);
// Returns a part of tags for a name, such as "leos_phone"; at least one letter.
std::string group_tag(std::string_view name);

}  // namespace steer::importing
