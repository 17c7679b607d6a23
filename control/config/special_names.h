// The table of special-use names and empty zones that are answered without an upstream, unless
// `resolve_special` names them: IANA's registries of special-use names (RFC 6761) and of locally
// served zones (RFC 6303).
//
// Left out are names that a resolver shall treat like others: example names (RFC 6761 6.5),
// ipv4only.arpa (RFC 8880; dns64 answers it) and names that only applications know.
// dataplane/answer/special_names.h finds a query's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer::config {

enum class SpecialKind : std::uint8_t {
    nxdomain,    // the name and all names below it do not exist
    empty_zone,  // the name has an SOA and an NS record, and nothing is below it (RFC 6303 3)
    localhost,   // the addresses of loopback, also below it
    loopback,    // an address of loopback: its name is localhost
    no_data,     // no name has records
};

// A row: one name, or several that differ in their first label ("16..31.172.in-addr.arpa").
struct SpecialRow {
    std::string_view names;
    SpecialKind kind;
    std::string_view rfc;
    bool is_private = false;  // networks with private addresses use it: their routers may know it
};
[[nodiscard]] const std::vector<SpecialRow>& special_rows();

struct SpecialName {
    std::string name;
    SpecialKind kind;
    bool is_private;
    std::optional<matchers::Prefix> addresses;  // that its names stand for
};
// All names of all rows, in their order.
[[nodiscard]] const std::vector<SpecialName>& special_names();

// "all", a name of the table, or a prefix: the zones of addresses within it. Empty: it is none of
// these.
[[nodiscard]] std::vector<std::string> special_names_of(std::string_view text);

}  // namespace steer::config
