// Technitium DNS Server's exports as our configuration: the answer of its API to settings/get,
// AllowedZones.txt, BlockedZones.txt, zone files, and dnsApp.config of its app Advanced Blocking.
//
// Guarantees: each setting that is on has a counterpart, is listed as one that needs nothing, or has
// a note. Files and settings that are not known have notes. A zone stays in its file.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/folder_file.h"
#include "tools/import/note.h"

namespace steer::importing {

// `is_file`: whether a certificate is on this machine.
Imported import_technitium(const std::vector<FolderFile>& files, std::string_view source,
                           const std::function<bool(const std::string&)>& is_file);
// Whether the import reads a file of that name.
bool is_technitium_file(std::string_view name);

}  // namespace steer::importing
