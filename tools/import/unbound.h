// unbound's configuration: clauses ("server:") with options, and the files that it includes.
//
// Guarantees: every word belongs to an option, or a note names its line. A file without any option
// of unbound is an error. Includes end after 16 levels and 2,000 files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

struct UnboundOption {
    std::string place;  // "line 12", or "line 3 of conf.d/x.conf"
    std::string name;
    std::vector<std::string> args;  // without quotes
};

struct UnboundClause {
    std::string place, name;  // "server"
    std::vector<UnboundOption> options;
};

struct UnboundFile {
    std::vector<UnboundClause> clauses;  // in order; a clause may come again
    std::vector<Note> notes;
    std::optional<Failure> failure;
};

struct IncludedText {
    std::string name;  // as the pattern has it, for places
    std::optional<std::string> text;
};
// Returns the files that a pattern (glob(7)) names, in order. A relative one is relative to the
// folder of the first file.
using IncludeReader = std::function<std::vector<IncludedText>(const std::string& pattern)>;

// `more`: files that are read after it.
UnboundFile read_unbound(std::string_view text, const IncludeReader& include,
                         const std::vector<IncludedText>& more = {});

}  // namespace steer::importing
