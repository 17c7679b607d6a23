// What is kept beside the layer managed.yaml while it is in force: its last good copy, for a start
// with a wrong one, and hashes of the values that it replaces.
//
// A value of the configuration that has changed since the layer replaced it is a problem: the
// operator may expect the new value. Lives on the main thread; files are written on another.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/host/process/side_thread.h"
#include "control/part.h"

namespace steer::edit {

class LayerKeeper {
  public:
    explicit LayerKeeper(boost::asio::io_context& main_io) : aside_(main_io, "managed") {}

    // These settings are in force, read from these texts.
    void follow(const config::Settings& settings, std::shared_ptr<const config::SourceTexts> texts);
    // The next follow() takes the values that these paths and those below them replace as known.
    void accept(std::vector<std::string> paths);
    // The same now, for one value. False: the layer in force has no value with this path.
    bool accept_now(const std::string& path);
    void add_problems(Problems& problems) const;
    // Paths of values that have changed since they were replaced.
    [[nodiscard]] const std::vector<std::string>& changed() const { return changed_; }

  private:
    void keep();

    config::ManagedLayer layer_;
    std::shared_ptr<const config::SourceTexts> texts_;  // nullptr: the layer is not in force
    std::string file_, configuration_;
    std::string error_;        // why a start did not use the file; empty: it did
    std::string write_error_;  // empty: all is kept
    std::vector<std::string> accepted_, changed_;
    SideThread aside_;
};

}  // namespace steer::edit
