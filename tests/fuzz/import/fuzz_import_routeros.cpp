// Any bytes as a RouterOS export.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/ros_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz::check(steer::importing::import_routeros(text, "fuzz"));
    return 0;
}
