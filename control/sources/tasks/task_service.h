// Cron jobs, and tasks that queries trigger. On the main thread, except fetches, which have their
// own thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/config/settings.h"
#include "control/sources/tasks/job_timer.h"
#include "control/streams/fetch/list_fetch.h"

namespace steer::tasks {

class TaskService {
  public:
    // Reloads the configuration because of `why`; reports whether it was applied.
    using Reload = std::function<void(const std::string& why, std::function<void(bool)> done)>;
    using Now = std::function<Clocks()>;

    TaskService(boost::asio::io_context& main_io, Reload reload, Now now);
    ~TaskService();  // aborts running work
    TaskService(const TaskService&) = delete;
    TaskService& operator=(const TaskService&) = delete;

    // Sets the present configuration: unchanged jobs keep their schedule.
    void follow(const config::Settings& settings);
    // Aborts running work.
    void end() { stop_.request_stop(); }
    // Starts due jobs.
    void check();
    // Queries triggered the executor `tag`. Returns false if it is not started, because it runs or
    // started less than kEvery ago.
    bool raise(const std::string& tag);
    static constexpr std::uint64_t kEvery = 10;  // seconds

    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct Step {
        std::string tag;
        std::variant<config::Download, config::Sleep, config::DebugPrint, std::string>
            what;  // text: why to reload
    };
    using Steps = std::vector<Step>;
    // A task with a name: "CRON/JOB", or "TYPE TAG" if queries trigger it.
    struct Task {
        Steps steps;
        std::optional<JobTimer> timer;
        std::string when;  // text of the timer: another text is another timer
        bool wanted = true, in_progress = false;
        std::uint64_t done = 0, failed = 0, skipped = 0;
        std::optional<bool> went_well;             // the last run
        std::optional<std::uint64_t> raised_at_s;  // start of the last run triggered by queries
    };
    struct Run {
        std::string name;
        Steps steps;
        std::size_t at = 0;
        bool good = true;
    };

    [[nodiscard]] static Steps steps_of(const config::Settings& settings,
                                        const std::vector<config::PluginIndex>& executors);
    void add_job(const config::Settings& settings, const config::Cron& cron,
                 const config::CronJob& job);
    void add_raised(const config::Plugin& plugin, config::PluginIndex index,
                    const config::Settings& settings);
    Task& task(const std::string& name);
    void begin(const std::string& name, Task& task);
    void go_on(const std::shared_ptr<Run>& run);
    void finished(const std::shared_ptr<Run>& run, bool good);
    void download(const std::shared_ptr<Run>& run, const config::Download& what);
    void end(const Run& run);

    boost::asio::io_context& main_io_;
    const Reload reload_;
    const Now now_;
    fetch::FetchOptions options_;
    std::map<std::string, Task> tasks_;
    std::map<std::string, std::string> raised_;  // names of tasks, by the tags of executors
    boost::asio::steady_timer timer_;
    std::stop_source stop_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<boost::asio::thread_pool> thread_;
};

}  // namespace steer::tasks
