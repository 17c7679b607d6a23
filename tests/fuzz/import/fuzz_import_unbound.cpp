// Any bytes as an unbound.conf, which may include itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/unbound_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using steer::importing::IncludedText;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    unsigned left = 4;  // each include may double the work
    const auto include = [&](const std::string& pattern) {
        if (pattern.size() % 3 == 0 || left == 0) return std::vector<IncludedText>{};
        --left;
        if (pattern.size() % 3 == 1) return std::vector<IncludedText>{{pattern, std::nullopt}};
        return std::vector<IncludedText>{{"conf.d/a.conf", std::string(text)}};
    };
    fuzz::check(steer::importing::import_unbound(
        text, "fuzz", include, [](const std::string& path) { return path.size() % 2 == 0; }));
    return 0;
}
