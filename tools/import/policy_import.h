// Configurations of ForgeDNS/OxiDNS and mosdns v5, converted to ours without what has no effect here
// (docs/guides/migrate-forgedns.md, docs/guides/migrate-mosdns.md).
//
// Settings that both know stay as they are: their values are not checked here. `steerdnsd --check` names a wrong one.
#pragma once

#include <string_view>

#include "tools/import/note.h"

namespace steer::importing {

enum class PolicySource : std::uint8_t { forgedns, mosdns };

Imported import_policy(std::string_view yaml, std::string_view source, PolicySource of);

}  // namespace steer::importing
