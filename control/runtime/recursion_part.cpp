#include "control/runtime/recursion_part.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "control/host/process/rights.h"
#include "control/parts.h"
#include "control/program/engine/engine_call.h"
#include "control/program/engine/engine_files.h"
#include "control/program/engine/folders.h"
#include "control/program/engine/machine.h"
#include "control/program/engine/plans.h"

namespace steer {
namespace {

using recursion::Instance;

constexpr std::uint64_t kFileEveryMs = 10'000;  // checks of the engine's program
constexpr std::uint64_t kLinesEveryMs = 60'000;
constexpr unsigned kMostLines = 20;  // of an instance, in that time
constexpr std::size_t kMostFailures = 64;

std::pair<ino_t, time_t> engine_file() {
    struct stat found {};
    const auto programs = recursion::programs();
    if (::stat(programs.front().files.front().c_str(), &found) != 0) return {};
    return {found.st_ino, found.st_mtim.tv_sec};
}

}  // namespace

Result<void> RecursionPart::start() {
    folder_ = settings_.get().control.recursion;
    recursion::use_file_rules(settings_.get().control.landlock);
    const auto user = resolve_user(settings_.get().control.user);
    if (!user) return user.error();
    const auto engine = recursion::engine_user(*user);
    Starter* const starter = recursion::engine_starter();
    const bool is_needed = !recursion::plans_of(settings_.get()).empty();
    const bool is_installed = recursion::why_missing().empty();
    // Also where none is needed yet: a reload may add one.
    if (is_installed) {
        const auto replaced = recursion::make_folders(folder_, engine);
        if (!replaced && is_needed) return replaced.error();
        can_run_ = replaced.has_value();
        for (std::size_t i = 0; replaced && i < replaced->size(); ++i)
            spdlog::warn("recursion: {} was damaged or lacked a key: that of dns-root-data is used",
                         (*replaced)[i]);
    }
    if (starter != nullptr && is_installed) make_control_group(*starter);
    // Also where none is needed, so that no process keeps the right to change its user.
    const bool is_started = starter != nullptr && starter->is_alive() &&
                            (engine.uid == 0 ? starter->become(0, engine.gid)
                                             : recursion::lower_starter(*user).has_value());
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

// Before the starter loses its rights.
void RecursionPart::make_control_group(Starter& starter) {
    auto made = recursion::ControlGroup::make();
    if (!made) {
        no_group_ = made.error().text;
    } else if (!starter.use_group(made->members())) {
        no_group_ = std::strerror(errno);
    } else {
        group_ = std::move(*made);
    }
}

void RecursionPart::take(const config::Settings& settings) {
    plans_ = recursion::plans_of(settings);
    left_out_.clear();
    for (const auto& plan : plans_) {
        for (const auto& one : plan.settings.left_out)
            left_out_.push_back(settings.error(one.line, one.value).sentence());
    }
    configured_negatives_.clear();
    std::set<std::uint16_t> changed = std::exchange(ports_, {});
    for (const auto& plan : plans_) {
        for (const auto& zone : plan.settings.negative_trust_anchors)
            configured_negatives_.insert(zone.value);
        for (unsigned i = 0; i < plan.settings.instances; ++i)
            ports_.insert(static_cast<std::uint16_t>(plan.settings.port + i));
    }
    changed.insert(ports_.begin(), ports_.end());
    apply();
    check_machine();
    for (const std::uint16_t port : changed)
        on_change(port);
}

template <class Which>
void RecursionPart::end_instances(Which which) {
    std::vector<decltype(instances_)::node_type> ended;
    for (auto at = instances_.begin(); at != instances_.end();) {
        const auto next = std::next(at);
        if (which(at->first)) ended.push_back(instances_.extract(at));
        at = next;
    }
}

void RecursionPart::stop() {
    on_change = [](std::uint16_t) {};
    end_instances([](const Key&) { return true; });
}

void RecursionPart::apply() {
    std::set<Key> wanted;
    for (const auto& plan : plans_) {
        for (unsigned i = 0; can_run_ && i < plan.settings.instances; ++i)
            wanted.emplace(plan.tag, i);
    }
    end_instances([&wanted](const Key& key) { return !wanted.contains(key); });
    std::uint64_t most_bytes = 0;
    for (const auto& plan : plans_) {
        const auto settings = recursion::with_addresses(plan.settings);
        for (unsigned i = 0; can_run_ && i < plan.settings.instances; ++i) {
            Instance& instance = instance_of({plan.tag, i});
            if (settings) {
                instance.configure(*settings);
                most_bytes += instance.most_bytes();
                instance.start();
            } else {
                instance.hold(settings.error().text);
            }
        }
    }
    if (!group_ || most_bytes == 0) return;
    if (const auto limited = group_->limit_memory(most_bytes); !limited)
        spdlog::warn("recursion: {}", limited.error().text);
}

// The one with this key, or a new one.
Instance& RecursionPart::instance_of(const Key& key) {
    if (const auto at = instances_.find(key); at != instances_.end()) return *at->second.instance;
    // The lowest folder that no other instance has.
    unsigned place = 0;
    const auto is_taken = [&](const auto& one) { return one.second.instance->place() == place; };
    while (std::ranges::any_of(instances_, is_taken))
        ++place;
    Kept kept;
    kept.name = key.first + "-" + std::to_string(key.second);
    kept.instance = std::make_unique<Instance>(main_.io(), *this, processes_, key.second, place,
                                               recursion::folder_of(folder_, place));
    return *instances_.emplace(key, std::move(kept)).first->second.instance;
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
        return instance.port() == port && !instance.is_up() && instance.restarts() == 0 &&
               instance.error().empty();
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
                               recursion::distrust_command(zone, true), recursion::kCallPatience,
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
    if (line.failure) return take_failure(kept, line);
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

void RecursionPart::take_failure(Kept& kept, const recursion::LogLine& line) {
    const auto& [reason, zone] = *line.failure;
    ++kept.failures[static_cast<std::size_t>(reason)];
    if (zone == ".") {
        if (reason == recursion::FailureReason::silent) kept.no_root_ms = main_.now_ms();
        if (reason == recursion::FailureReason::bogus) kept.bad_root_ms = main_.now_ms();
    }
    const auto same = std::ranges::find(failures_, line.text, &Failure::text);
    if (same != failures_.end()) {
        ++same->count;
        same->at_ms = main_.now_ms();
        return;
    }
    if (failures_.size() >= kMostFailures) failures_.pop_front();
    failures_.push_back({kept.name, line.text, zone, reason, main_.now_ms(), 1});
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
    const auto is_by_interface = [](const recursion::Plan& plan) {
        return !plan.settings.outgoing_interface.value.empty();
    };
    if (std::ranges::any_of(plans_, is_by_interface)) apply();
    check_machine();
}

void RecursionPart::check_machine() {
    machine_problems_.clear();
    if (instances_.empty()) return;
    const auto now = MainLoop::wall_time();
    const auto add = [this](std::string problem) {
        if (!problem.empty() &&
            std::ranges::find(machine_problems_, problem) == machine_problems_.end())
            machine_problems_.push_back(std::move(problem));
    };
    add(recursion::clock_problem(now));
    add(recursion::ipv6_problem());
    for (const auto& [key, kept] : instances_) {
        const auto plan = std::ranges::find(plans_, key.first, &recursion::Plan::tag);
        if (plan != plans_.end() && recursion::has_root_anchor(plan->settings))
            add(recursion::root_key_problem(recursion::folder_of(folder_, kept.instance->place()) +
                                                "/" + std::string(recursion::kAnchorFile),
                                            now));
    }
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

Parts::Maker recursion_part() {
    return Parts::maker<RecursionPart>();
}

}  // namespace steer
