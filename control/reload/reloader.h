// Reads and builds a configuration aside, while the one in force serves: on a thread of its own, one at a time.
//
// What comes of it is handed over on the main thread, where whoever runs takes it up or leaves it. A request that comes while
// one is under way is done afterwards, once for all that came.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "control/build/build.h"
#include "control/build/registry.h"
#include "control/config/load.h"
#include "control/process/background.h"
#include "control/process/file_stamps.h"
#include "control/reload/read_files.h"
#include "matchers/result.h"

namespace steer {

// Where a configuration comes from.
struct ConfigSource {
    std::string path;
    config::LoadOptions options;
    std::string control_socket;  // instead of `control.socket`; empty: as it says

    // What it says now. Any thread.
    [[nodiscard]] config::LoadOutcome load(bool downloads_tried = false) const;
    // The same, and what it says once those of its lists were fetched of which there was no copy, and of its downloads
    // the files that are not there; it waits for them (`start_wait`, `timeout`), unless each URL is in `tried`, which
    // these are added to.
    [[nodiscard]] config::LoadOutcome load_with_lists(
        std::set<std::string>& tried, const std::stop_token& stop,
        const std::function<void(const std::string&)>& say) const;
    // Whether that would wait.
    static bool lacks_files(const config::Settings& settings);
    // Whether files of its downloads are not there.
    static bool lacks_downloads(const config::Settings& settings);
};

// A configuration that was read and built.
struct Candidate {
    config::Settings settings;  // complete only if ok()
    build::Built built;
    build::Registry registry;
    ReadFiles read;
    std::vector<Error> errors, warnings;
    [[nodiscard]] bool ok() const { return errors.empty(); }
};

// What became of a request.
struct ReloadOutcome {
    std::uint32_t generation = 0;  // that is in force now
    std::vector<Error> errors;     // none: it is the new one
    std::vector<Error> warnings;
    std::uint64_t took_ms = 0;
    std::uint64_t serial = 0;  // of the build: several requests can be served by one
};

// {"generation", "errors", "warnings": sentences, "took_ms"}
boost::json::value to_json(const ReloadOutcome& outcome);

class Reloader {
  public:
    // What a new configuration is compared with, and made from.
    struct InForce {
        build::Registry registry;
        std::vector<config::ReadList> lists;
        ReadFiles read;
    };
    using Registered = std::function<InForce()>;
    using Watched = std::function<std::vector<std::string>()>;
    using Apply = std::function<void(std::unique_ptr<Candidate>)>;
    using Done = std::function<void(const ReloadOutcome&)>;

    // `registered` gives the numbers and lists in use; `apply` gets what was built and calls finished() when that is in force or
    // was refused. `watched` are the files whose changes ask for a reload. All on the main thread.
    // `tried`: URLs that the start waited for.
    Reloader(boost::asio::io_context& main_io, ConfigSource source, Registered registered,
             Apply apply, Watched watched, std::set<std::string> tried = {});
    ~Reloader();
    Reloader(const Reloader&) = delete;
    Reloader& operator=(const Reloader&) = delete;

    // `any_size`: also lists that lost more of their rules than their `max_shrink` allows.
    void request(Done done, bool any_size = false);
    // What is under way is given up where that is possible: `apply` is not called any more.
    void end() { stop_.request_stop(); }
    void finished(ReloadOutcome outcome);
    [[nodiscard]] bool is_under_way() const { return under_way_; }
    // Whether the last one that began read these files as they are now: then a change of theirs is no news.
    [[nodiscard]] bool has_read(const std::vector<std::string>& files) const {
        return read_.hold(files);
    }

  private:
    void begin();
    std::unique_ptr<Candidate> build_or_refuse(InForce in_force, bool any_size);
    void deliver(std::unique_ptr<Candidate> candidate);
    std::unique_ptr<Candidate> build(InForce in_force, bool any_size);

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    const Registered registered_;
    const Apply apply_;
    const Watched watched_;
    FileStamps read_;                 // before the one that began last
    std::vector<Done> asked_, next_;  // for the one under way, for the one after it
    bool under_way_ = false;
    bool any_size_ = false;  // of the next one
    std::chrono::steady_clock::time_point begun_;
    std::uint64_t serial_ = 0;
    std::set<std::string> tried_;  // URLs of lists; the thread's own while one is under way
    std::stop_source stop_;
    BackgroundThread thread_{"reload"};
};

}  // namespace steer
