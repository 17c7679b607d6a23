// Reads folders and one-word files of /sys and /proc, which may disappear at any time. Set-up only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace steer {

// Names, sorted. A folder that cannot be read counts as empty.
std::vector<std::string> names_in(const std::filesystem::path& folder);

// The first word of a file; "" if there is none.
std::string read_word(const std::filesystem::path& file);

// All processes in /proc except this one, by number.
std::vector<std::string> other_processes(const std::filesystem::path& proc);

// Whether a process other than this one has that name.
bool runs_elsewhere(const std::string& name, const std::filesystem::path& proc);

}  // namespace steer
