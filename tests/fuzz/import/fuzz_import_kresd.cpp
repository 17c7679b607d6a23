// Any bytes as a kresd.conf.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/kresd_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz::check(steer::importing::import_kresd(
        text, "fuzz", [](const std::string& path) { return path.size() % 2 == 0; }));
    return 0;
}
