// The program steerdns-sets: where it is, and starting it.
//
// It is opened before rights are given up, so that it is found in a folder that only root may enter, and stays open, so that
// a restart takes the version that fits although another was installed since. While there is none, each start looks again.
#pragma once

#include <string>
#include <vector>

#include "control/kernel_sets/set_process.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer::kernel_sets {

class SetProgram {
  public:
    // Beside this program, and where the installation puts it.
    static std::vector<std::string> usual_folders();

    explicit SetProgram(std::vector<std::string> folders = usual_folders());
    // The first that is an executable file, unless one is open.
    Result<void> open();
    // open(), then start_set_process(). One thread at a time.
    Result<StartedSets> start();

  private:
    std::vector<std::string> folders_;
    Descriptor file_;
};

}  // namespace steer::kernel_sets
