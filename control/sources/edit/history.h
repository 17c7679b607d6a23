// Earlier texts of the configuration, in a folder: NUMBER.yaml. Only the daemon's user can read
// them, because they may contain passwords.
//
// Blocks on files. Keeps the newest kMost versions.
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
        std::uint64_t number = 0;  // increases
        std::int64_t at_s = 0;     // time of storing, since 1970
        std::uint64_t bytes = 0;
        bool operator==(const Version&) const = default;
    };

    // `folder` is created when the first version is kept.
    explicit History(std::string folder) : folder_(std::move(folder)) {}

    // The newest first. Empty if there is no folder.
    [[nodiscard]] std::vector<Version> versions() const;
    // Error: there is no such version, or it cannot be read.
    [[nodiscard]] Result<std::string> text(std::uint64_t number) const;
    // Stores a text, unless the newest version is equal. Returns the number of the version with
    // this text.
    Result<std::uint64_t> keep(std::string_view text) const;

  private:
    [[nodiscard]] std::string file_of(std::uint64_t number) const;

    std::string folder_;
};

}  // namespace steer::edit
