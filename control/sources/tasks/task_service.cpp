#include "control/sources/tasks/task_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <ctime>
#include <utility>

#include "control/config/advice/steps.h"
#include "control/host/process/background.h"

namespace steer::tasks {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kCheckEvery{1};

// One file after the other; true if all arrived.
bool fetch_all(const config::Download& what, fetch::FetchOptions options,
               const std::stop_token& stop) {
    bool good = true;
    options.limits.timeout = what.timeout;
    options.keep_facts = false;
    for (const config::DownloadItem& item : what.items) {
        const auto outcome =
            fetch::fetch_list({item.url, item.file, item.uses, false}, options,
                              static_cast<std::uint64_t>(std::time(nullptr)), stop);
        if (!outcome.remark.empty()) spdlog::warn("{}", outcome.remark);
        if (fetch::is_good(outcome.outcome)) {
            spdlog::info("{} {}", item.file,
                         outcome.changed ? "was downloaded" : "has not changed");
        } else {
            spdlog::warn("{} could not be downloaded from {}: {}; the file stays as it is",
                         item.file, item.url, outcome.why);
            good = false;
        }
    }
    return good;
}

}  // namespace

TaskService::TaskService(asio::io_context& main_io, Reload reload, Now now)
    : main_io_(main_io), reload_(std::move(reload)), now_(std::move(now)), timer_(main_io) {}

TaskService::~TaskService() {
    *alive_ = false;
    stop_.request_stop();
    timer_.cancel();
    if (thread_) thread_->join();
}

TaskService::Steps TaskService::steps_of(const config::Settings& settings,
                                         const std::vector<config::PluginIndex>& executors) {
    Steps steps;
    for (const config::PluginIndex executor : executors) {
        const auto flat = config::steps_of(settings, executor, 0);
        if (!flat) continue;  // the configuration was checked
        for (const config::PluginIndex index : *flat) {
            const config::Plugin& plugin = settings.plugin(index);
            if (const auto* download = std::get_if<config::Download>(&plugin.args)) {
                steps.push_back({plugin.tag, *download});
            } else if (const auto* sleep = std::get_if<config::Sleep>(&plugin.args)) {
                steps.push_back({plugin.tag, *sleep});
            } else if (const auto* print = std::get_if<config::DebugPrint>(&plugin.args)) {
                steps.push_back({plugin.tag, *print});
            } else {
                steps.push_back({plugin.tag, std::string(plugin.type) + " '" + plugin.tag + "'"});
            }
        }
    }
    return steps;
}

TaskService::Task& TaskService::task(const std::string& name) {
    Task& task = tasks_[name];
    task.wanted = true;
    return task;
}

void TaskService::add_job(const config::Settings& settings, const config::Cron& cron,
                          const config::CronJob& job) {
    const Clocks now = now_();
    Task& task = this->task(cron.tag + "/" + job.name);
    task.steps = steps_of(settings, job.executors);
    const std::string when = job.schedule.empty() ? std::to_string(job.interval.count())
                                                  : job.schedule + " " + cron.timezone;
    if (task.timer && task.when == when) return;
    task.when = when;
    if (job.schedule.empty()) {
        task.timer.emplace(static_cast<std::uint64_t>(job.interval.count()) / 1000, now);
    } else if (const auto schedule = config::CronTime::parse(job.schedule)) {
        task.timer.emplace(*schedule, cron.timezone, now);
    }
}

void TaskService::add_raised(const config::Plugin& plugin, config::PluginIndex index,
                             const config::Settings& settings) {
    const std::string name = std::string(plugin.type) + " " + plugin.tag;
    task(name).steps = steps_of(settings, {index});
    raised_[plugin.tag] = name;
}

void TaskService::follow(const config::Settings& settings) {
    options_ = fetch::fetch_options_of(settings);
    raised_.clear();
    for (auto& [_, task] : tasks_)
        task.wanted = false;
    for (config::PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const config::Plugin& plugin = settings.plugin(i);
        if (const auto* cron = std::get_if<config::Cron>(&plugin.args)) {
            for (const config::CronJob& job : cron->jobs)
                add_job(settings, *cron, job);
        }
    }
    for (const config::PluginIndex i : config::raised_by_queries(settings))
        add_raised(settings.plugin(i), i, settings);
    std::erase_if(tasks_, [](const auto& t) { return !t.second.wanted && !t.second.in_progress; });
    check();
}

void TaskService::check() {
    const Clocks now = now_();
    bool any = false;
    for (auto& [name, task] : tasks_) {
        any = any || task.timer.has_value();
        if (!task.wanted || !task.timer || !task.timer->take_due(now)) continue;
        if (task.in_progress) {
            ++task.skipped;
            spdlog::warn("{} is still running: this run is skipped", name);
        } else {
            begin(name, task);
        }
    }
    if (!any) return;
    timer_.expires_after(kCheckEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) check();
    });
}

bool TaskService::raise(const std::string& tag) {
    const auto at = raised_.find(tag);
    if (at == raised_.end()) return true;  // of a configuration before this one
    const std::uint64_t now_s = now_().steady_s;
    Task& task = tasks_.at(at->second);
    if (task.in_progress || (task.raised_at_s && now_s - *task.raised_at_s < kEvery)) return false;
    task.raised_at_s = now_s;
    begin(at->second, task);
    return true;
}

void TaskService::begin(const std::string& name, Task& task) {
    task.in_progress = true;
    auto run = std::make_shared<Run>(Run{name, task.steps, 0, true});
    asio::post(main_io_, [this, run, alive = alive_] {
        if (*alive) go_on(run);
    });
}

void TaskService::go_on(const std::shared_ptr<Run>& run) {
    if (run->at == run->steps.size()) return end(*run);
    const Step& step = run->steps[run->at++];
    const auto then = [this, run, alive = alive_](bool good) {
        if (*alive) finished(run, good);
    };
    if (const auto* what = std::get_if<config::Download>(&step.what)) {
        download(run, *what);
    } else if (const auto* sleep = std::get_if<config::Sleep>(&step.what)) {
        auto timer = std::make_shared<asio::steady_timer>(main_io_, sleep->duration);
        timer->async_wait([timer, then](const boost::system::error_code&) { then(true); });
    } else if (const auto* print = std::get_if<config::DebugPrint>(&step.what)) {
        spdlog::info("{}: {}", run->name, print->msg);
        asio::post(main_io_, [then] { then(true); });
    } else {
        reload_(std::get<std::string>(step.what), then);
    }
}

void TaskService::download(const std::shared_ptr<Run>& run, const config::Download& what) {
    if (!thread_) thread_ = std::make_unique<asio::thread_pool>(1);
    asio::post(*thread_, [this, run, what, options = options_, stop = stop_.get_token(),
                          alive = alive_, &main_io = main_io_] {
        const BackgroundWork counted;
        const bool good = fetch_all(what, options, stop);
        asio::post(main_io, [this, run, alive, good] {
            if (*alive) finished(run, good);
        });
    });
}

void TaskService::finished(const std::shared_ptr<Run>& run, bool good) {
    run->good = run->good && good;
    go_on(run);
}

void TaskService::end(const Run& run) {
    const auto at = tasks_.find(run.name);
    if (at == tasks_.end()) return;
    Task& task = at->second;
    task.in_progress = false;
    ++(run.good ? task.done : task.failed);
    task.went_well = run.good;
    if (run.good) {
        spdlog::info("{} is done", run.name);
    } else {
        spdlog::warn("{} is done, but parts of it failed", run.name);
    }
    if (!task.wanted) tasks_.erase(at);
}

void TaskService::write_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_task_runs");
    for (const auto& [name, task] : tasks_) {
        writer.sample({{"task", name}, {"result", "done"}}, task.done);
        writer.sample({{"task", name}, {"result", "failed"}}, task.failed);
        writer.sample({{"task", name}, {"result", "skipped"}}, task.skipped);
    }
    writer.family("steerdns_task_good");
    for (const auto& [name, task] : tasks_) {
        if (task.went_well)
            writer.sample({{"task", name}}, std::uint64_t{*task.went_well ? 1U : 0U});
    }
}

}  // namespace steer::tasks
