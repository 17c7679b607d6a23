// Converts configurations of ForgeDNS/OxiDNS and mosdns v5 to ours, without the settings that have
// no effect here (docs/guides/migrate-forgedns.md, docs/guides/migrate-mosdns.md).
//
// Settings that both programs have stay unchanged. Their values are not checked here; `steerdnsd
// --check` names a wrong one.
#pragma once

#include <string_view>

#include "tools/import/note.h"

namespace steer::importing {

enum class PolicySource : std::uint8_t { forgedns, mosdns };

Imported import_policy(std::string_view yaml, std::string_view source, PolicySource of);

}  // namespace steer::importing
