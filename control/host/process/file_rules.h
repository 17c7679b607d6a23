// Which files this process may open (Landlock), beside what their permissions say.
//
// Rules hold for the thread that enforces them, for threads that it starts later, and for older
// threads that call restrict_this_thread(). They cannot be widened. Files that are open stay
// usable; programs can be executed only where a rule says so. Kernels before 5.13, and those
// without Landlock, enforce nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

class FileRules {
  public:
    enum class Use : std::uint8_t {
        read,    // files and folders
        change,  // and write files that are there
        write    // and make, rename and remove files
    };

    // Allows `path` and all below it. A path that does not exist is skipped.
    void allow(const std::string& path, Use use);
    // To read `path` and all below it, and to execute programs of it.
    void allow_running(const std::string& path);
    // As allow(), for the folder that `path` is in, or would be in: the nearest one that exists,
    // but not `/`.
    void allow_folder_of(const std::string& path, Use use);

    // The version of Landlock's interface; 0: the kernel has none, or it is off.
    static int kernel_version();

    // Enforces the rules. Needs no privilege, but no_new_privs (harden_process()). Error: nothing
    // is enforced.
    Result<void> enforce() const;
    // Whether the rules allow it.
    [[nodiscard]] bool covers(const std::string& path, Use use) const;
    // The rules as the kernel has them, in force nowhere yet.
    [[nodiscard]] Result<Descriptor> make() const;

  private:
    struct Rule {
        std::string path;  // without links
        Use use;
        bool runs = false;
    };
    std::vector<Rule> rules_;
};

// Enforces the rules until this process ends: for this thread, and for threads that start later.
Result<void> enforce_file_rules(FileRules rules);
// Enforces the same rules for the calling thread, which is older. In a signal handler, too.
void restrict_this_thread() noexcept;
// Whether the rules in force allow it; without rules: yes.
bool file_rules_cover(const std::string& path, FileRules::Use use);
// Whether rules are in force.
bool has_file_rules();

}  // namespace steer
