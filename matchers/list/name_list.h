// A list of names in any of the forms that lists come in, as rules; by its form, or by what its first line looks like.
//
// What a list says and a set of names cannot mean is a bad line, named and counted; what it says about other things is
// left out and counted. As rule_list.h: any bytes will do, cost is linear.
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
    automatic,  // hosts, dnsmasq, rpz if the first line that is no comment is one of these; v2fly if any line can
    // only be that; else rules
    rules,
    hosts,         // 0.0.0.0 NAME...
    adlist,        // of RouterOS: as hosts, or a bare name; each is that name alone
    dnsmasq,       // address=, server=, local=, ipset=, nftset=: their names, with all below
    rpz,           // a response policy zone: the names that it does not let through
    rpz_passthru,  // those that it does
    v2fly,         // a file of domain-list-community's data/
};

struct NameList {
    RuleList list;
    std::size_t left_out = 0;
};

// The bytes of another file of the same folder (`include:` of v2fly); nothing: it cannot be read.
using ReadBeside = std::function<std::optional<std::string>(std::string_view name)>;

NameList read_names(std::string_view bytes, std::string_view file, ListForm form,
                    const ReadBeside& read_beside = {});

// What `automatic` takes it for.
ListForm guess_form(std::string_view bytes);

NameList read_dnsmasq(std::string_view bytes, std::string_view file);
NameList read_rpz(std::string_view bytes, std::string_view file, bool passthru);
NameList read_v2fly(std::string_view bytes, std::string_view file, const ReadBeside& read_beside);

}  // namespace steer::matchers
