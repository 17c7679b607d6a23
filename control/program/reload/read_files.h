// The files of a configuration at the time of the read, to detect later changes.
//
// Files of dynamic_domain_sets are excluded, because the daemon writes and watches them itself.
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

    // Call it before they are read again. Waits some milliseconds if a file was just written; not
    // for the main thread.
    void begin();
    // Call it after these settings were read. Files that were unknown or missing at begin() get
    // their stamps now, because missing lists are fetched during the read.
    void read(const config::Settings& settings);
    [[nodiscard]] bool are_unchanged() const { return stamps_.hold(files_); }

  private:
    std::vector<std::string> files_;
    FileStamps stamps_;
};

}  // namespace steer
