#include "control/runtime/reload_part.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "control/api/log/log.h"
#include "control/api/metrics/metrics.h"
#include "control/config/lists/list_changes.h"
#include "control/parts.h"
#include "control/program/reload/host_servers.h"
#include "control/program/reload/judge.h"
#include "control/program/reload/sizing.h"
#include "control/program/reload/surroundings.h"
#include "control/program/reload/text_hash.h"
#include "dataplane/event/row_board.h"

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

std::vector<std::string> watched(const config::Settings& settings) {
    std::vector<std::string> files = host_server_files(settings);
    if (settings.control.watch != config::Watch::off)
        files.insert(files.end(), settings.opened.begin(), settings.opened.end());
    if (settings.control.watch == config::Watch::all) {
        files.push_back(settings.file);
        if (settings.managed.is_used) files.push_back(settings.managed.file);
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

}  // namespace

boost::json::value to_json(const ReloadOutcome& outcome) {
    return object{{"generation", outcome.generation},
                  {"errors", sentences(outcome.errors)},
                  {"warnings", sentences(outcome.warnings)},
                  {"took_ms", outcome.took_ms}};
}

Parts::Maker reload_part() {
    return Parts::maker<ReloadPart>();
}

ReloadPart::ReloadPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      events_(needs.get<Events>()),
      dpdk_(needs.get<DpdkPart>()),
      workers_(needs.get<WorkersPart>()),
      network_(needs.get<NetworkPart>()),
      parts_(needs.parts()),
      reloader_(std::make_unique<Reloader>(
          main_.io(), needs.get<StartSource>().get(),
          [this] {
              return Reloader::InForce{configuration_.registry(), configuration_.lists(),
                                       configuration_.read()};
          },
          [this](std::unique_ptr<Candidate> candidate) { take(std::move(candidate)); },
          [this] { return watch_ ? watch_->files() : std::vector<std::string>{}; },
          needs.get<StartSource>().tried())) {}

void ReloadPart::add_methods(ops::Methods& methods) {
    methods.add({.name = "reload",
                 .help = "Reloads the configuration and its files.",
                 .changes = ops::Changes::always(),
                 .piece = ops::Piece::report(),
                 .parameters = {kAnySize},
                 .run =
                     [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                         request(
                             "steerctl",
                             [done](const ReloadOutcome& outcome) { done(to_json(outcome)); },
                             asked.is_true("any_size"));
                     },
                 .members = "generation took_ms warnings errors",
                 .result = "the generation in force, the time it took, warnings and errors"});
}

// ---- requests

void ReloadPart::serve() {
    note_in_force(text_hash(settings_.get()));
    await_hangup();
    watch_files();
    if (const auto& older = configuration_.older_patterns()) {
        spdlog::warn(
            "{} of {} keyword and regexp rules have no effect yet: an older image serves while "
            "they are compiled in the background",
            older->missing, older->patterns);
        request("keyword and regexp rules that were compiled in the background");
    }
}

void ReloadPart::await_hangup() {
    main_.hangup().async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        request("SIGHUP");
        await_hangup();
    });
}

void ReloadPart::watch_files() {
    watch_ = std::make_unique<FileWatch>(
        main_.io(), [this](const std::vector<std::string>& files) { files_changed(files); },
        [this](const std::string& file) {
            return has_same_servers(file) ||
                   std::ranges::any_of(ignored_, [&](const Ignored& is) { return is(file); });
        });
    if (auto done = watch_->watch(watched(settings_.get())); !done)
        spdlog::warn("{}", done.error().sentence());
}

// A requested reload after the change has already read it.
void ReloadPart::files_changed(const std::vector<std::string>& files) {
    if (reloader_->has_read(files)) {
        spdlog::debug("the change of {} is already in force: an earlier reload read it",
                      files.front());
        return;
    }
    request("a change of " + files.front());
}

// Renewing a lease rewrites its file.
bool ReloadPart::has_same_servers(const std::string& file) const {
    const config::Settings& settings = settings_.get();
    const auto files = host_server_files(settings);
    return std::binary_search(files.begin(), files.end(), file) &&
           std::ranges::find(settings.opened, file) == settings.opened.end() &&
           host_servers_are_as(settings, read_surroundings(settings).own_addresses);
}

void ReloadPart::request(const std::string& why, Reloader::Done done, bool any_size) {
    reloader_->request(noting(why, false, std::move(done)), any_size);
}

void ReloadPart::request_by_queries(const std::string& why, Reloader::Done done) {
    reloader_->request(noting(why, true, std::move(done)));
}

Reloader::Done ReloadPart::noting(const std::string& why, bool by_queries, Reloader::Done done) {
    return [this, why, by_queries, done = std::move(done)](const ReloadOutcome& outcome) {
        if (std::exchange(noted_, {outcome.serial, why}) != std::pair{outcome.serial, why})
            note(why, by_queries, outcome);
        if (done) done(outcome);
    };
}

// Queries can trigger a reload every few seconds, so it does not repeat the warnings of the previous one.
void ReloadPart::note(const std::string& why, bool by_queries, const ReloadOutcome& outcome) {
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

// ---- results

std::vector<Error> ReloadPart::refusals(Candidate& candidate) const {
    if (!candidate.ok()) return candidate.errors;
    const auto& snapshot = *candidate.built.snapshot;
    if (workers_.runtime().shared().cache == nullptr && !snapshot.caches.empty()) {
        return {Error{"the first cache needs a restart: memory for it is taken at the start",
                      candidate.settings.file}};
    }
    const auto sizes =
        plan_tables(candidate.settings, snapshot, dpdk_.eal().memory_bytes(), dpdk_.workers());
    if (!sizes) return {sizes.error()};
    // The row board does not grow.
    if (sizes->board_rows > workers_.runtime().shared().board->capacity()) {
        candidate.warnings.push_back(Error{
            "room for more rows of lists (max_rows, max_elements) needs a restart: answers whose "
            "rows have no room are claimed each time",
            candidate.settings.file});
    }
    return {};
}

void ReloadPart::take(std::unique_ptr<Candidate> candidate) {
    // A missing or wrong file can be corrected later, so all files are watched, valid or not.
    auto files = watched(candidate->settings);
    if (!candidate->ok()) {
        const auto good = watched(settings_.get());
        files.insert(files.end(), good.begin(), good.end());
    }
    if (watch_) {
        if (auto done = watch_->watch(files); !done) candidate->warnings.push_back(done.error());
    }
    ReloadOutcome outcome;
    outcome.errors = refusals(*candidate);
    let_parts_read(*candidate, !outcome.errors.empty());
    if (!outcome.errors.empty()) {
        ++refused_;
        error_ = outcome.errors.front().sentence();
        outcome.warnings = std::move(candidate->warnings);
        outcome.generation = workers_.snapshot().generation;
        reloader_->finished(std::move(outcome));
        return;
    }
    for (const auto& part : parts_.all())
        part->prepare(candidate->built);
    has_earlier_ = true;
    candidate_ = std::move(candidate);
    candidate_since_ms_ = main_.now_ms();
    publish_candidate();
}

// Also with a wrong configuration: a renamed log file must not get further lines.
void ReloadPart::let_parts_read(Candidate& candidate, bool is_refused) {
    for (const auto& part : parts_.all())
        part->read_again(candidate.settings, is_refused ? nullptr : &candidate.built,
                         candidate.warnings);
    const auto& log = candidate.ok() ? candidate.settings.log : settings_.get().log;
    if (auto done = ops::set_log_file(log.file, log.rotation); !done)
        candidate.warnings.push_back(done.error());
}

void ReloadPart::poll() {
    publish_candidate();
    retire_earlier();
}

// If it cannot be published now, poll() tries again.
void ReloadPart::publish_candidate() {
    if (!candidate_ || workers_.publisher().alive() == kMaxGenerations) return;
    const Now now = main_.clock().now();
    if (!network_.reaches(*candidate_->built.snapshot) &&
        now.ms - candidate_since_ms_ < kHopPatienceMs)
        return;
    auto published = workers_.publisher().publish(candidate_->built.snapshot, now);
    if (!published) return;
    const auto candidate = std::exchange(candidate_, nullptr);
    put_in_force(*candidate, *published);
}

void ReloadPart::put_in_force(Candidate& candidate, std::uint32_t generation) {
    for (const auto& late :
         {need_restart(settings_.get(), candidate.settings),
          need_restart(configuration_.built().listeners, candidate.built.listeners)}) {
        for (const auto& what : late) {
            candidate.warnings.push_back(Error{
                what + " needs a restart: the old value stays in force", candidate.settings.file});
        }
    }
    configuration_.put_in_force(candidate, workers_.snapshot().names);
    for (const auto& part : parts_.all())
        part->follow(candidate.settings, candidate.built);
    ops::set_log_level(candidate.settings.log.level);
    ++done_;
    at_ms_ = main_.now_ms();
    note_in_force(candidate.text_hash);
    reloader_->finished(
        {.generation = generation, .errors = {}, .warnings = std::move(candidate.warnings)});
}

void ReloadPart::note_in_force(std::uint64_t text_hash) {
    in_force_s_ = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    text_hash_ = text_hash;
    hash_text_ = fmt::format("{:012x}", text_hash);
    error_.clear();
}

// Replies to queries of earlier generations have arrived or timed out.
void ReloadPart::retire_earlier() {
    if (!has_earlier_ || candidate_ || workers_.publisher().alive() > 1) return;
    has_earlier_ = false;
    for (const auto& part : parts_.all())
        part->forget_earlier();
}

// ---- reports

void ReloadPart::add_status(object& all) {
    object reload{{"under_way", reloader_->is_in_progress()},
                  {"done", done_},
                  {"refused", refused_},
                  {"trouble", error_}};
    if (at_ms_ != 0) reload["ago_s"] = (main_.now_ms() - at_ms_) / 1000;
    all["config"] = settings_.get().file;
    all["reload"] = std::move(reload);
}

void ReloadPart::write_metrics(ops::MetricWriter& writer) {
    writer.family("steerdns_reloads");
    writer.sample({{"result", "in_force"}}, done_);
    writer.sample({{"result", "refused"}}, refused_);
    writer.family("steerdns_config_last_reload_successful");
    writer.sample({}, std::uint64_t{error_.empty() ? 1U : 0U});
    writer.family("steerdns_config_last_reload_success_timestamp_seconds");
    writer.sample({}, static_cast<std::uint64_t>(in_force_s_));
    writer.family("steerdns_config_hash");
    writer.sample({}, text_hash_);
}

void ReloadPart::add_problems(Problems& problems) {
    if (!error_.empty())
        problems.push_back({"configuration", "the last reload was refused: " + error_ +
                                                 "; the configuration before it stays in use"});
    if (const auto& older = configuration_.older_patterns()) {
        const std::string count =
            std::to_string(older->missing) + (older->missing == 1 ? " rule has" : " rules have");
        problems.push_back(
            {"lists",
             "the keyword and regexp rules are those of an older image: " + count +
                 " no effect yet; they follow when the compilation in the background "
                 "is done" +
                 (refused_ != 0 && !error_.empty() ? ", which needs a reload that is not refused"
                                                   : "")});
    }
}

}  // namespace steer
