// The control socket's methods that read and change the configuration's file: `configuration.*`.
//
//   configuration.show             {"file", "text", "hash", "bytes", "trouble": why it cannot be written, or ""}
//   configuration.check {"text"}   {"good", "problems": [{"level", "file", "line", "text"}]}
//   configuration.apply {"text", "hash"} and configuration.rollback {"version", "hash"}
//                                  {"applied", "problems", "generation", "kept": the version that has the old text}
//   configuration.history          {"versions": [{"version", "at_s", "bytes"}]}, the newest first
//   configuration.version {"version"}   {"version", "text"}
//
// file_editor.h makes the changes. Only the main file can be changed; files that it includes cannot.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>

#include "control/api/rpc/methods.h"
#include "control/program/reload/reloader.h"
#include "control/sources/edit/file_editor.h"

namespace steer::edit {

class EditService {
  public:
    EditService(boost::asio::io_context& main_io, ConfigSource source, FileEditor::Reload reload);

    void add_methods(ops::Methods& methods);
    // Sets the present configuration.
    void follow(const config::Settings& settings);

  private:
    [[nodiscard]] EditedFile file() const;
    void show(const ops::RpcDone& done);
    void check(const std::string& text, const ops::RpcDone& done);

    const ConfigSource source_;
    std::string folder_;  // of the history; empty: none, and no change is possible
    FileEditor editor_;
};

}  // namespace steer::edit
