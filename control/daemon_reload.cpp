// Reload: applies a new configuration while serving.
//
// The reloader builds it on another thread (reloader.h). All checks come before the first change. Then, in this order:
// workers and ports learn new upstreams; when these are reachable, the snapshot is published; routers, caches, log and
// watched files follow. Settings that only a start can apply keep their value and are reported.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <csignal>
#include <utility>

#include "control/api/log/log.h"
#include "control/config/lists/list_changes.h"
#include "control/daemon.h"
#include "control/program/reload/host_servers.h"
#include "control/program/reload/restart_settings.h"
#include "control/program/reload/surroundings.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::uint64_t kHopPatienceMs = 1'500;  // of a new upstream

array sentences(const std::vector<Error>& errors) {
    array all;
    for (const auto& e : errors)
        all.emplace_back(e.sentence());
    return all;
}

}  // namespace

boost::json::value to_json(const ReloadOutcome& outcome) {
    return object{{"generation", outcome.generation},
                  {"errors", sentences(outcome.errors)},
                  {"warnings", sentences(outcome.warnings)},
                  {"took_ms", outcome.took_ms}};
}

// ---- who asks

void Daemon::await_hangup() {
    hangup_.async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        reload("SIGHUP");
        await_hangup();
    });
}

std::vector<std::string> Daemon::watched(const config::Settings& settings) {
    std::vector<std::string> files = host_server_files(settings);
    if (settings.control.watch != config::Watch::off)
        files.insert(files.end(), settings.opened.begin(), settings.opened.end());
    if (settings.control.watch == config::Watch::all) files.push_back(settings.file);
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

void Daemon::watch_files() {
    watch_ = std::make_unique<FileWatch>(
        main_io_, [this](const std::vector<std::string>& files) { files_changed(files); },
        [this](const std::string& file) {
            return rules_->is_own_change(file) || says_the_same_servers(file);
        });
    if (auto done = watch_->watch(watched(settings_)); !done)
        spdlog::warn("{}", done.error().sentence());
}

// A requested reload after the change has already read it.
void Daemon::files_changed(const std::vector<std::string>& files) {
    if (reloader_->has_read(files)) {
        spdlog::debug("the change of {} is already in force: an earlier reload read it",
                      files.front());
        return;
    }
    reload("a change of " + files.front());
}

// Renewing a lease rewrites its file.
bool Daemon::says_the_same_servers(const std::string& file) const {
    const auto files = host_server_files(settings_);
    return std::binary_search(files.begin(), files.end(), file) &&
           std::find(settings_.opened.begin(), settings_.opened.end(), file) ==
               settings_.opened.end() &&
           host_servers_are_as(settings_, look_around(settings_).own_addresses);
}

void Daemon::compile_patterns() {
    if (!older_patterns_) return;
    spdlog::warn(
        "{} of {} keyword and regexp rules have no effect yet: an older image serves while they "
        "are "
        "compiled in the background",
        older_patterns_->missing, older_patterns_->patterns);
    reload("keyword and regexp rules that were compiled in the background");
}

void Daemon::fetch_lists() {
    fetcher_ = std::make_unique<fetch::Fetcher>(
        main_io_,
        [this](const std::string& what, const fetch::Fetcher::Done& done) {
            reload(what, [done](const ReloadOutcome&) { done(); });
        },
        [this](bool is_warning, const std::string& line) {
            events_.tell(ops::EventKind::list,
                         is_warning ? ops::EventLevel::warning : ops::EventLevel::info, line);
        });
    fetcher_->follow(settings_);
}

void Daemon::begin_tasks() {
    tasks_ = std::make_unique<tasks::TaskService>(
        main_io_,
        [this](const std::string& why, const std::function<void(bool)>& done) {
            reload(why, [done](const ReloadOutcome& outcome) { done(outcome.errors.empty()); });
        },
        [this] {
            return tasks::Clocks{wall_time(), clock_.now().ms / 1000};
        });
    tasks_->follow(settings_);
}

void Daemon::repeat_mdns(const config::Settings& settings) {
    if (!mdns_) {
        mdns_ = std::make_unique<mdns::Mdns>(
            main_io_, [this] { return clock_.now().ms; },
            [](const std::string& sentence) { spdlog::warn("{}", sentence); });
    }
    const auto& wanted = settings.mdns;
    mdns_->configure({.interfaces = wanted.interfaces,
                      .services = mdns::Services({wanted.services.begin(), wanted.services.end()}),
                      .v4 = wanted.v4,
                      .v6 = wanted.v6});
}

void Daemon::make_rule_service() {
    rules_ = std::make_unique<rules::RuleService>(
        main_io_,
        [this](const std::string& why, bool by_queries,
               std::function<void(rules::RuleService::InForce)> done) {
            const auto respond = [done = std::move(done)](const ReloadOutcome& outcome) {
                done({outcome.generation,
                      outcome.errors.empty() ? "" : outcome.errors.front().sentence()});
            };
            by_queries ? reload_by_queries(why, respond) : reload(why, respond);
        },
        [this] { return publisher_->current()->generation; },
        [this] { return read_.are_unchanged(); });
}

void Daemon::make_static_service() {
    statics_ = std::make_unique<records::StaticService>(
        main_io_,
        [this](const std::string& why, std::function<void(records::StaticService::InForce)> done) {
            reload(why, [done = std::move(done)](const ReloadOutcome& outcome) {
                done({outcome.generation,
                      outcome.errors.empty() ? "" : outcome.errors.front().sentence()});
            });
        },
        [this](std::vector<matchers::Rule> names,
               const std::function<void(Result<std::uint64_t>)>& done) {
            if (!cache_service_) return done(std::uint64_t{0});
            cache_service_->flush(named_by(std::move(names)), done);
        });
}

// A request that cannot begin yet stays pending.
void Daemon::take_raised() {
    if (!tasks_) return;
    for (const auto& [tag, flag] : registry_.tasks()) {
        if (flag->take() && !tasks_->raise(tag)) flag->raise();
    }
}

void Daemon::reload(const std::string& why, Reloader::Done done, bool any_size) {
    reloader_->request(noting(why, false, std::move(done)), any_size);
}

void Daemon::reload_by_queries(const std::string& why, Reloader::Done done) {
    reloader_->request(noting(why, true, std::move(done)));
}

Reloader::Done Daemon::noting(const std::string& why, bool by_queries, Reloader::Done done) {
    return [this, why, by_queries, done = std::move(done)](const ReloadOutcome& outcome) {
        if (std::exchange(noted_, {outcome.serial, why}) != std::pair{outcome.serial, why})
            note_reload(why, by_queries, outcome);
        if (done) done(outcome);
    };
}

// Queries can trigger a reload every few seconds, so it does not repeat the warnings of the previous one.
void Daemon::note_reload(const std::string& why, bool by_queries, const ReloadOutcome& outcome) {
    std::set<std::string> warned;
    for (const auto& warning : outcome.warnings) {
        const auto [sentence, is_first] = warned.insert(warning.sentence());
        if (!by_queries || (is_first && !warned_.contains(*sentence)))
            events_.tell(ops::EventKind::reload, ops::EventLevel::warning, *sentence);
    }
    warned_ = std::move(warned);
    if (outcome.errors.empty()) {
        events_.tell(ops::EventKind::reload, ops::EventLevel::info,
                     fmt::format("configuration {} is in force after {} ms, because of {}",
                                 outcome.generation, outcome.took_ms, why));
        return;
    }
    for (const auto& error : outcome.errors)
        events_.tell(ops::EventKind::reload, ops::EventLevel::error, error.sentence());
    events_.tell(ops::EventKind::reload, ops::EventLevel::error,
                 fmt::format("configuration {} stays in force: the one read because of {} has "
                             "errors",
                             outcome.generation, why));
}

// ---- what came

std::vector<Error> Daemon::refusals(const Candidate& candidate) const {
    if (!candidate.ok()) return candidate.errors;
    const auto& snapshot = *candidate.built.snapshot;
    if (runtime_->shared().cache == nullptr && !snapshot.caches.empty()) {
        return {Error{"the first cache needs a restart: memory for it is taken at the start",
                      candidate.settings.file}};
    }
    const auto sizes = plan_tables(candidate.settings, snapshot, eal_->memory_bytes(),
                                   static_cast<unsigned>(cpus_.workers.size()));
    if (!sizes) return {sizes.error()};
    return {};
}

void Daemon::take_up(std::unique_ptr<Candidate> candidate) {
    // A missing or wrong file can be corrected later, so all files are watched, valid or not.
    auto files = watched(candidate->settings);
    if (!candidate->ok()) {
        const auto good = watched(settings_);
        files.insert(files.end(), good.begin(), good.end());
    }
    if (watch_) {
        if (auto done = watch_->watch(files); !done) candidate->warnings.push_back(done.error());
    }
    renew_certificates(*candidate);
    renew_log_file(*candidate);
    ReloadOutcome outcome;
    outcome.errors = refusals(*candidate);
    if (!outcome.errors.empty()) {
        ++reloads_.refused;
        reloads_.trouble = outcome.errors.front().sentence();
        outcome.warnings = std::move(candidate->warnings);
        outcome.generation = publisher_->current()->generation;
        reloader_->finished(std::move(outcome));
        return;
    }
    for (const auto& upstream : candidate->built.snapshot->upstreams) {
        const auto known = std::find_if(upstreams_.begin(), upstreams_.end(),
                                        [&](const Upstream& u) { return u.id == upstream.id; });
        if (known == upstreams_.end()) upstreams_.push_back(upstream);
    }
    const auto& fresh = candidate->built.channels;
    channels_.insert(channels_.end(), fresh.begin(), fresh.end());
    streams_->set_upstreams(channels_);
    has_old_upstreams_ = true;
    if (auto done = set_upstreams(); !done) spdlog::error("{}", done.error().sentence());
    watcher_->set_upstreams(upstream_addresses());
    candidate_ = std::move(candidate);
    candidate_since_ms_ = clock_.now().ms;
    publish_candidate();
}

// Independent of other errors: certificates expire on their own dates.
void Daemon::renew_certificates(Candidate& candidate) {
    auto wrong = streams_->renew(candidate.ok() ? candidate.built.listeners
                                                : std::vector<build::Listener>{});
    if (rpc_server_) {
        const auto& rpc = candidate.settings.control.rpc;
        const bool is_taken = rpc && refusals(candidate).empty();
        auto unread = rpc_server_->renew(is_taken ? &*rpc : nullptr);
        wrong.insert(wrong.end(), unread.begin(), unread.end());
    }
    const auto now_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    for (const auto& certificate : streams_->certificates()) {
        if (auto trouble = stream::trouble_with_time(certificate, now_s); !trouble.empty())
            wrong.push_back(Error{std::move(trouble)});
    }
    candidate.warnings.insert(candidate.warnings.end(), wrong.begin(), wrong.end());
}

// Also with a wrong configuration: a renamed log file must not get further lines.
void Daemon::renew_log_file(Candidate& candidate) {
    const auto& log = candidate.ok() ? candidate.settings.log : settings_.log;
    if (auto done = ops::set_log_file(log.file, log.rotation); !done)
        candidate.warnings.push_back(done.error());
}

bool Daemon::knows_hops(const Snapshot& snapshot) const {
    const auto& hops = hops_->current()->by_upstream;
    return std::all_of(snapshot.upstreams.begin(), snapshot.upstreams.end(),
                       [&](const Upstream& u) {
                           return u.channel != Channel::none ||
                                  (u.id < hops.size() && hops[u.id].via != NextHop::Via::nothing);
                       });
}

// If it cannot run now, housekeeping tries again.
void Daemon::publish_candidate() {
    if (!candidate_ || publisher_->alive() == kMaxGenerations) return;
    const Now now = clock_.now();
    if (!knows_hops(*candidate_->built.snapshot) && now.ms - candidate_since_ms_ < kHopPatienceMs)
        return;
    auto published = publisher_->publish(candidate_->built.snapshot, now);
    if (!published) return;
    const auto candidate = std::exchange(candidate_, nullptr);
    put_in_force(*candidate, *published);
}

void Daemon::put_in_force(Candidate& candidate, std::uint32_t generation) {
    const Snapshot& snapshot = *publisher_->current();
    for (const auto& late : {need_restart(settings_, candidate.settings),
                             need_restart(built_.listeners, candidate.built.listeners)}) {
        for (const auto& what : late) {
            candidate.warnings.push_back(Error{
                what + " needs a restart: the old value stays in force", candidate.settings.file});
        }
    }
    registry_ = std::move(candidate.registry);
    older_patterns_.reset();
    for (const auto& news : config::list_news(lists_, candidate.settings.lists))
        spdlog::info("{}", news);
    lists_ = candidate.settings.lists;
    awaited_lists_.follow(lists_);
    follow_upstreams(candidate.built);
    read_ = std::move(candidate.read);
    in_force_ = {std::move(candidate.built.sets), snapshot.names};
    texts_->set(std::move(candidate.settings.texts));
    routers_->configure(std::move(candidate.built.routers),
                        [sets = sets_, plans = std::move(candidate.built.kernel_sets),
                         ready = std::move(candidate.built.ready_sets), opnsense = opnsense_.get(),
                         opnsense_plans = std::move(candidate.built.opnsense), boxes = fleet_,
                         plan = fleet::fleet_plan(candidate.settings)]() mutable {
                            sets->configure(std::move(plans), std::move(ready));
                            opnsense->configure(opnsense_plans);
                            boxes->configure(std::move(plan));
                        });
    if (auto* const cache = runtime_->shared().cache) {
        for (const auto& instance : snapshot.caches)
            cache->set_instance_size(instance.id, instance.size);
        cache_service_->follow(caches_of(candidate.settings), registry_.list_names());
    }
    if (fetcher_) fetcher_->follow(candidate.settings);
    if (tasks_) tasks_->follow(candidate.settings);
    rules_->follow(candidate.settings);
    statics_->follow(candidate.settings);
    edits_->follow(candidate.settings);
    replays_->follow(candidate.settings);
    leases_->follow(candidate.built.leases);
    router_lists_->follow(candidate.built.router_lists);
    time_windows_.follow(std::move(candidate.built.windows), wall_time());
    record(candidate.settings);
    repeat_mdns(candidate.settings);
    ops::set_log_level(candidate.settings.log.level);
    ++reloads_.done;
    reloads_.at_ms = clock_.now().ms;
    note_in_force(candidate.text_hash);
    reloader_->finished(
        {.generation = generation, .errors = {}, .warnings = std::move(candidate.warnings)});
}

void Daemon::note_in_force(std::uint64_t text_hash) {
    reloads_.in_force_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    reloads_.text_hash = text_hash;
    reloads_.hash_text = fmt::format("{:012x}", text_hash);
    reloads_.trouble.clear();
}

// Replies to queries of earlier generations have arrived or timed out.
void Daemon::forget_old_upstreams() {
    if (!has_old_upstreams_ || candidate_ || publisher_->alive() > 1) return;
    has_old_upstreams_ = false;
    upstreams_ = publisher_->current()->upstreams;
    std::erase_if(channels_, [&](const auto& channel) {
        return std::none_of(upstreams_.begin(), upstreams_.end(),
                            [&](const Upstream& u) { return u.id == channel->id; });
    });
    streams_->set_upstreams(channels_);
    if (auto done = set_upstreams(); !done) spdlog::error("{}", done.error().sentence());
    watcher_->set_upstreams(upstream_addresses());
}

// ---- reports

boost::json::value Daemon::reload_status() const {
    object all{{"under_way", reloader_ && reloader_->is_under_way()},
               {"done", reloads_.done},
               {"refused", reloads_.refused},
               {"trouble", reloads_.trouble}};
    if (reloads_.at_ms != 0) all["ago_s"] = (clock_.now().ms - reloads_.at_ms) / 1000;
    return all;
}

void Daemon::write_reload_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_reloads");
    writer.sample({{"result", "in_force"}}, reloads_.done);
    writer.sample({{"result", "refused"}}, reloads_.refused);
    writer.family("steerdns_config_last_reload_successful");
    writer.sample({}, std::uint64_t{reloads_.trouble.empty() ? 1U : 0U});
    writer.family("steerdns_config_last_reload_success_timestamp_seconds");
    writer.sample({}, static_cast<std::uint64_t>(reloads_.in_force_s));
    writer.family("steerdns_config_hash");
    writer.sample({}, reloads_.text_hash);
    writer.family("steerdns_generation");
    writer.sample({}, std::uint64_t{publisher_->current()->generation});
}

}  // namespace steer
