// Changes one file of the configuration while the daemon serves: its main file, or the layer over
// it.
//
// A change is based on a text, by its hash: a file that another user has changed since then is not
// written. A text with an error is not written. The text before the change is kept as a version.
// If the reload rejects the new text, the file gets its old text back. One change at a time. A
// separate thread reads, checks and writes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/method.h"
#include "control/config/load.h"
#include "control/host/process/side_thread.h"
#include "control/program/reload/reloader.h"
#include "control/sources/edit/history.h"

namespace steer::edit {

// SHA-256 of a text, in hexadecimal.
std::string hash_of(std::string_view text);

// All that `--check` says of a text.
struct Checked {
    bool good = false;
    boost::json::array problems;  // {"level", "file", "line", "text"}
};
Checked check_loaded(const config::LoadOutcome& loaded);
boost::json::array& add_problems(boost::json::array& out, std::string_view level,
                                 const std::vector<Error>& all);

// Adds `text`, and `base64` with its bytes if it is not UTF-8: JSON has no other bytes.
boost::json::object with_text(boost::json::object out, const std::string& text);
// Why this process cannot replace the file; empty: it can.
std::string write_error(const std::string& file);

// The file that is changed. Used by any thread.
struct EditedFile {
    std::string file;
    std::string folder;  // of its versions; empty: they are not kept, and no change is possible
    std::string what;    // for the reload's reason: "a changed configuration"
    bool may_be_missing = false;  // then its text is empty
    std::function<Checked(const std::string& text)> check;

    [[nodiscard]] Result<std::string> read() const;
    [[nodiscard]] History history() const { return History(folder); }
};

class FileEditor {
  public:
    using Reload =
        std::function<void(const std::string& why, std::function<void(const ReloadOutcome&)> done)>;
    struct Text {
        std::string text;
        std::string error;  // why it is unusable; empty: it is usable
    };
    // Makes the new text from the present one, on the separate thread.
    using MakeText = std::function<Text(const std::string& now)>;

    // `name`: of its work, for the watchdog.
    FileEditor(boost::asio::io_context& main_io, const char* name, Reload reload)
        : reload_(std::move(reload)), aside_(main_io, name) {}

    // {"applied", "problems", "generation"?, "kept"?: the version that has the old text}. `hash`:
    // of the text that the change is based on.
    void change(const EditedFile& file, std::string hash, MakeText text, const ops::RpcDone& done);
    // {"versions": [{"version", "at_s", "bytes"}]}, the newest first.
    void history(const EditedFile& file, const ops::RpcDone& done);
    // {"version", "text", "base64"?}
    void version(const EditedFile& file, std::uint64_t number, const ops::RpcDone& done);
    [[nodiscard]] SideThread& aside() { return aside_; }

  private:
    struct Change;
    void reload(const EditedFile& file, const Change& change, const ops::RpcDone& done);

    const Reload reload_;
    bool is_busy_ = false;  // a change is running
    SideThread aside_;
};

}  // namespace steer::edit
