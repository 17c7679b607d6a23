// The control socket's methods that read and change the layer managed.yaml: `managed.*`.
//
//   managed.show       {"file", "text", "hash", "trouble", "in_force", "parts": [{"part", "yaml", "value"}], "changed": [path],
//                       "entries": [tag]: the sequences that queries enter,
//                       "configuration": the configuration with the layer, as a tree}
//   managed.check {"parts", "values"?}         {"good", "problems", "text", "diff": [{"kind", "text"}], "hash"}
//   managed.set {"parts", "values"?, "hash"}, managed.undo {"version"?, "hash"}
//                      {"applied", "problems", "generation", "kept"}
//   managed.keep {"path"}   {"kept"}
//   managed.history, managed.version {"version"}    as those of `configuration`
//
// layer_text.h has the form of `parts`. A part with an empty value, or without one, is removed.
// file_editor.h makes the changes. Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <set>
#include <string>
#include <vector>

#include "control/api/rpc/methods.h"
#include "control/program/reload/reloader.h"
#include "control/sources/edit/file_editor.h"
#include "control/sources/edit/layer_keeper.h"

namespace steer::edit {

class ManagedService {
  public:
    // `keeper` must outlive it.
    ManagedService(boost::asio::io_context& main_io, ConfigSource source, FileEditor::Reload reload,
                   LayerKeeper& keeper);

    void add_methods(ops::Methods& methods);
    // Sets the present configuration.
    void follow(const config::Settings& settings);

  private:
    [[nodiscard]] EditedFile file() const;
    // Why there is no layer to change; empty: there is one.
    [[nodiscard]] std::string refusal() const;
    void show(const ops::RpcDone& done);
    void check(const ops::Arguments& asked, const ops::RpcDone& done);
    // `paths`: of the values that it sets.
    void change(const ops::Arguments& asked, FileEditor::MakeText text,
                std::vector<std::string> paths, const ops::RpcDone& done);
    void set(const ops::Arguments& asked, const ops::RpcDone& done);
    void undo(const ops::Arguments& asked, const ops::RpcDone& done);
    void keep(const ops::Arguments& asked, const ops::RpcDone& done);

    const ConfigSource source_;
    LayerKeeper& keeper_;
    std::string layer_, folder_;
    std::set<std::string> urls_;        // of lists in force
    std::vector<std::string> entries_;  // tags of the sequences that queries enter
    bool is_in_force_ = false;
    bool is_last_good_ = false;  // the start uses the last good copy instead of the file
    FileEditor editor_;
};

}  // namespace steer::edit
