// The file of a program that the daemon starts (child_process.h): finding and starting it.
//
// The starter opens and executes it (starter.h). This class finds the same file before privileges
// are dropped, and reports errors of it. If it is missing, each start searches again.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/host/process/child_process.h"
#include "control/host/process/starter.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

class ChildProgram {
  public:
    // The folder of this program, and the installation's folder.
    static std::vector<std::string> usual_folders();

    // The program of that name in the usual folders, for the starter's table.
    static Starter::Program for_starter(const std::string& name);

    // `max_bytes`: of a message.
    ChildProgram(std::string name, std::size_t max_bytes,
                 std::vector<std::string> folders = usual_folders());
    // Opens the first executable file, unless one is open.
    Result<void> open();
    // open(), then start_child(). One thread at a time.
    Result<StartedChild> start();

  private:
    std::string name_;
    std::size_t max_bytes_;
    std::vector<std::string> folders_;
    Descriptor file_;
};

}  // namespace steer
