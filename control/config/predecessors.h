// What configurations of ForgeDNS/OxiDNS and mosdns may hold beyond our own settings, in one table: keys without an effect
// here, zeros that mean the default, plugin types that are left out, and those that are refused with what to write instead.
//
// A key or a type without an effect changes no answer. Each one that is written is one warning, at --check and at the start.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "control/config/reading.h"

namespace steer::config {

// `where` is the type of plugin, or the first word of what else has keys: "upstream", "entry", "tls".
struct PredecessorKey {
    enum class Fate : std::uint8_t { no_effect, zero_is_default };
    std::string_view where, key;
    Fate fate;
    std::string_view text;  // what happens instead; empty for a zero
};

struct PredecessorType {
    enum class Fate : std::uint8_t { no_effect, refused };
    std::string_view name;
    Role role;
    Fate fate;
    std::string_view text;  // what happens instead, or what to write
};

std::span<const PredecessorKey> predecessor_keys();
std::span<const PredecessorType> predecessor_types();
const PredecessorType* find_predecessor_type(std::string_view name);

// Says of a plugin of this type (`where`: "in sequence 'main'", "'tag'") that it has no effect, or that it is refused.
void report_type(Reading& in, const PredecessorType& type, int line, const std::string& where);

// True, with a warning, if `entry` is a key of a predecessor without an effect here. "false", "", 0 and null need no warning.
bool take_predecessor_key(Reading& in, const Entry& entry, std::string_view owner);
// True, with a warning, if this value of a known key counts as not written: an empty text, null, or a zero that means the
// default in a predecessor. Only of plugins and their parts, and of 'log'; never of secrets.
bool counts_as_absent(Reading& in, const Entry& entry, std::string_view owner);

// The sections of predecessors.
void read_api(Reading& in, const Node& node, int line);
void read_network(Reading& in, const Node& node, int line);
// Once all sections are read: what `api` says becomes `http` of `control`, unless that is written.
void finish_api(Reading& in, const Node& top);

// True if `top` is a configuration of mosdns v4 (or mosdns-x), which was reported.
bool is_mosdns_v4(Reading& in, const Node& top);

}  // namespace steer::config
