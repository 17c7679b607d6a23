// Runs the commands of findings, and keeps their undo commands.
//
// An undo command is in the undo file before its command runs, newest first. So an interruption
// loses nothing.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "control/operator/machine/finding.h"
#include "matchers/exit_codes.h"
#include "matchers/result.h"

namespace steer::machine {

struct Hands {
    std::function<bool(const std::string& question)> agrees;
    std::function<int(const std::string& command)> run;  // its exit code
    std::ostream& out;
};

// The folder belongs to root only, because root runs the commands in the file.
inline constexpr const char* kUndoFile = "/etc/steerdns/setup-undo.sh";

// kExitDone: all confirmed commands succeeded. kExitFailed: a command failed, and the rest was not
// run.
ExitCode apply(const Findings& findings, const std::string& undo_file, Hands& hands);
// Runs the undo file's commands and removes it. kExitFailed: a command failed; it stays in the
// file.
ExitCode undo(const std::string& undo_file, Hands& hands);

}  // namespace steer::machine
