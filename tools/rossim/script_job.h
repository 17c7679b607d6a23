// /system/script/run, /execute and /import.
#pragma once

#include <memory>

#include "tools/rossim/commands.h"

namespace rossim {

// True for the sentences that make_script_job() takes.
bool runs_script(const Sentence& sentence);

// Throws Trap.
std::unique_ptr<Job> make_script_job(const Sentence& sentence, Caller caller);

}  // namespace rossim
