// The control socket's methods that read and change the configuration's file: `configuration.*`.
//
//   configuration.show             {"file", "text", "hash", "bytes", "trouble": why it cannot be written, or ""}
//   configuration.check {"text"}   {"good", "problems": [{"level", "file", "line", "text"}]}
//   configuration.apply {"text", "hash"} and configuration.rollback {"version", "hash"}
//                                  {"applied", "problems", "generation", "kept": the version that has the old text}
//   configuration.history          {"versions": [{"version", "at_s", "bytes"}]}, the newest first
//   configuration.version {"version"}   {"version", "text"}
//
// `hash`: of the text that the change is based on. If another user has changed the file since then,
// it is not written. A text with an error is not written. If the reload rejects the new text, the
// file gets its old text back. One change at a time. Only the main file can be changed; files that
// it includes cannot. A separate thread reads and checks files.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "control/api/rpc/methods.h"
#include "control/host/process/side_thread.h"
#include "control/program/reload/reloader.h"
#include "control/sources/edit/history.h"

namespace steer::edit {

class EditService {
  public:
    using Reload =
        std::function<void(const std::string& why, std::function<void(const ReloadOutcome&)> done)>;

    EditService(boost::asio::io_context& main_io, ConfigSource source, Reload reload);

    void add_methods(ops::Methods& methods);
    // Sets the present configuration.
    void follow(const config::Settings& settings);

  private:
    struct Text {
        std::string text;
        std::string error;  // why it is unusable; empty: it is usable
    };
    struct Change;

    void show(const ops::RpcDone& done);
    void check(const std::string& text, const ops::RpcDone& done);
    void apply(std::string hash, std::function<Text()> text, const ops::RpcDone& done);
    void reload(const Change& change, const ops::RpcDone& done);
    void history(const ops::RpcDone& done);
    void version(std::uint64_t number, const ops::RpcDone& done);

    const ConfigSource source_;
    const Reload reload_;
    std::string folder_;    // of the history; empty: none, and no change is possible
    bool is_busy_ = false;  // a change is running
    SideThread aside_;
};

}  // namespace steer::edit
