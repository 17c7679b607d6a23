// The files of a configuration at the time of reading: detects changes since.
//
// Files of dynamic_domain_sets do not count: the daemon writes and watches them itself.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/host/process/file_stamps.h"

namespace steer {

class ReadFiles {
  public:
    ReadFiles() = default;
    // For settings that were read just now.
    explicit ReadFiles(const config::Settings& settings) { read(settings); }

    // Call it before reading them again. Waits some milliseconds if a file was written just now; not on the main thread.
    void begin();
    // These settings were read. Files that were unknown or missing at begin() get their stamps now, because missing lists
    // are fetched while a configuration is read.
    void read(const config::Settings& settings);
    [[nodiscard]] bool are_unchanged() const { return stamps_.hold(files_); }

  private:
    std::vector<std::string> files_;
    FileStamps stamps_;
};

}  // namespace steer
