// Any bytes as exports of Technitium: each begins with a line "== NAME".
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/technitium_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steer::importing;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<FolderFile> files;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.starts_with("== ")) {
            const std::string name(line.substr(3));
            files.push_back({name, {}, name, "/etc/steerdns/" + name});
        } else if (!files.empty()) {
            files.back().text.append(line).append("\n");
        }
    }
    fuzz::check(import_technitium(files, "fuzz", [](const std::string&) { return false; }));
    return 0;
}
