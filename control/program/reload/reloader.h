// Reads and builds a configuration while the present one serves: on a separate thread, one at a
// time.
//
// The main thread gets the result and applies or drops it. All requests during a run are served by
// one further run.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "control/config/document.h"
#include "control/config/load.h"
#include "control/host/process/background.h"
#include "control/host/process/file_stamps.h"
#include "control/program/build/build.h"
#include "control/program/build/registry.h"
#include "control/program/reload/read_files.h"
#include "matchers/result.h"

namespace steer {

// The texts of the present configuration, for explanations while its files change. Any thread.
class TextsInForce {
  public:
    void set(config::SourceTexts texts);
    [[nodiscard]] std::shared_ptr<const config::SourceTexts> get() const;  // nullptr: none yet

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const config::SourceTexts> texts_;
};

// The source of a configuration.
struct ConfigSource {
    std::string path;
    config::LoadOptions options;
    std::string control_socket;  // replaces `control.socket`; empty: not
    // Replaces `control.user`: the option --user. Then the configuration decides neither the
    // daemon's user nor which files root creates or passes on. Empty: the configuration decides.
    std::string user;
    std::shared_ptr<TextsInForce> in_force = std::make_shared<TextsInForce>();  // of all copies
    bool has_managed = true;  // false: the option --no-managed; `control.managed` has no effect

    // Reads the configuration. Any thread.
    [[nodiscard]] config::LoadOutcome load(bool downloads_tried = false) const;
    // The same for a text, as if the file contained it.
    [[nodiscard]] config::LoadOutcome load_text(const std::string& text) const;
    // Loads the present configuration again, with the present files of its lists. Any thread.
    [[nodiscard]] config::LoadOutcome load_in_force() const;
    // As load(), but first fetches lists without a copy, and missing files of downloads. Waits for
    // them (`start_wait`, `timeout`), unless all URLs are in `tried`. Adds them to `tried`.
    [[nodiscard]] config::LoadOutcome load_with_lists(
        std::set<std::string>& tried, const std::stop_token& stop,
        const std::function<void(const std::string&)>& say) const;
    // The same with this text as the layer managed.yaml; no value: without a layer.
    [[nodiscard]] ConfigSource with_layer(std::optional<std::string> text) const;
    // The configuration with its layer, as a tree (config::merged_document()). Any thread.
    [[nodiscard]] Result<config::Node> merged() const;
    // The user whose rights a start uses for files that these settings name. Empty: those of the
    // process.
    [[nodiscard]] const std::string& files_user(const config::Settings& settings) const {
        return user.empty() ? settings.managed.user : user;
    }
    // Whether load_with_lists() would wait.
    static bool lacks_files(const config::Settings& settings);
    // Whether files of its downloads are missing.
    static bool lacks_downloads(const config::Settings& settings);

  private:
    [[nodiscard]] config::LoadOptions how() const;
    [[nodiscard]] config::LoadOutcome complete(config::LoadOutcome loaded) const;
    // Fetches missing files as `user`; returns the number of fetched ones.
    std::size_t fetch_lists(const config::Settings& settings, std::set<std::string>& tried,
                            const std::stop_token& stop,
                            const std::function<void(const std::string&)>& say) const;
};

// A configuration that was read and built.
struct Candidate {
    config::Settings settings;  // complete only if ok()
    build::Built built;
    build::Registry registry;
    ReadFiles read;
    std::uint64_t text_hash = 0;
    std::vector<Error> errors, warnings;
    [[nodiscard]] bool ok() const { return errors.empty(); }
};

// The result of a request.
struct ReloadOutcome {
    std::uint32_t generation = 0;  // the present one
    std::vector<Error> errors;     // empty: the new configuration is used
    std::vector<Error> warnings;
    std::uint64_t took_ms = 0;
    std::uint64_t serial = 0;  // of the build: one build may serve several requests
};

// {"generation", "errors", "warnings": sentences, "took_ms"}
boost::json::value to_json(const ReloadOutcome& outcome);

class Reloader {
  public:
    // The input for comparing and building a new configuration.
    struct InForce {
        build::Registry registry;
        std::vector<config::ReadList> lists;
        ReadFiles read;
    };
    using Registered = std::function<InForce()>;
    using Watched = std::function<std::vector<std::string>()>;
    using Apply = std::function<void(std::unique_ptr<Candidate>)>;
    using Done = std::function<void(const ReloadOutcome&)>;

    // `registered` returns the numbers and lists in use. `apply` gets the built candidate, and
    // calls finished() after applying or rejecting it. Changes of files in `watched` request a
    // reload. All on the main thread. `tried`: URLs that the start waited for.
    Reloader(boost::asio::io_context& main_io, ConfigSource source, Registered registered,
             Apply apply, Watched watched, std::set<std::string> tried = {});
    ~Reloader();
    Reloader(const Reloader&) = delete;
    Reloader& operator=(const Reloader&) = delete;

    // `any_size`: accepts lists that lost more rules than their `max_shrink` allows.
    void request(Done done, bool any_size = false);
    // Aborts the present run if possible. `apply` is not called after that.
    void end() { stop_.request_stop(); }
    void finished(ReloadOutcome outcome);
    [[nodiscard]] bool is_in_progress() const { return in_progress_; }
    // Whether the last run read these files in their present state, so that a change event needs no
    // reload.
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
    FileStamps read_;                 // taken before the last run
    std::vector<Done> asked_, next_;  // for the present run, for the next run
    bool in_progress_ = false;
    bool any_size_ = false;  // for the next run
    std::chrono::steady_clock::time_point begun_;
    std::uint64_t serial_ = 0;
    std::set<std::string> tried_;  // URLs of lists; during a run, used by its thread
    std::stop_source stop_;
    BackgroundThread thread_{"reload"};
};

}  // namespace steer
