// Pi-hole's files as our configuration: pihole.toml of Pi-hole 6; setupVars.conf, pihole-FTL.conf and
// custom.list of Pi-hole 5; the tables of lists, domains, clients and groups as JSON; text lists of
// older versions.
//
// Guarantees: each setting that is on has a counterpart, is listed as one that needs nothing, or has
// a note with its line. Files and settings that are not known have notes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/folder_file.h"
#include "tools/import/note.h"

namespace steer::importing {

// `is_file`: whether a list is on this machine.
Imported import_pihole(const std::vector<FolderFile>& files, std::string_view source,
                       const std::function<bool(const std::string&)>& is_file);
// Whether the import reads a file of that name.
bool is_pihole_file(std::string_view name);

}  // namespace steer::importing
