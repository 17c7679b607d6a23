// A list of names in any supported format, as rules. The format is configured, or detected for the
// file as a whole.
//
// If the format has negation, exceptions and conditional rules are separate from the names that are
// always in the set. Entries that a set of names cannot express are bad lines, reported and
// counted. Entries about other things are left out and counted. As in rule_list.h: accepts any
// bytes, linear cost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/list/adguard_list.h"
#include "matchers/list/rule_list.h"

namespace steer::matchers {

// X(form, use, text): its name in the setting `format`, the plugins that take it, and the contents
// of such a file.
//   any      domain_set, and adlist as a whole file
//   lines    domain_set; adlist reads such files line by line (block_list.h)
//   set      domain_set
#define STEER_LIST_FORMS(X)                                                                        \
    X(rules, any, "rules as in [Rule text](#rule-text)")                                           \
    X(hosts, lines, "lines such as `0.0.0.0 NAME`; each name alone")                               \
    X(adlist, lines,                                                                               \
      "RouterOS's format: lines such as `0.0.0.0 NAME`, or bare names; each name alone")           \
    X(dnsmasq, any,                                                                                \
      "the names in `address=`, `server=`, `local=`, `ipset=` and `nftset=`, and all names below") \
    X(rpz, any, "names that a response policy zone blocks with NXDOMAIN, NODATA or DROP")          \
    X(rpz_passthru, set, "names that a response policy zone exempts with PASSTHRU")                \
    X(v2fly, set, "a file of v2fly's data folder; it may include files of the same folder")        \
    X(clash, any,                                                                                  \
      "rules of Clash and Surge (`DOMAIN-SUFFIX,NAME`), and `+.NAME`, names and YAML payloads of " \
      "Clash")                                                                                     \
    X(surge, any, "the same rules, and `.NAME`, which includes NAME")                              \
    X(quantumult, any, "rules of Quantumult X: `host-suffix, NAME, POLICY`")                       \
    X(smartdns, any, "lines of smartdns with `/NAME/`, and names with all names below")            \
    X(adguard, lines, "rules in AdGuard's syntax, with exceptions; each `NAME` without signs alone")

enum class ListForm : std::uint8_t {
    automatic,  // rpz by the first line; else the format that most lines have, if more than half of all lines have it;
                // v2fly if any line can only be that; else rules
#define STEER_LIST_FORM(form, use, text) form,
    STEER_LIST_FORMS(STEER_LIST_FORM)
#undef STEER_LIST_FORM
};
enum class ListFormUse : std::uint8_t { any, lines, set };
struct ListFormRow {
    ListForm form;
    std::string_view name;
    ListFormUse use;
    std::string_view text;
};
#define STEER_LIST_FORM(form, use, text) ListFormRow{ListForm::form, #form, ListFormUse::use, text},
inline constexpr std::array kListForms{STEER_LIST_FORMS(STEER_LIST_FORM)};
#undef STEER_LIST_FORM

struct NameList {
    RuleList list;  // names that are always in the set
    std::size_t left_out = 0;
    std::vector<AdguardRule> rules{};     // exceptions and conditional rules
    ListForm form = ListForm::automatic;  // the format that was used

    // Adds the rule of a line to `list` or `rules`.
    void add(AdguardRule rule);
};

// Returns the bytes of another file in the same folder (`include:` of v2fly). No value: it cannot
// be read.
using ReadBeside = std::function<std::optional<std::string>(std::string_view name)>;

// What a format needs from its caller.
struct ListContext {
    ReadBeside read_beside{};
    TypeNumber type_number = no_type;
};

NameList read_names(std::string_view bytes, std::string_view file, ListForm form,
                    const ListContext& context = {});

// The format that `automatic` detects.
ListForm guess_form(std::string_view bytes);

NameList read_dnsmasq(std::string_view bytes, std::string_view file);
NameList read_rpz(std::string_view bytes, std::string_view file, bool passthru);
NameList read_v2fly(std::string_view bytes, std::string_view file, const ReadBeside& read_beside);

}  // namespace steer::matchers
