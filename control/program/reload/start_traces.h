// Files and folders that a start makes before it serves, so that a start that is refused leaves nothing behind.
//
// Lists that it fetches, files that it downloads, the folder of compiled lists. What was there before stays.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"

namespace steer {

class StartTraces {
  public:
    // Before anything is fetched: records what does not exist yet.
    explicit StartTraces(const config::Settings& settings);
    // Removes what was created since; folders only if they are empty.
    void remove() const;

  private:
    void note_file(const std::string& file);
    void note_folders(const std::string& folder);

    std::vector<std::string> files_,
        folders_;         // that did not exist; folders with the innermost first
    std::string images_;  // a folder whose files were all created by this start; empty: none
};

}  // namespace steer
