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
    // Before anything is fetched: notes what is not there yet.
    explicit StartTraces(const config::Settings& settings);
    // Removes what has come since; folders only if they are empty then.
    void remove() const;

  private:
    void note_file(const std::string& file);
    void note_folders(const std::string& folder);

    std::vector<std::string> files_,
        folders_;         // that were not there; folders with the innermost first
    std::string images_;  // a folder whose files are all of this start; empty: none
};

}  // namespace steer
