// A list of names in any supported format, as rules. The format is configured, or recognised for the file as a whole.
//
// Entries that a set of names cannot express are bad lines, named and counted. Entries about other things are
// left out and counted. As in rule_list.h: any bytes are accepted, cost is linear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "matchers/list/rule_list.h"

namespace steer::matchers {

enum class ListForm : std::uint8_t {
    automatic,  // rpz by the first line; else the format that most lines have, if more than half of all lines have it;
                // v2fly if any line can only be that; else rules
    rules,
    hosts,         // 0.0.0.0 NAME...
    adlist,        // of RouterOS: as hosts, or a bare name; each is only that name
    dnsmasq,       // address=, server=, local=, ipset=, nftset=: their names, with all below
    rpz,           // a response policy zone: the names that it blocks
    rpz_passthru,  // the names that it lets through
    v2fly,         // a file of domain-list-community's data/
    clash,  // DOMAIN-SUFFIX,NAME of Clash and Surge; +.NAME, a name alone, and a YAML payload of Clash
    surge,       // the same, and .NAME with the name itself
    quantumult,  // host-suffix, NAME, POLICY
    smartdns,    // lines of smartdns with /NAME/, or names
    adguard,     // rules of AdGuard that block
};
inline constexpr ListForm kLastForm = ListForm::adguard;

struct NameList {
    RuleList list;
    std::size_t left_out = 0;
    // Why the whole file is refused: it says what a set of names cannot hold, and without that it says too much.
    std::optional<Error> refused{};
    ListForm form = ListForm::automatic;  // that it was read as
};

// The bytes of another file of the same folder (`include:` of v2fly); no value: it cannot be read.
using ReadBeside = std::function<std::optional<std::string>(std::string_view name)>;

NameList read_names(std::string_view bytes, std::string_view file, ListForm form,
                    const ReadBeside& read_beside = {});

// The format that `automatic` recognises.
ListForm guess_form(std::string_view bytes);

NameList read_dnsmasq(std::string_view bytes, std::string_view file);
NameList read_rpz(std::string_view bytes, std::string_view file, bool passthru);
NameList read_v2fly(std::string_view bytes, std::string_view file, const ReadBeside& read_beside);

}  // namespace steer::matchers
