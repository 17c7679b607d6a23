// AdGuardHome.yaml as our configuration.
//
// Guarantees: each setting that is on has a counterpart, is listed as one that needs nothing, or has
// a note with its line. Settings that AdGuard Home does not know have notes. The versions of its
// schema from 14 on are read.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tools/import/note.h"

namespace steer::importing {

// `is_file`: whether a certificate or a list is on this machine.
Imported import_adguardhome(std::string_view text, std::string_view source,
                            const std::function<bool(const std::string&)>& is_file);

}  // namespace steer::importing
