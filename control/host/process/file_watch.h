// Reports changes of a set of files (written, replaced, created, removed) by inotify(7) on their
// folders.
//
// It watches folders, not files, because editors and package managers rename a new file over the
// old one. For a symbolic link, it watches both the link and its target. Many changes are reported
// once, after kQuiet without a change, or after kLongest. For the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

class FileWatch {
  public:
    static constexpr std::chrono::milliseconds kQuiet{300};
    static constexpr std::chrono::milliseconds kLongest{3'000};
    // Gets the changed files, in the order of watch().
    using Changed = std::function<void(const std::vector<std::string>& files)>;
    // Whether a change is our own and is not reported. Called as soon as the change is seen.
    using IsOurs = std::function<bool(const std::string& file)>;

    FileWatch(boost::asio::io_context& main_io, Changed changed, IsOurs is_ours = {});
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    // Watches only these files from now on. Error: files that cannot be watched (the kernel's
    // limit, a missing folder); the other files are watched.
    Result<void> watch(const std::vector<std::string>& files);
    [[nodiscard]] std::vector<std::string> files() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer
