// The configuration of the start. Settings that only a start can apply keep these values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/settings.h"
#include "control/part.h"

namespace steer {

// The configuration and the files that it includes, for FilesAs.
inline std::vector<std::string> sources_of(const config::Settings& settings) {
    std::vector<std::string> sources = settings.included;
    sources.push_back(settings.file);
    return sources;
}

class StartSettings final : public Part {
  public:
    static constexpr std::string_view kName = "start_settings";

    // `user`: from --user; empty: the configuration names it. `is_socket_given`: from
    // --control-socket.
    StartSettings(config::Settings settings, std::string user, bool is_socket_given)
        : settings_(std::move(settings)),
          user_(std::move(user)),
          is_socket_given_(is_socket_given) {}

    [[nodiscard]] const config::Settings& get() const { return settings_; }
    // For the part that moves the rules and texts elsewhere after the build.
    [[nodiscard]] config::Settings& to_reduce() { return settings_; }
    [[nodiscard]] const std::string& user() const { return user_; }
    [[nodiscard]] bool is_socket_given() const { return is_socket_given_; }

  private:
    config::Settings settings_;
    const std::string user_;
    const bool is_socket_given_;
};

}  // namespace steer
