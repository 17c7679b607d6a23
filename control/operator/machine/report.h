// Findings as text for an operator, as lines for scripts, and as JSON.
#pragma once

#include <iosfwd>

#include "control/operator/machine/finding.h"

namespace steer::machine {

// Sorted by level, problems first, with commands and their undo.
void write_text(const Findings& findings, std::ostream& out);
// `problem hugepages: TEXT`, one line each.
void write_lines(const Findings& findings, std::ostream& out);
// {"findings": [{"check", "level", "text", "why", "needs_reboot", "steps": [{"command", "undo"}]}]}
void write_json(const Findings& findings, std::ostream& out);

std::size_t count(const Findings& findings, Level level);

}  // namespace steer::machine
