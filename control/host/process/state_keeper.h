// Keeps what people made in a file of JSON: reads it at the start, writes it after each change on a
// thread of its own, and says what the file lacks.
//
// A change that could not be written stays in force until the end of the process, and the next one
// is tried again. Parts that cannot be read are left out; the next change keeps the file as
// FILE.damaged. Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/host/process/side_thread.h"
#include "control/host/process/state_file.h"
#include "control/part.h"

namespace steer {

class StateKeeper {
  public:
    struct Words {
        const char* work;          // for the watchdog: "rules of people"
        std::string_view what;     // begins a sentence: "the rules of people"
        std::string_view parts;    // "rules", "groups or members"
        std::string_view part;     // of a change: "rule"
        std::string_view unread;   // the loss of an unreadable file: "... are not in force"
        std::string_view unsaved;  // the loss of an unwritten one: "they are lost at ..."
        std::string_view section;  // of problems: "rules"
        std::string_view off;      // why there is no file
    };

    // Empty `file`: nothing is kept. `how.is_damaged` has no effect.
    StateKeeper(boost::asio::io_context& main_io, std::string file, const StateFile& how,
                const Words& words);

    [[nodiscard]] bool is_on() const { return !file_.empty(); }
    [[nodiscard]] const std::string& file() const { return file_; }
    // An empty object if there is no file, or if it cannot be read. Blocks.
    boost::json::object load(std::size_t most_bytes);
    // The number of parts of the file that could not be read.
    void set_left_out(std::size_t parts);
    // `then` gets the reason why the file lacks the change; empty: it has it. While a text is written,
    // only the last one waits.
    void save(std::string text, std::function<void(const std::string& problem)> then);
    void add_problems(Problems& problems) const;
    // As SideThread.
    void stop() { aside_.stop(); }

  private:
    void save_waiting();

    const std::string file_;
    const StateFile how_;
    const Words words_;
    std::string problem_;  // why the file lacks changes; empty: it has all
    std::size_t left_out_ = 0;
    bool is_saving_ = false;
    struct Waiting {
        std::string text;
        std::vector<std::function<void(const std::string& problem)>> then;
    };
    std::optional<Waiting> waiting_;
    SideThread aside_;
};

}  // namespace steer
