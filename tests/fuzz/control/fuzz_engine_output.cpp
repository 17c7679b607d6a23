// What an engine of `recursion` writes: its log, which has names that clients asked for, the output
// of its check, the counts of its control socket, and its file of keys. Texts for people have no
// control characters, and errors are at lines of our configuration.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/program/engine/engine.h"
#include "matchers/safe_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steer::recursion;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const EngineConfig* const config = [] {
        steer::config::Recursion settings;
        settings.line = 3;
        settings.extra = {{"max-udp-size", false, {{"1232"}}, 8}};
        return new EngineConfig(configuration(settings, "/var/lib/unbound/steerdns/0", 5301));
    }();
    const LogLine line = log_line(text);
    if (!steer::is_safe_text(line.text)) std::abort();
    if (line.failure && !steer::is_safe_text(line.failure->zone)) std::abort();
    for (const CheckError& error : errors_of(text, *config)) {
        if (!steer::is_safe_text(error.text)) std::abort();
        if (std::ranges::find(config->lines, error.line) == config->lines.end()) std::abort();
    }
    (void)counts_of(text);
    // Of a file that the engine writes.
    const RootKeys keys = root_keys_of(text);
    if (keys.valid.size() > keys.known.size()) std::abort();
    return 0;
}
