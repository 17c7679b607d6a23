// How the parser handles settings of ForgeDNS/OxiDNS and mosdns that we do not have
// (matchers/predecessors.h has the keys and types).
//
// A key or a type without an effect changes no answer. Each one in a configuration is one warning,
// at --check and at the start.
#pragma once

#include <string>
#include <string_view>

#include "control/config/reading.h"
#include "matchers/predecessors.h"

namespace steer::config {

// Reports that a plugin of this type (`where`: "in sequence 'main'", "'tag'") has no effect, or
// that it is rejected.
void report_type(Reading& in, const PredecessorType& type, int line, const std::string& where);

// Returns true, with a warning, if `entry` is a predecessor's key without an effect here. "false",
// "", 0 and null need no warning.
bool take_predecessor_key(Reading& in, const Entry& entry, std::string_view owner);
// Returns true, with a warning, if this value of a known key counts as absent: an empty text, null,
// or a zero that means the default in a predecessor. Only for plugins and their parts, and for
// 'log'; never for secrets.
bool counts_as_absent(Reading& in, const Entry& entry, std::string_view owner);

// Read the sections of predecessors.
void read_api(Reading& in, const Node& node, int line);
void read_network(Reading& in, const Node& node, int line);
// Called after all sections are read: converts `api` to `http` of `control`, unless `http` is
// written.
void finish_api(Reading& in, const Node& top);

// Returns true if `top` is a configuration of mosdns v4 (or mosdns-x); reports it.
bool is_mosdns_v4(Reading& in, const Node& top);

}  // namespace steer::config
