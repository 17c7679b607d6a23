// The program file steerdns-sets: finding and starting it.
//
// It is opened before privileges are dropped, so that it may be in a folder that only root can
// enter. It stays open, so that a restart uses the matching version even after the installation of
// another one. If it is missing, each start searches again.
#pragma once

#include <string>
#include <vector>

#include "control/sinks/kernel_sets/set_process.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer::kernel_sets {

class SetProgram {
  public:
    // The folder of this program, and the installation's folder.
    static std::vector<std::string> usual_folders();

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
