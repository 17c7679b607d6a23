// Lines of `extra`, read as unbound reads them: its lexer (util/configlexer.lex) is the same from 1.17
// to 1.26.
//
// - `#` begins a comment only where a word could begin.
// - A word may be quoted by " or '. A backslash keeps the next character, and stays in the word.
// - Names have capitals as written, and end in a colon. Several options may be in one line, and the
//   words of an option in the next ones. A quoted word ends on its line.
// - `include:` and `include-toplevel:` are commands also in the place of a word.
//
// What is read is options of engine_options.h with their words. unbound gets these, written by us, and
// never a line as it was given.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/lines.h"
#include "control/config/settings/recursion_settings.h"

namespace steer::config {

struct EngineRefusal {
    int line = 0;
    std::string what;          // "'port'", or the beginning of the line
    std::string why;           // "may not be here: …"
    bool with_clause = false;  // the lines after it, up to the next clause, belong to it
};
struct EngineLines {
    // Of the lines that are not refused, without those of a refused clause.
    std::vector<EngineStatement> statements;
    std::vector<EngineRefusal> refusals;
};
EngineLines read_engine_lines(std::span<const Text> lines);

// Folders of files that the engine may read. A path that is no whole one starts from its own.
inline constexpr std::string_view kEngineFolders[] = {"/var/lib/unbound/", "/usr/share/",
                                                      "/etc/ssl/certs/"};
// Modules that may be in `module-config`.
inline constexpr std::string_view kEngineModules[] = {"respip", "subnetcache", "validator",
                                                      "iterator"};

}  // namespace steer::config
