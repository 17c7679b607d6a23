// Every list in two forms: for workers (PolicyList), and for its sink (RouterPlan, OpnsensePlan,
// SetPlan).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "control/program/build/registry.h"

namespace steer::build {

// Fills Snapshot::lists and the plans of Built; returns the index of each plugin in
// Snapshot::lists.
std::map<config::PluginIndex, std::uint32_t> build_lists(const config::Settings& settings,
                                                         const Surroundings& surroundings,
                                                         Registry& registry, Built& built);

// A router's address for connecting and for messages: "192.0.2.1:8728", "[2001:db8::1]:8728".
routeros::TransportConfig transport_config(const config::Router& router);
std::string address_text(const config::Router& router);

}  // namespace steer::build
