// Any bytes as an AdGuardHome.yaml.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/adguardhome_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz::check(steer::importing::import_adguardhome(text, "fuzz",
                                                     [](const std::string&) { return false; }));
    return 0;
}
