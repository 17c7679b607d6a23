// A response of any bytes as text for the log: it comes back, and no byte of it disturbs a line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "control/api/log/response_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const auto& line : steer::ops::response_lines({data, size})) {
        const bool clean = std::ranges::none_of(line, [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f;
        });
        if (!clean || line.empty()) std::abort();
    }
    return 0;
}
