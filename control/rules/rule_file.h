// A rule file on the disk, changed so that no reader sees half of it and no writer's work is lost.
//
// The new text is written aside, synced, and changes places with the old one (renameat2(2), RENAME_EXCHANGE); if what
// came out is not what was read, somebody else wrote meanwhile, and the change is made once more, to theirs. Who still
// has the old one open for writing is waited for a second. Where the file system cannot exchange files, the old one is
// read once more before it is replaced. Several of us lock the folder (flock(2)). Blocks.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/rules/rule_text.h"

namespace steer::rules {

// What tests do in between; without: as said above.
struct Between {
    std::function<void()> before_exchange;
    std::function<void()>
        while_open;            // called until nobody has the old one open; without: waits 10 ms
    bool no_exchange = false;  // as on a file system that cannot exchange files
};

// Makes the file, and its folder, with the rules of a new one, if it is not there. True: it was made.
Result<bool> make_rule_file(const config::RuleFile& file);

// By change, whether it changed the file, which is made if it is not there. All of them, or an Error and none.
Result<std::vector<bool>> change_rule_file(const config::RuleFile& file,
                                           std::span<const RuleChange> changes,
                                           const Between& between = {});

// Why its rules cannot be changed by whom we are, as a sentence; empty: they can.
std::string why_not_writable(const config::RuleFile& file);

}  // namespace steer::rules
