// `announce`: has BIRD announce service addresses while steerdnsd is ready.
//
// Two connections stay open: to the daemon, which sends its readiness, and to BIRD, which enables or disables protocols.
// The end of either is noticed at once. BIRD's protocols are disabled first, and told again each second: BIRD may have been
// restarted or reconfigured.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "command.h"

namespace steerctl {

class AnnounceCommand {
  public:
    explicit AnnounceCommand(CLI::App& app);
    [[nodiscard]] bool parsed() const { return announce_->parsed(); }
    // Until SIGTERM or SIGINT.
    [[nodiscard]] int run(const Options& options) const;

  private:
    CLI::App* announce_;
    std::string bird_ = "/run/bird/bird.ctl";
    std::vector<std::string> protocols_;
    double hold_s_ = 1, settle_s_ = 1;
    bool withdraws_ = false;
};

}  // namespace steerctl
