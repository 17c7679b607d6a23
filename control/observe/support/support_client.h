// Which client a sheet is about, and whether a query_recorder's history can show it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "control/config/settings/recorder_settings.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer::support {

// The shortest prefix that one subscriber has (RFC 6177): "one client" of IPv6 is an address or a
// prefix from here on.
inline constexpr unsigned kShortestSite = 48;

// "192.0.2.7", "2001:db8::7" or "2001:db8:1::/64".
Result<matchers::Prefix> client_from(std::string_view text);
// An address without a length.
std::string text_of(const matchers::Prefix& client);

// Why this recorder's history has no queries that are surely of this client; empty: it has.
std::string obstacle(const config::QueryRecorder& recorder, const matchers::Prefix& client);

}  // namespace steer::support
