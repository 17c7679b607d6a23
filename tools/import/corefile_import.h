// Converts a Corefile to our configuration (docs/guides/import.md has the table).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/import/corefile.h"
#include "tools/import/corefile_servers.h"
#include "tools/import/forward.h"
#include "tools/import/sheet.h"

namespace steer::importing {

// `is_there` tests whether a certificate exists. A server without its certificate is written as a
// comment, so that the result can be checked and run.
Imported import_corefile(std::string_view text, std::string_view source,
                         const Environment& environment, const FileTest& is_there);

// ---- the parts: one directive each, written at the depth of the plugin's arguments

void write_core_cache(Sheet& sheet, const Directive& cache);
void write_core_dns64(Sheet& sheet, const Directive& dns64);

// forward FROM TO... { ... }
struct CoreForward {
    std::string from;  // "." or a zone
    Forward forward;
    std::vector<std::string> except;
};
CoreForward read_core_forward(const Directive& directive, const std::string& tag);

// Parses "1m30s", "500ms" or "1h" to milliseconds; a bare number means seconds.
std::optional<std::uint64_t> parse_go_time(std::string_view text);

}  // namespace steer::importing
