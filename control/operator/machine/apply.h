// Runs the commands of findings, and keeps what takes them back.
//
// What takes a command back is in the undo file before the command runs, newest first, so an end in between loses nothing.
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

// The folder is root's alone: who may write the file chooses what root runs.
inline constexpr const char* kUndoFile = "/etc/steerdns/setup-undo.sh";

// kExitDone: everything that was agreed to is done. kExitFailed: a command failed, and the rest was left.
ExitCode apply(const Findings& findings, const std::string& undo_file, Hands& hands);
// Runs the undo file's commands and removes it. kExitFailed: one failed; it stays in the file.
ExitCode undo(const std::string& undo_file, Hands& hands);

}  // namespace steer::machine
