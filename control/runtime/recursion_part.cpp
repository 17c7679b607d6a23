#include "control/runtime/recursion_part.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/host/process/rights.h"
#include "control/parts.h"
#include "control/program/engine/engine_call.h"
#include "control/program/engine/folders.h"
#include "control/program/engine/plans.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using recursion::Instance;

constexpr std::uint64_t kFileEveryMs = 10'000;  // checks of the engine's program
constexpr std::uint64_t kLinesEveryMs = 60'000;
constexpr unsigned kMostLines = 20;  // of an instance, in that time
constexpr std::size_t kMostFailures = 64;
constexpr std::chrono::seconds kCallPatience{10};

std::pair<ino_t, time_t> engine_file() {
    struct stat found {};
    const auto programs = recursion::programs();
    if (::stat(programs.front().files.front().c_str(), &found) != 0) return {};
    return {found.st_ino, found.st_mtim.tv_sec};
}

}  // namespace

Result<void> RecursionPart::start() {
    folder_ = settings_.get().control.recursion;
    const auto user = resolve_user(settings_.get().control.user);
    if (!user) return user.error();
    const auto engine = recursion::engine_user(*user);
    Starter* const starter = recursion::engine_starter();
    const bool is_needed = !recursion::plans_of(settings_.get()).empty();
    const bool is_installed = recursion::why_missing().empty();
    // Also where none is needed yet: a reload may add one.
    if (is_installed) {
        auto made = recursion::make_folders(folder_, engine);
        if (!made && is_needed) return made;
        can_run_ = made.has_value();
    }
    // Also where none is needed, so that no process keeps the right to change its user.
    const bool is_started = starter != nullptr && starter->is_alive() &&
                            (::geteuid() != 0 || starter->become(engine.uid, engine.gid));
    can_run_ = can_run_ && is_started;
    if (is_needed && !is_started)
        return Error{
            "unbound cannot run as a user of its own: " + std::string(std::strerror(errno)) +
            "; give the service CAP_SETUID and CAP_SETGID"};
    if (is_needed && !engine.is_own)
        spdlog::info(
            "recursion: unbound runs as the user of steerdnsd: there is no user {}; run "
            "'systemd-sysusers'",
            recursion::kUser);
    file_ = engine_file();
    return {};
}

void RecursionPart::take(const config::Settings& settings) {
    std::map<std::pair<std::string, unsigned>, const recursion::Plan*> wanted;
    configured_negatives_.clear();
    const auto plans = recursion::plans_of(settings);
    std::set<std::uint16_t> changed = std::exchange(ports_, {});
    for (const auto& plan : plans) {
        for (const auto& zone : plan.settings.negative_trust_anchors)
            configured_negatives_.insert(zone.value);
        for (unsigned i = 0; i < plan.settings.instances; ++i) {
            ports_.insert(static_cast<std::uint16_t>(plan.settings.port + i));
            if (can_run_) wanted.emplace(std::pair(plan.tag, i), &plan);
        }
    }
    changed.insert(ports_.begin(), ports_.end());
    std::erase_if(instances_, [&](const auto& one) { return !wanted.contains(one.first); });
    for (const auto& [key, plan] : wanted) {
        auto at = instances_.find(key);
        if (at == instances_.end()) {
            // The lowest folder that no other instance has.
            unsigned place = 0;
            const auto is_taken = [&](const auto& one) {
                return one.second.instance->place() == place;
            };
            while (std::ranges::any_of(instances_, is_taken))
                ++place;
            Kept kept;
            kept.name = key.first + "-" + std::to_string(key.second);
            kept.instance = std::make_unique<Instance>(main_.io(), *this, processes_, key.second,
                                                       place, recursion::folder_of(folder_, place));
            at = instances_.emplace(key, std::move(kept)).first;
            at->second.instance->configure(plan->settings);
            at->second.instance->start();
        } else {
            at->second.instance->configure(plan->settings);
        }
    }
    for (const std::uint16_t port : changed)
        on_change(port);
}

// ---- its instances

RecursionPart::Kept& RecursionPart::kept_of(const Instance& instance) {
    return std::ranges::find_if(
               instances_, [&](const auto& one) { return one.second.instance.get() == &instance; })
        ->second;
}

bool RecursionPart::is_down(std::uint16_t port) const {
    return ports_.contains(port) && std::ranges::none_of(instances_, [port](const auto& one) {
               return one.second.instance->port() == port && one.second.instance->is_up();
           });
}

bool RecursionPart::is_starting(std::uint16_t port) const {
    return std::ranges::any_of(instances_, [port](const auto& one) {
        const Instance& instance = *one.second.instance;
        return instance.port() == port && instance.restarts() == 0 && instance.error().empty();
    });
}

void RecursionPart::is_up_changed(const Instance& instance) {
    on_change(instance.port());
    if (instance.is_up()) settings_taken(instance);
}

// It has no negative trust anchors but those of its configuration.
void RecursionPart::settings_taken(const Instance& instance) {
    for (const auto& [zone, anchor] : negative_anchors_)
        recursion::call_engine(main_.io(), instance.control_socket(),
                               recursion::distrust_command(zone, true), kCallPatience,
                               [](const std::optional<std::string>&) {});
}

void RecursionPart::tell(const Instance& instance, bool is_warning, const std::string& text) {
    events_.tell(ops::EventKind::upstream,
                 is_warning ? ops::EventLevel::warning : ops::EventLevel::info,
                 "recursion " + kept_of(instance).name + ": " + text);
}

// Names in its lines are those that clients asked for, so its lines have a limit.
void RecursionPart::take_line(const Instance& instance, const recursion::LogLine& line) {
    Kept& kept = kept_of(instance);
    if (line.is_failed_name) {
        ++kept.failures;
        const auto same = std::ranges::find(failures_, line.text, &Failure::text);
        if (same != failures_.end()) {
            ++same->count;
            same->at_ms = main_.now_ms();
            return;
        }
        if (failures_.size() >= kMostFailures) failures_.pop_front();
        failures_.push_back({kept.name, line.text, main_.now_ms(), 1});
        return;
    }
    if (line.level == recursion::LineLevel::detail) return;
    if (main_.now_ms() - kept.lines_since_ms >= kLinesEveryMs) {
        if (kept.left_out > 0)
            spdlog::warn("recursion {}: {} further lines of unbound were left out", kept.name,
                         kept.left_out);
        kept.lines_since_ms = main_.now_ms();
        kept.lines = kept.left_out = 0;
    }
    if (++kept.lines > kMostLines) {
        ++kept.left_out;
        return;
    }
    const auto level =
        line.level == recursion::LineLevel::info ? spdlog::level::info : spdlog::level::warn;
    spdlog::log(level, "recursion {}: unbound: {}", kept.name, line.text);
}

void RecursionPart::poll() {
    if (instances_.empty() || main_.now_ms() - checked_ms_ < kFileEveryMs) return;
    checked_ms_ = main_.now_ms();
    if (const auto now = engine_file(); now != file_ && now.first != 0) {
        file_ = now;
        for (auto& [key, kept] : instances_)
            kept.instance->mark_old();
    }
    replace_old_ones();
}

// One at a time, so that the others answer. One that cannot run holds up none.
void RecursionPart::replace_old_ones() {
    const bool all_up = std::ranges::all_of(instances_, [](const auto& one) {
        return one.second.instance->is_up() || !one.second.instance->error().empty();
    });
    const auto old = std::ranges::find_if(
        instances_, [](const auto& one) { return one.second.instance->is_old(); });
    if (!all_up || old == instances_.end()) return;
    tell(*old->second.instance, false, "unbound has a new version: it is started again");
    old->second.instance->replace();
}

// ---- the API

void RecursionPart::to_all(const std::string& command, const ops::RpcDone& done) {
    struct Asked {
        std::size_t left = 0, did = 0, failed = 0;
        ops::RpcDone done;
    };
    auto asked = std::make_shared<Asked>();
    asked->done = done;
    asked->left = instances_.size();
    if (instances_.empty())
        return done(boost::json::value(object{{"instances", 0}, {"failed", 0}}));
    for (const auto& [key, kept] : instances_) {
        recursion::call_engine(
            main_.io(), kept.instance->control_socket(), command, kCallPatience,
            [asked](const std::optional<std::string>& answer) {
                ++(answer && recursion::is_done(*answer) ? asked->did : asked->failed);
                if (--asked->left > 0) return;
                asked->done(boost::json::value(
                    object{{"instances", asked->did}, {"failed", asked->failed}}));
            });
    }
}

array RecursionPart::failures() const {
    array all;
    for (auto at = failures_.rbegin(); at != failures_.rend(); ++at)
        all.push_back(object{{"instance", at->instance},
                             {"text", at->text},
                             {"count", at->count},
                             {"ago_s", (main_.now_ms() - at->at_ms) / 1000}});
    return all;
}

void RecursionPart::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kDomain{"name", ParamType::domain_name, "a domain name", true};
    methods.add(
        {.name = "recursion",
         .help = "Shows the processes that resolve from the root.",
         .changes = Changes::nothing(),
         .run = [this](const ops::Arguments&) -> ops::RpcResult {
             array rows, anchors;
             for (const auto& [key, kept] : instances_)
                 rows.push_back(row_of(kept));
             for (const auto& [zone, anchor] : negative_anchors_)
                 anchors.push_back(boost::json::value(zone));
             return boost::json::value(object{{"instances", std::move(rows)},
                                              {"negative_trust_anchors", std::move(anchors)},
                                              {"failures", failures()}});
         },
         .members = "instances negative_trust_anchors failures",
         .result = "each instance, temporary negative trust anchors, and the last failures"});
    constexpr std::string_view kCounts =
        "the numbers of instances that did it, and that did not answer";
    methods.add({.name = "recursion.flush",
                 .help = "Removes a name, and all below it, from the caches of the processes that "
                         "resolve.",
                 .changes = Changes::always(),
                 .parameters = {kDomain},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { flush(asked, done); },
                 .members = "instances failed",
                 .result = kCounts});
    methods.add(
        {.name = "recursion.distrust",
         .help = "Sets or removes a negative trust anchor (RFC 7646) for a time.",
         .changes = Changes::always(),
         .parameters = {kDomain,
                        {"seconds", ParamType::number,
                         "how long; 0 removes it; without it, an hour", false, 0, 604'800, "s"}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { distrust(asked, done); },
         .members = "instances failed",
         .result = kCounts});
}

void RecursionPart::flush(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto name = recursion::zone_word(asked.text("name"));
    if (!name) return done(ops::bad_params(name.error().text));
    to_all(recursion::flush_command(*name), done);
}

void RecursionPart::distrust(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto zone = recursion::zone_word(asked.text("name"));
    if (!zone) return done(ops::bad_params(zone.error().text));
    if (configured_negatives_.contains(*zone))
        return done(ops::bad_params("'" + *zone +
                                    "' is in 'negative_trust_anchors' of the configuration: "
                                    "change it there"));
    const auto seconds = asked.number("seconds", 3600);
    negative_anchors_.erase(*zone);
    if (seconds > 0) {
        auto timer =
            std::make_unique<boost::asio::steady_timer>(main_.io(), std::chrono::seconds(seconds));
        timer->async_wait(
            [this, zone = *zone, own = timer.get()](const boost::system::error_code& error) {
                if (error) return;
                // A newer one may be there by now.
                const auto now = negative_anchors_.find(zone);
                if (now == negative_anchors_.end() || now->second.get() != own) return;
                negative_anchors_.erase(now);
                set_trust(zone, true, [](const ops::RpcResult&) {});
            });
        negative_anchors_.emplace(*zone, std::move(timer));
    }
    set_trust(*zone, seconds == 0, done);
}

// And removes what was judged before.
void RecursionPart::set_trust(const std::string& zone, bool is_trusted, const ops::RpcDone& done) {
    to_all(recursion::distrust_command(zone, !is_trusted),
           [this, zone, done](const ops::RpcResult& result) {
               to_all(recursion::flush_command(zone),
                      [done, result](const ops::RpcResult&) { done(result); });
           });
}

object RecursionPart::row_of(const Kept& kept) const {
    const Instance& one = *kept.instance;
    const recursion::EngineCounts& counts = one.counts();
    return {{"name", kept.name},
            {"port", one.port()},
            {"pid", one.pid()},
            {"up", one.is_up()},
            {"restarts", one.restarts()},
            {"trouble", one.error()},
            {"uptime_s", counts.uptime_s},
            {"queries", counts.queries},
            {"recursions", counts.recursions},
            {"servfail", counts.servfail},
            {"secure", counts.secure},
            {"bogus", counts.bogus},
            {"failed_names", kept.failures},
            {"cache_bytes", counts.bytes},
            {"recursion_mean_ms", counts.recursion_mean_s * 1e3},
            {"recursion_median_ms", counts.recursion_median_s * 1e3}};
}

void RecursionPart::add_status(object& all) {
    if (instances_.empty()) return;
    std::size_t up = 0;
    for (const auto& [key, kept] : instances_)
        up += kept.instance->is_up() ? 1U : 0U;
    all["recursion"] = object{{"instances", instances_.size()}, {"up", up}};
}

void RecursionPart::write_metrics(ops::MetricWriter& writer) {
    if (instances_.empty()) return;
    using std::uint64_t;
    const auto each = [&](auto value) {
        for (const auto& [key, kept] : instances_)
            writer.sample({{"instance", kept.name}}, uint64_t{value(*kept.instance)});
    };
    writer.family("steerdns_recursion_up");
    each([](const Instance& one) { return one.is_up() ? 1U : 0U; });
    writer.family("steerdns_recursion_restarts");
    each([](const Instance& one) { return one.restarts(); });
    writer.family("steerdns_recursion_queries");
    each([](const Instance& one) { return one.counts().queries; });
    writer.family("steerdns_recursion_recursions");
    each([](const Instance& one) { return one.counts().recursions; });
    writer.family("steerdns_recursion_servfail");
    each([](const Instance& one) { return one.counts().servfail; });
    writer.family("steerdns_recursion_secure");
    each([](const Instance& one) { return one.counts().secure; });
    writer.family("steerdns_recursion_bogus");
    each([](const Instance& one) { return one.counts().bogus; });
    writer.family("steerdns_recursion_cache_bytes");
    each([](const Instance& one) { return one.counts().bytes; });
}

void RecursionPart::add_problems(Problems& problems) {
    if (!ports_.empty() && !can_run_)
        problems.push_back(
            {"recursion", "unbound was not installed when steerdnsd started; restart steerdnsd"});
    const Starter* const starter = recursion::engine_starter();
    if (!instances_.empty() && (starter == nullptr || !starter->is_alive()))
        problems.push_back(
            {"recursion", "the process that starts unbound has ended; restart steerdnsd"});
    for (const auto& [key, kept] : instances_) {
        if (!kept.instance->error().empty())
            problems.push_back(
                {"recursion", kept.name + ": " + kept.instance->error() + "; see the log"});
    }
}

Parts::Maker recursion_part() {
    return Parts::maker<RecursionPart>();
}

}  // namespace steer
