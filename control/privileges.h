// Gives files to the unprivileged user, and becomes that user.
#pragma once

#include <string>
#include <vector>

#include "control/config/start_settings.h"
#include "control/program/build/build.h"
#include "matchers/result.h"

namespace steer {

// `dumps`: folders of cache dumps. `has_frames`: a port takes frames, so some capabilities are
// kept.
Result<void> give_up_rights(const StartSettings& start, const build::Built& built,
                            const std::vector<std::string>& dumps, bool has_frames);

}  // namespace steer
