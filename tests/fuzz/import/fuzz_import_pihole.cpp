// Any bytes as files of Pi-hole: each begins with a line "== NAME".
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/pihole_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<steer::importing::FolderFile> files;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.starts_with("== ")) {
            files.push_back({std::string(line.substr(3)), {}, std::string(line.substr(3))});
        } else if (!files.empty()) {
            files.back().text.append(line).append("\n");
        }
    }
    // Names of files come from the command line, where they are made safe.
    std::erase_if(files,
                  [](const auto& file) { return !steer::importing::is_pihole_file(file.name); });
    fuzz::check(
        steer::importing::import_pihole(files, "fuzz", [](const std::string&) { return false; }));
    return 0;
}
