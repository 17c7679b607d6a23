// Converts dnsmasq's configuration to ours (docs/guides/import.md has the table).
#pragma once

#include <string>
#include <string_view>

#include "tools/import/dnsmasq.h"

namespace steer::importing {

Imported import_dnsmasq(std::string_view text, std::string_view source);

}  // namespace steer::importing
