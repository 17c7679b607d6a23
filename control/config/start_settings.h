// The configuration of the start. Settings that only a start can apply keep these values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/settings.h"
#include "control/part.h"

namespace steer {

// The configuration and the files that it includes, for FilesAs. Not the layer over it: what it
// names lies below its folder, which the daemon's user can change.
inline std::vector<std::string> sources_of(const config::Settings& settings) {
    std::vector<std::string> sources = settings.included;
    if (settings.managed.is_used) std::erase(sources, settings.managed.file);
    sources.push_back(settings.file);
    return sources;
}

class StartSettings final : public Part {
  public:
    static constexpr std::string_view kName = "start_settings";

    // `given_user`: from --user; empty: the configuration names it. `is_socket_given`: from
    // --control-socket.
    StartSettings(config::Settings settings, std::string given_user, bool is_socket_given)
        : settings_(std::move(settings)),
          given_user_(std::move(given_user)),
          user_(given_user_.empty() ? settings_.managed.user : given_user_),
          is_socket_given_(is_socket_given) {}

    [[nodiscard]] const config::Settings& get() const { return settings_; }
    // For the part that moves the rules and texts elsewhere after the build.
    [[nodiscard]] config::Settings& to_reduce() { return settings_; }
    // Whose rights the start uses for files that plugins and `http` of `control` name; empty: those
    // of the process. It is given_user(), or the daemon's user if managed.yaml is used.
    [[nodiscard]] const std::string& user() const { return user_; }
    // The same for files that only the configuration can name.
    [[nodiscard]] const std::string& given_user() const { return given_user_; }
    [[nodiscard]] bool is_socket_given() const { return is_socket_given_; }

  private:
    config::Settings settings_;
    const std::string given_user_, user_;
    const bool is_socket_given_;
};

}  // namespace steer
