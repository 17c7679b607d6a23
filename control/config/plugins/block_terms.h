// Rows of lists and zones that block, for structs with a member `BlockTerms terms`.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "control/config/setting.h"

namespace steer::config {

// Each reports errors.
void read_public_name(Reading& in, const Node& node, const Place& place, BlockTerms& out);
void check_terms(Reading& in, int line, std::string_view owner, const BlockTerms& terms);

// The hash of a list's text, for the hit log, in hexadecimal digits.
std::string sha256_of(std::string_view bytes);

template <class Args, bool BlockTerms::*Member>
void read_term(Reading& in, const Node& node, const Place& place, Args& out) {
    read_value(in, node, place, {}, out.terms.*Member);
}
template <class Args>
void read_public_name_of(Reading& in, const Node& node, const Place& place, Args& out) {
    read_public_name(in, node, place, out.terms);
}

// `legal`: the help of that row.
template <class Args>
constexpr std::array<Row<Args>, 4> block_terms_rows(std::string_view legal) {
    return {{
        {"legal", Own<Args>{"true/false", read_term<Args, &BlockTerms::legal>}, "false", "", legal},
        {"requested", Own<Args>{"true/false", read_term<Args, &BlockTerms::requested>}, "false", "",
         "the owner of the clients asked for it\nIts answers have the EDE code Filtered (17) in "
         "place of Blocked (15)."},
        {"public_name", Own<Args>{"text", read_public_name_of<Args>}, "none", "1..100 bytes",
         "name that clients get with each block\nIt is the text of the extended error (RFC 8914). "
         "Clients without EDNS do not get it, nor do answers without room for it."},
        {"hit_log", Own<Args>{"true/false", read_term<Args, &BlockTerms::hit_log>}, "false", "",
         "keep what it blocks in the `hit_log` of a `query_recorder`\nSee "
         "[query-log.md](../guides/query-log.md#keep-what-a-list-blocked)."},
    }};
}

}  // namespace steer::config
