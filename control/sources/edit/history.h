// Earlier texts of the configuration, in a folder: NUMBER.yaml, for the daemon's user alone since they may hold passwords.
//
// Blocks on files. The newest kMost are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/result.h"

namespace steer::edit {

class History {
  public:
    static constexpr std::size_t kMost = 50;

    struct Version {
        std::uint64_t number = 0;  // counts up
        std::int64_t at_s = 0;     // when it was kept, since 1970
        std::uint64_t bytes = 0;
        bool operator==(const Version&) const = default;
    };

    // `folder` is created when the first version is kept.
    explicit History(std::string folder) : folder_(std::move(folder)) {}

    // The newest first. Empty if there is no folder.
    [[nodiscard]] std::vector<Version> versions() const;
    // Error: there is no such version, or it cannot be read.
    [[nodiscard]] Result<std::string> text(std::uint64_t number) const;
    // Keeps a text, unless the newest version is the same. The number of the version that has it.
    Result<std::uint64_t> keep(std::string_view text) const;

  private:
    [[nodiscard]] std::string file_of(std::uint64_t number) const;

    std::string folder_;
};

}  // namespace steer::edit
