// The source of the configuration, for parts that read it again.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "control/part.h"
#include "control/program/reload/reloader.h"

namespace steer {

class StartSource final : public Part {
  public:
    static constexpr std::string_view kName = "start_source";

    // `tried`: the URLs whose download was tried for the configuration of the start.
    StartSource(ConfigSource source, std::set<std::string> tried)
        : source_(std::move(source)), tried_(std::move(tried)) {}

    [[nodiscard]] const ConfigSource& get() const { return source_; }
    [[nodiscard]] const std::set<std::string>& tried() const { return tried_; }

  private:
    const ConfigSource source_;
    const std::set<std::string> tried_;
};

}  // namespace steer
