// The `address` of an address-list row, converted to the form that RouterOS stores and prints.
//
// IPv4: /32 is dropped, host bits are cleared, and a range that is a prefix becomes one. IPv6: RFC
// 5952 text, always with its prefix length. Other text must have the form of a DNS name. Two
// spellings of one address give the same text, so the duplicate check can compare text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rossim/journal.h"

namespace rossim {

struct ListAddress {
    std::string text;
    bool is_name = false;
};

// Returns nothing if the text is neither an address of the family nor a DNS name.
std::optional<ListAddress> normalise_address(Family family, std::string_view text);

// Returns whether a prefix of `available_from` ("192.0.2.0/24", "2001:db8::1") contains the
// address; an empty list contains all.
bool is_available_from(const std::vector<std::string>& available_from, std::string_view address);

}  // namespace rossim
