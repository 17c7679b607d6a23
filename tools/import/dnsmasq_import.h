// dnsmasq's configuration as one of ours (docs/guides/import.md says what becomes of what).
#pragma once

#include <string>
#include <string_view>

#include "tools/import/dnsmasq.h"

namespace steer::importing {

Imported import_dnsmasq(std::string_view text, std::string_view source);

}  // namespace steer::importing
