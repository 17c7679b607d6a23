// The program file steerdns-sets: finding and starting it.
//
// The starter opens and executes it (starter.h). This class finds the same file before privileges
// are dropped, and reports errors of it. If it is missing, each start searches again.
#pragma once

#include <string>
#include <vector>

#include "control/host/process/starter.h"
#include "control/sinks/kernel_sets/set_process.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer::kernel_sets {

class SetProgram {
  public:
    // The folder of this program, and the installation's folder.
    static std::vector<std::string> usual_folders();

    // The same, for the starter's table.
    static Starter::Program for_starter();

    explicit SetProgram(std::vector<std::string> folders = usual_folders());
    // Opens the first executable file, unless one is open.
    Result<void> open();
    // open(), then start_set_process(). One thread at a time.
    Result<StartedSets> start();

  private:
    std::vector<std::string> folders_;
    Descriptor file_;
};

}  // namespace steer::kernel_sets
