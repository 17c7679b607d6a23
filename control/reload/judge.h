// What a configuration is worth on this machine, decided in one place: `--check` and a start ask here, so neither takes
// what the other refuses. Opens and takes nothing. What only a start can see (ports, CPUs, rights, addresses to listen on)
// comes after it.
#pragma once

#include <vector>

#include "control/build/build.h"
#include "control/build/image_folder.h"
#include "control/config/settings.h"
#include "matchers/result.h"

namespace steer {

// As build(), with what this machine says: memory that it has not, caches that do not fit it, certificates that cannot be
// shown. `images` may be nullptr; what goes wrong there is a warning. Takes seconds where build() does.
build::Built judge(const config::Settings& settings, build::Registry& registry,
                   build::ImageFolder* images = nullptr);

// What is good and unwise: a password or a private key that every user of this machine can read, a router's API in clear
// text over a network. For `--check` alone: a start would repeat it every time.
std::vector<Error> advice(const config::Settings& settings);

}  // namespace steer
