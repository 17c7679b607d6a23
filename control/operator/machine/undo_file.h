// The file with the commands that take a setup back, newest first.
//
// Root runs these commands. So a file is read only if root owns it and its folder, and no other user
// may write either. (In tests: the user of the process in place of root.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "matchers/result.h"

namespace steer::machine {

// In a folder of its own: an operator may let the daemon's user write in /etc/steerdns.
inline constexpr const char* kUndoFile = "/var/lib/steerdns-setup/undo.sh";
// Of older versions, in the folder of the configuration.
inline constexpr const char* kFormerUndoFile = "/etc/steerdns/setup-undo.sh";

class UndoFile {
  public:
    // Empty `former`: there was none.
    explicit UndoFile(std::string path = kUndoFile, std::string former = kFormerUndoFile)
        : path_(std::move(path)), former_(std::move(former)) {}

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& former() const { return former_; }

    // None: there is no file. Error: root may not run what it says.
    [[nodiscard]] Result<std::vector<std::string>> read() const;
    // Adds the commands of the former file behind the others, and removes it. Error: root may not run
    // them; `shown` gets them, as text for a terminal.
    Result<void> take_over(std::vector<std::string>& shown) const;
    // Puts a command first, unless it is there already: of two the older one puts back what was there
    // before.
    [[nodiscard]] Result<void> remember(const std::string& command) const;
    // Without a command the file is removed.
    [[nodiscard]] Result<void> write(const std::vector<std::string>& commands) const;

  private:
    std::string path_, former_;
};

}  // namespace steer::machine
