// What the parser does with what configurations of ForgeDNS/OxiDNS and mosdns hold beyond our own settings
// (matchers/predecessors.h has the keys and types).
//
// A key or a type without an effect changes no answer. Each one that is written is one warning, at --check and at the start.
#pragma once

#include <string>
#include <string_view>

#include "control/config/reading.h"
#include "matchers/predecessors.h"

namespace steer::config {

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
