// Any bytes as a configuration: load_text() says what is wrong and nothing else happens. It may
// name any file, so relative paths start from a folder that is not there.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/config/load.h"

// NOLINTNEXTLINE(readability-identifier-naming): the fuzzer's name for it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    steer::config::LoadOptions options;
    options.base_dir = "/nonexistent";
    options.environment = [](const std::string&) { return std::nullopt; };
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto outcome = steer::config::load_text(text, "fuzz", options);
    for (const auto& e : outcome.errors) {
        if (e.text.empty() || e.text.find('\n') != std::string::npos || e.file.empty())
            std::abort();
    }
    if (outcome.ok() && outcome.settings.entries.front() >= outcome.settings.plugins.size())
        std::abort();
    return 0;
}
