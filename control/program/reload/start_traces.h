// Files and folders that a start creates before it serves. A rejected start removes them.
//
// These are fetched lists, downloaded files, and the folder of compiled lists. Older files stay.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"

namespace steer {

class StartTraces {
  public:
    // Call it before anything is fetched: records which files do not exist yet.
    explicit StartTraces(const config::Settings& settings);
    // Removes the files created since then; folders only if they are empty.
    void remove() const;

  private:
    void note_file(const std::string& file);
    void note_folders(const std::string& folder);

    std::vector<std::string> files_,
        folders_;         // that did not exist; innermost folders first
    std::string images_;  // a folder whose files were all created by this start; empty: none
};

}  // namespace steer
