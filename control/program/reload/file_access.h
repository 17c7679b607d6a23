// The files that this process may open while it serves, as rules for Landlock
// (control/host/process/file_rules.h).
//
// - Read and written: /var/lib/steerdns, /run/steerdns, the folder of the configuration, and the
//   folders of everything that it names, but those of files that it only reads.
// - Read: the folders of those files, and /etc, /usr, /opt, /srv, /sys, /run, /var.
// - Changed: devices and /proc. Temporary files: /tmp, /var/tmp (of the query history).
//
// Rules hold until the process ends. So a later configuration can name a file that they do not
// cover.
#pragma once

#include <vector>

#include "control/config/settings.h"
#include "control/host/process/file_rules.h"
#include "matchers/result.h"

namespace steer {

FileRules file_rules_of(const config::Settings& settings);

// A sentence for each file of the configuration that the rules in force do not cover.
std::vector<Error> files_outside_rules(const config::Settings& settings);

}  // namespace steer
