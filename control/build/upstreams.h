// From an upstream's settings to how `streams` asks it, and what makes it another upstream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "control/config/settings.h"
#include "control/stream/upstream/upstream_target.h"

namespace steer::build {

// The same text for the same upstream, whatever it is called: what the registry numbers.
std::string upstream_key(const config::UpstreamSettings& upstream);

// Of one that is not asked at its address over UDP (UpstreamSettings::is_plain()).
std::shared_ptr<const stream::UpstreamTarget> target_of(const config::UpstreamSettings& upstream,
                                                        std::uint16_t id);

}  // namespace steer::build
