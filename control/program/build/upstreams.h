// From an upstream's settings to its channel in `streams` and its identity.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "control/config/settings.h"
#include "control/streams/upstream/upstream_target.h"

namespace steer::build {

// The identity of an upstream as text, independent of its name: the registry's key.
std::string upstream_key(const config::UpstreamSettings& upstream);

// For upstreams that are not asked at their address over UDP (UpstreamSettings::is_plain()).
std::shared_ptr<const stream::UpstreamTarget> target_of(const config::UpstreamSettings& upstream,
                                                        std::uint16_t id);

}  // namespace steer::build
