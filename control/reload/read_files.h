// The files that a configuration was read from, as they were when it was read: whether anybody has changed one since.
//
// Files of dynamic_domain_sets do not count: the daemon writes them itself, and watches them.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/process/file_stamps.h"

namespace steer {

class ReadFiles {
  public:
    ReadFiles() = default;
    // Of settings that were read a moment ago.
    explicit ReadFiles(const config::Settings& settings) { read(settings); }

    // Before they are read again. Waits some milliseconds if one was written just now; off the main thread.
    void begin();
    // These settings were read. A file that was not named or not there at begin() is taken as it is now: lists that are
    // missing are fetched while a configuration is read.
    void read(const config::Settings& settings);
    [[nodiscard]] bool are_unchanged() const { return stamps_.hold(files_); }

  private:
    std::vector<std::string> files_;
    FileStamps stamps_;
};

}  // namespace steer
