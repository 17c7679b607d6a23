// Any bytes as a Corefile.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/corefile_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto environment = [](const std::string& name) {
        return name.size() % 2 == 0 ? std::optional<std::string>("192.0.2.1") : std::nullopt;
    };
    fuzz::check(steer::importing::import_corefile(text, "fuzz", environment,
                                                  [](const std::string&) { return true; }));
    return 0;
}
