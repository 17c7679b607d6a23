// Runs the commands of findings, and keeps their undo commands.
//
// An undo command is in the undo file before its command runs, newest first. So an interruption
// loses nothing.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "control/operator/machine/finding.h"
#include "control/operator/machine/undo_file.h"
#include "matchers/exit_codes.h"
#include "matchers/result.h"

namespace steer::machine {

struct Hands {
    std::function<bool(const std::string& question)> agrees;
    std::function<int(const std::string& command)> run;  // its exit code
    std::ostream& out;
};

// kExitDone: all confirmed commands succeeded. kExitFailed: a command failed, and the rest was not
// run.
ExitCode apply(const Findings& findings, const UndoFile& undo_file, Hands& hands);
// Runs the undo file's commands and removes it. kExitFailed: a command failed, and stays in the file;
// or root may not run a file's commands.
ExitCode undo(const UndoFile& undo_file, Hands& hands);

}  // namespace steer::machine
