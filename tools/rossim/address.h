// The `address` of an address-list row, brought into the form in which RouterOS keeps and prints
// it.
//
// IPv4: /32 is dropped, host bits are cleared, a range that is a prefix becomes one. IPv6: RFC 5952
// text, always with its prefix length. Anything else must look like a DNS name. Two spellings of
// one address give the same text, so that the duplicate check can compare text.
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

// None: neither an address of the family nor a DNS name.
std::optional<ListAddress> normalise_address(Family family, std::string_view text);

// Whether a prefix of `available_from` ("192.0.2.0/24", "2001:db8::1") holds the address; an empty
// list holds all.
bool is_available_from(const std::vector<std::string>& available_from, std::string_view address);

}  // namespace rossim
