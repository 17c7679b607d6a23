// Says when one of a set of files was written, replaced, made or removed: inotify(7) on their folders.
//
// A folder is watched, not the file: editors and package managers rename a new one over it. Of a symbolic link the
// link and what it points at. Many changes in a row are told once, when it has been quiet for kQuiet, or after kLongest.
// On the main thread.
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
    // The files that changed, in that order.
    using Changed = std::function<void(const std::vector<std::string>& files)>;
    // A change that need not be told; asked as soon as it is seen.
    using IsOurs = std::function<bool(const std::string& file)>;

    FileWatch(boost::asio::io_context& main_io, Changed changed, IsOurs is_ours = {});
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    // These from now on, and no others. Error: what cannot be watched (the kernel's limit, a folder that is not
    // there); the others are.
    Result<void> watch(const std::vector<std::string>& files);
    [[nodiscard]] std::vector<std::string> files() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace steer
