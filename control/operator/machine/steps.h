// Commands that change this machine, each with its undo.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/operator/machine/finding.h"
#include "control/operator/machine/subject.h"

namespace steer::machine {

// A word of a shell command, quoted if necessary.
std::string shell_word(std::string_view text);

// `lines`: the whole content of the file.
Step file_step(const Subject& subject, const std::string& path,
               const std::vector<std::string>& lines);
bool has_lines(const Subject& subject, const std::string& path,
               const std::vector<std::string>& lines);

// Sets a sysctl now. The undo restores the value of /proc/sys.
Step sysctl_step(const Subject& subject, const std::string& key, const std::string& value);
std::string sysctl_path(const std::string& key);
// The value of the key at the next boot, from the files that systemd-sysctl reads; empty: no file
// has it.
std::string kept_sysctl(const Subject& subject, const std::string& key);
// Sets it now and for the next boot, each only if necessary: `60-steerdns-NAME.conf`.
std::vector<Step> sysctl_steps(const Subject& subject, const std::string& name,
                               const std::string& key, const std::string& value);

// Writes text to a file of /proc or /sys with the present content `before`.
Step write_step(const std::string& path, const std::string& text, const std::string& before);

}  // namespace steer::machine
