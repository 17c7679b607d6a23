// Commands that change this machine, each with the one that takes it back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/operator/machine/finding.h"
#include "control/operator/machine/subject.h"

namespace steer::machine {

// A word of a shell command, in quotes where it needs them.
std::string shell_word(std::string_view text);

// `lines` are the whole content of the file.
Step file_step(const Subject& subject, const std::string& path,
               const std::vector<std::string>& lines);
bool has_lines(const Subject& subject, const std::string& path,
               const std::vector<std::string>& lines);

// A sysctl now. Its value is the one that /proc/sys has.
Step sysctl_step(const Subject& subject, const std::string& key, const std::string& value);
std::string sysctl_path(const std::string& key);
// What the files that systemd-sysctl reads give the key at the next boot; empty: none of them names it.
std::string kept_sysctl(const Subject& subject, const std::string& key);
// For now and for the next boot, as far as either is not so: `60-steerdns-NAME.conf`.
std::vector<Step> sysctl_steps(const Subject& subject, const std::string& name,
                               const std::string& key, const std::string& value);

// Text into a file of /proc or /sys, which had `before`.
Step write_step(const std::string& path, const std::string& text, const std::string& before);

}  // namespace steer::machine
