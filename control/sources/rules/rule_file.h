// Changes a rule file on disk so that no reader sees a partial file and no writer's work is lost.
//
// The new text is written to another file, synced, and exchanged with the old file (renameat2(2),
// RENAME_EXCHANGE). If the replaced file is not the one that was read, another process wrote it,
// and the change is applied again to that version. A process that still has the old file open for
// writing gets one second. If the file system cannot exchange files, the old file is read again
// before it is replaced. Several instances lock the folder (flock(2)). Blocks.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/sources/rules/rule_text.h"

namespace steer::rules {

// Hooks for tests; the defaults behave as described above.
struct Between {
    std::function<void()> before_exchange;
    std::function<void()>
        while_open;  // called until no process has the old file open; default: waits 10 ms
    bool no_exchange = false;  // behaves as on a file system without exchange
};

// Creates the file, with its initial rules, and its folder, if the file is missing. Returns true if
// it was created.
Result<bool> make_rule_file(const config::RuleFile& file);

// Returns for each change whether it changed the file. Creates a missing file. Applies all changes,
// or none with an Error.
Result<std::vector<bool>> change_rule_file(const config::RuleFile& file,
                                           std::span<const RuleChange> changes,
                                           const Between& between = {});

// Why this process cannot change the rules, as a sentence; empty: it can.
std::string why_not_writable(const config::RuleFile& file);

}  // namespace steer::rules
