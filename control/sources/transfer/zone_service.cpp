#include "control/sources/transfer/zone_service.h"

#include <malloc.h>
#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <ctime>
#include <filesystem>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include "control/host/process/background.h"
#include "control/host/process/helper_work.h"
#include "control/host/process/new_file.h"
#include "control/sources/transfer/zone_file.h"
#include "dataplane/dns/name.h"
#include "matchers/quote.h"

namespace steer::transfer {
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

std::uint64_t wall_s() {
    return static_cast<std::uint64_t>(std::time(nullptr));
}

std::uint32_t seconds(config::Milliseconds value) {
    return static_cast<std::uint32_t>(value.count() / 1000);
}

std::string_view digest_name(DigestResult result) {
    switch (result) {
        case DigestResult::right:
            return "right";
        case DigestResult::none:
            return "none";
        case DigestResult::not_checked:
            return "not checked";
        case DigestResult::wrong:
            return "wrong";
    }
    return "";
}

// " from PRIMARY"; empty if memory or descriptors ran out before a primary was asked.
std::string from_primary(const std::string& primary) {
    return primary.empty() ? std::string() : " from " + primary;
}

// What was put aside of a kept zone; empty: nothing is there.
std::string damaged_file(const config::Secondary& settings) {
    for (const std::string& file : {settings.file, ZoneFile::journal_of(settings.file)}) {
        std::error_code ignored;
        std::string aside = file + std::string(kDamagedEnd);
        if (std::filesystem::exists(aside, ignored)) return aside;
    }
    return {};
}

}  // namespace

// A view that workers read, with what keeps its place alive.
struct ZoneService::LiveView {
    LiveView(std::shared_ptr<LivePolicy> place, rte_rcu_qsbr* qsbr)
        : live(std::move(place)), published(live->zone, qsbr) {}
    std::shared_ptr<LivePolicy> live;
    Published<PolicyZone> published;
};

struct ZoneService::Zone {
    Zone(build::SecondaryPlan of, std::uint64_t now_s) : plan(std::move(of)), timer(now_s) {}

    build::SecondaryPlan plan;
    std::shared_ptr<ZoneTargets> targets;  // nullptr: no program had a zone yet
    std::shared_ptr<KeptZone> kept;        // only the job may use it while one runs
    std::unique_ptr<LiveView> policy, local;
    std::vector<config::RecordName> names;  // of `local`
    RefreshTimer timer;
    std::stop_source stop;     // of its job
    bool is_busy = false;      // a job runs
    bool is_wanted = true;     // the plans have it
    bool wants_whole = false;  // the next check transfers the whole zone
    bool is_read = false;      // the kept zone of the last run was read
    bool is_expired = false;   // reported as expired; a good check ends it
    bool was_there = false;    // a zone was available at any time
    std::optional<Soa> soa;    // of the zone in use
    std::size_t records = 0;
    std::uint64_t bytes = 0, received = 0;  // of the last change; of all transfers
    std::uint64_t memory = 0;               // bytes of its records
    std::uint64_t checked_wall_s = 0;       // last good check, since 1970; 0: none
    Skipped skipped;
    DigestResult digest = DigestResult::none;
    std::string primary, error;        // of the last check; empty: none
    std::string remark, merge_remark;  // the last ones, of a check and of a merge
    std::string kept_remark;           // of the file of the last run
    std::optional<TransferOutcome> last;
    std::array<std::uint64_t, kTransferOutcomes.size()> counts{};
    std::vector<ops::RpcDone> waiting, next;  // for the running check, for the one after it
};

ZoneService::ZoneService(asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr, Log log,
                         Listed listed, KeptZone::Exchange exchange)
    : main_io_(main_io),
      clock_(clock),
      qsbr_(qsbr),
      log_(std::move(log)),
      listed_(std::move(listed)),
      exchange_(std::move(exchange)) {
    book_ = std::make_shared<NotifyBook>(
        [this, alive = alive_, &io = main_io_](const std::string& tag, const IpAddress& from) {
            asio::post(io, [this, alive, tag, from] {
                if (!*alive) return;
                const auto at = zones_.find(tag);
                if (at == zones_.end()) return;
                at->second->timer.notify(now_s());
                log_(false, "secondary '" + tag + "': NOTIFY from " + from.to_string());
            });
        },
        wall_s);
}

ZoneService::~ZoneService() {
    *alive_ = false;
    end();
    if (threads_) threads_->join();
}

void ZoneService::end() {
    is_ended_ = true;
    for (const auto& [_, zone] : zones_)
        zone->stop.request_stop();
}

std::uint64_t ZoneService::now_s() const {
    return clock_.now().ms / 1000;
}

double ZoneService::chance() {
    thread_local std::minstd_rand engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(engine);
}

const IpAddress& ZoneService::first_primary(const Zone& zone) {
    return zone.plan.settings.primaries.front().address;
}

// ---- plans

void ZoneService::restore(const build::SecondaryPlans& plans) {
    set_plans(plans, true);
}

void ZoneService::follow(const build::SecondaryPlans& plans) {
    set_plans(plans, false);
    is_serving_ = true;
    poll();
}

void ZoneService::set_plans(const build::SecondaryPlans& plans, bool reads_kept) {
    if (plans.targets != nullptr) {
        plans.targets->divide(static_cast<std::size_t>(
            std::ranges::count_if(plans.zones, [](const build::SecondaryPlan& plan) {
                return plan.policy != nullptr || plan.local != nullptr;
            })));
    }
    for (auto& [_, zone] : zones_)
        zone->is_wanted = false;
    std::vector<NotifyBook::Zone> senders;
    for (const build::SecondaryPlan& plan : plans.zones) {
        set_plan(plan, plans.targets, reads_kept);
        std::vector<matchers::Prefix> from = plan.settings.notify_from;
        for (const config::ZonePrimary& primary : plan.settings.primaries)
            from.push_back(matchers::Prefix::masked(primary.address, 128));
        senders.push_back(
            {plan.tag, plan.settings.zone, matchers::PrefixSet(from), plan.settings.tsig});
    }
    remove_unwanted();
    book_->set(std::move(senders));
}

ZoneService::Zone& ZoneService::take_zone_for(const build::SecondaryPlan& plan) {
    ZonePtr& zone = zones_[plan.tag];
    if (zone != nullptr && zone->plan.settings.zone == plan.settings.zone) return *zone;
    auto fresh = std::make_shared<Zone>(plan, now_s());
    if (zone != nullptr) {
        fresh->next = std::exchange(zone->next, {});
        drop(*zone);
    }
    zone = std::move(fresh);
    return *zone;
}

void ZoneService::set_plan(const build::SecondaryPlan& plan,
                           const std::shared_ptr<LiveTargets>& targets, bool reads_kept) {
    Zone& zone = take_zone_for(plan);
    zone.is_wanted = true;
    const bool is_same = zone.kept != nullptr && zone.plan.settings == plan.settings &&
                         zone.plan.policy == plan.policy && zone.plan.local == plan.local &&
                         zone.plan.feeds_lists == plan.feeds_lists;
    zone.plan = plan;
    zone.timer.set_limits({seconds(plan.settings.min_refresh), seconds(plan.settings.max_refresh)});
    if (plan.policy != nullptr && zone.policy == nullptr)
        zone.policy = std::make_unique<LiveView>(plan.policy, qsbr_);
    if (plan.local != nullptr && zone.local == nullptr)
        zone.local = std::make_unique<LiveView>(plan.local, qsbr_);
    if (plan.policy == nullptr) retire(zone.policy);
    if (plan.local == nullptr) {
        retire(zone.local);
        zone.names.clear();
    }
    if (zone.targets == nullptr && targets != nullptr)
        zone.targets = std::make_shared<ZoneTargets>(targets);
    if (!is_same) {
        zone.stop.request_stop();
        zone.stop = std::stop_source();
        zone.kept = std::make_shared<KeptZone>(plan, zone.targets, exchange_);
        zone.is_read = false;
        zone.timer.notify(now_s());
    }
    if (!reads_kept || zone.is_read) return;
    std::string remark;
    auto kept = zone.kept->restore(remark);
    zone.is_read = true;
    restored(zone, std::move(kept), remark);
}

void ZoneService::drop(Zone& zone) {
    zone.is_wanted = false;
    zone.stop.request_stop();
    retire(zone.policy);
    retire(zone.local);
    if (zone.is_busy) leaving_.insert(zone.plan.tag);
}

void ZoneService::remove_unwanted() {
    std::erase_if(zones_, [this](const auto& z) {
        if (z.second->is_wanted) return false;
        drop(*z.second);
        for (const auto& done : std::exchange(z.second->next, {}))
            done(ops::RpcError{ops::RpcCode::internal_error, "a reload removed the secondary"});
        return true;
    });
}

// Workers may still read it: it is freed after a grace period, and its empty place stays.
void ZoneService::retire(std::unique_ptr<LiveView>& view) {
    if (view == nullptr) return;
    view->published.put(nullptr);
    retired_.push_back(std::move(view));
}

void ZoneService::restored(Zone& zone, std::optional<KeptZone::Restored> kept,
                           const std::string& remark) {
    report_kept(zone, remark);
    if (!kept || !kept->update.soa) return;
    const std::uint64_t wall = wall_s();
    const std::uint64_t age_s = wall > kept->checked_s ? wall - kept->checked_s : 0;
    zone.checked_wall_s = kept->checked_s;
    zone.timer.restored(*kept->update.soa, age_s, now_s());
    publish(zone, kept->update);
    log_(false, "secondary '" + zone.plan.tag + "': the kept zone with serial " +
                    std::to_string(kept->update.soa->serial) + " and " +
                    std::to_string(kept->update.records) + " records is in force");
}

// ---- work

void ZoneService::poll() {
    const std::uint64_t now = now_s();
    for (const auto& view : retired_)
        view->published.poll();
    for (auto& [tag, zone] : zones_) {
        if (zone->policy) zone->policy->published.poll();
        if (zone->local) zone->local->published.poll();
        if (!zone->is_expired && zone->timer.is_expired(now)) expire(*zone);
    }
    start_due();
    report_lists(now);
    report_refusal(now);
}

bool ZoneService::is_free(const Zone& zone) const {
    return !zone.is_busy && !leaving_.contains(zone.plan.tag);
}

bool ZoneService::has_room(const Zone& zone) const {
    return jobs_.size() < kThreads && jobs_.count(first_primary(zone)) < kMostPerPrimary;
}

void ZoneService::start_due() {
    if (!is_serving_ || is_ended_) return;
    const std::uint64_t now = now_s();
    std::vector<ZonePtr> due;
    for (const auto& [_, zone] : zones_) {
        if (is_free(*zone) && zone->timer.is_due(now)) due.push_back(zone);
    }
    std::ranges::stable_sort(due, {}, [](const ZonePtr& zone) { return zone->timer.due_s(); });
    for (const ZonePtr& zone : due) {
        if (has_room(*zone)) start(zone);
    }
}

// A log line only, not in problems(): strangers can forge the address of a primary.
void ZoneService::report_refusal(std::uint64_t now) {
    if (refusal_s_ != 0 && now < refusal_s_ + kRefusalPauseS) return;
    const std::string refusal = book_->take_refusal();
    if (refusal.empty()) return;
    refusal_s_ = now;
    log_(true, refusal);
}

// A reload reads all lists again, so changes that follow each other share one.
void ZoneService::report_lists(std::uint64_t now) {
    if (listed_zones_.empty() || (listed_s_ != 0 && now < listed_s_ + kListPauseS)) return;
    std::string text = "the zone of secondary '" + listed_zones_.front() + "'";
    if (listed_zones_.size() > 1) text += " and others";
    listed_zones_.clear();
    listed_s_ = now;
    listed_(text);
}

void ZoneService::start(const ZonePtr& zone) {
    const bool whole = std::exchange(zone->wants_whole, false);
    zone->timer.begin();
    book_->begun(zone->plan.tag);
    zone->waiting = std::exchange(zone->next, {});
    const bool reads_kept = !std::exchange(zone->is_read, true);
    const bool lacks_local = zone->local && zone->local->published.current() == nullptr;
    run(
        zone,
        [kept = zone->kept, whole, reads_kept, lacks_local, stop = zone->stop.get_token()] {
            std::optional<KeptZone::Restored> first;
            std::string remark;
            if (reads_kept) first = kept->restore(remark);
            KeptZone::Update update = kept->refresh(whole, stop);
            // It expired, and is confirmed now.
            if (lacks_local && update.outcome == TransferOutcome::unchanged)
                kept->add_local(update);
            update.kept_remark = std::move(remark);
            if (!first) return update;
            update.kept_checked_s = first->checked_s;
            // The kept zone, unless the transfer brought a newer one.
            if (update.policy == nullptr) update.policy = std::move(first->update.policy);
            if (update.local == nullptr) update.local = std::move(first->update.local);
            return update;
        },
        true);
}

void ZoneService::start_merge(const ZonePtr& zone) {
    run(
        zone, [kept = zone->kept] { return kept->merge(); }, false);
}

void ZoneService::run(const ZonePtr& zone, std::function<KeptZone::Update()> work,
                      bool is_transfer) {
    zone->is_busy = true;
    const auto job = jobs_.insert(first_primary(*zone));
    if (!threads_) threads_ = std::make_unique<asio::thread_pool>(kThreads);
    asio::post(*threads_, [this, zone, kept = zone->kept, work = std::move(work), is_transfer, job,
                           alive = alive_, &io = main_io_] {
        const BackgroundWork counted;
        run_in_background();
        pthread_setname_np(pthread_self(), "transfer");
        auto update = std::make_shared<KeptZone::Update>();
        try {
            *update = work();
        } catch (const std::bad_alloc&) {
            update->outcome = TransferOutcome::too_large;
            update->why = "there is not enough memory for it";
            update->is_lost = true;
        } catch (const std::exception& error) {  // no descriptor for a connection, for one
            update->outcome = TransferOutcome::unreachable;
            update->why = error.what();
            update->is_lost = true;
        }
        // Two thirds of what the process grew by were freed bytes of this thread's arena.
        if (!is_transfer || update->outcome == TransferOutcome::whole) ::malloc_trim(0);
        asio::post(io, [this, zone, kept, update, is_transfer, job, alive] {
            if (!*alive) return;
            zone->is_busy = false;
            jobs_.erase(job);
            if (!zone->is_wanted) leaving_.erase(zone->plan.tag);
            // A reload has replaced it: its zones are of other settings.
            if (zone->kept != kept || !zone->is_wanted) {
                for (const auto& done : std::exchange(zone->waiting, {}))
                    done(ops::RpcError{ops::RpcCode::internal_error,
                                       "a reload changed the secondary"});
            } else {
                ended(*zone, *update, is_transfer);
                if (update->is_merge_due && !is_ended_) start_merge(zone);
            }
            start_due();
        });
    });
}

void ZoneService::publish(Zone& zone, KeptZone::Update& update) {
    if (update.is_lost) {  // the published zones stay; the next check begins with the file
        zone.kept = std::make_shared<KeptZone>(zone.plan, zone.targets, exchange_);
        zone.is_read = false;
        return;
    }
    zone.soa = update.soa;
    zone.records = update.records;
    zone.memory = update.memory;
    zone.skipped = update.skipped;
    zone.was_there = zone.was_there || update.soa.has_value();
    if (update.policy != nullptr && zone.policy)
        zone.policy->published.put(std::move(update.policy));
    if (update.local != nullptr && zone.local && !zone.timer.is_expired(now_s())) {
        zone.local->published.put(std::move(update.local));
        zone.names = std::move(update.names);
    }
}

void ZoneService::each_name(
    const std::function<void(const std::string& tag, const config::RecordName&)>& visit) const {
    for (const auto& [tag, zone] : zones_) {
        for (const config::RecordName& name : zone->names)
            visit(tag, name);
    }
}

void ZoneService::ended(Zone& zone, KeptZone::Update& update, bool is_transfer) {
    if (!is_transfer) {
        log_remark(zone, update.remark, zone.merge_remark);
        publish(zone, update);
        return;
    }
    report_kept(zone, std::move(update.kept_remark));
    if (update.outcome == TransferOutcome::stopped) return;
    if (update.kept_checked_s && update.soa) {
        const std::uint64_t wall = wall_s();
        zone.checked_wall_s = *update.kept_checked_s;
        zone.timer.restored(*update.soa, wall - std::min(wall, zone.checked_wall_s), now_s());
    }
    ++zone.counts[static_cast<std::size_t>(update.outcome)];
    log_result(zone, update);
    zone.last = update.outcome;
    zone.primary = update.primary;
    zone.received += update.bytes;
    zone.error = is_good(update.outcome) ? std::string() : update.why;
    if (is_good(update.outcome) && update.soa) {
        zone.checked_wall_s = wall_s();
        zone.timer.checked(*update.soa, now_s(), chance());
        zone.is_expired = false;
        if (update.is_changed) {
            zone.bytes = update.bytes;
            zone.digest = update.digest;
        }
    } else {
        zone.timer.failed(now_s(), chance());
    }
    publish(zone, update);
    if (update.is_listed && std::ranges::find(listed_zones_, zone.plan.tag) == listed_zones_.end())
        listed_zones_.push_back(zone.plan.tag);
    report_lists(now_s());
    for (const auto& done : std::exchange(zone.waiting, {})) {
        if (is_good(update.outcome)) {
            done(json::value(row_of(zone)));
        } else {
            done(ops::RpcError{ops::RpcCode::internal_error, update.why});
        }
    }
}

// What is wrong with the file of the last run.
void ZoneService::report_kept(Zone& zone, std::string remark) {
    if (remark.empty()) return;
    log_(true, "secondary '" + zone.plan.tag + "': " + remark);
    zone.kept_remark = std::move(remark);
}

// Logs a remark, unless it is the last one of this kind of job.
void ZoneService::log_remark(const Zone& zone, const std::string& remark, std::string& last) {
    if (!remark.empty() && remark != last)
        log_(true, "secondary '" + zone.plan.tag + "': " + remark);
    last = remark;
}

// Logs a result, unless the same error was logged before.
void ZoneService::log_result(Zone& zone, const KeptZone::Update& update) {
    const std::string begin = "secondary '" + zone.plan.tag + "': ";
    log_remark(zone, update.remark, zone.remark);
    if (!is_good(update.outcome)) {
        if (update.why != zone.error)
            log_(true, begin + "no transfer" + from_primary(update.primary) + ": " + update.why);
        return;
    }
    if (!zone.error.empty()) log_(false, begin + update.primary + " answers again");
    if (!update.is_changed || !update.soa) return;
    log_(false, begin + "serial " + std::to_string(update.soa->serial) + " with " +
                    std::to_string(update.records) + " records is in force, " +
                    (update.outcome == TransferOutcome::incremental ? "by IXFR" : "by AXFR") +
                    " from " + update.primary + " (" + std::to_string(update.bytes) + " bytes)");
    if (update.skipped.count > 0 && update.skipped.count != zone.skipped.count)
        log_(true,
             begin + std::to_string(update.skipped.count) +
                 " names cannot be applied and are skipped, the first: " + update.skipped.first);
}

void ZoneService::expire(Zone& zone) {
    zone.is_expired = true;
    if (zone.local) zone.local->published.put(nullptr);
    zone.names.clear();
    const std::uint64_t wall = wall_s();
    const std::uint64_t age_s = wall - std::min(wall, zone.checked_wall_s);
    log_(true, "secondary '" + zone.plan.tag + "' has expired: its last good check was " +
                   std::to_string(age_s) + " s ago; make a primary reachable");
}

// ---- reports

json::object ZoneService::row_of(const Zone& zone) const {
    const std::uint64_t now = now_s(), wall = wall_s();
    const auto left = [now](std::uint64_t then) { return then > now ? then - now : 0; };
    const auto or_null = [](bool is_there, auto value) {
        return is_there ? json::value(value) : json::value(nullptr);
    };
    const std::string_view state = zone.is_busy      ? "transfer"
                                   : zone.is_expired ? "expired"
                                   : zone.soa        ? "in force"
                                                     : "missing";
    const auto expires = zone.timer.expires_s();
    return json::object{
        {"tag", zone.plan.tag},
        {"zone", dns::name_to_text(zone.plan.settings.zone)},
        {"serial", or_null(zone.soa.has_value(), zone.soa ? zone.soa->serial : 0)},
        {"records", zone.records},
        {"skipped", zone.skipped.count},
        {"state", state},
        {"outcome",
         zone.last ? json::value(kTransferOutcomes[*zone.last].label) : json::value(nullptr)},
        {"trouble", zone.error},
        {"primary", zone.primary},
        {"checked_ago_s", or_null(zone.checked_wall_s != 0,
                                  wall > zone.checked_wall_s ? wall - zone.checked_wall_s : 0)},
        {"next_s", left(zone.timer.due_s())},
        {"expires_s", or_null(expires.has_value(), expires ? left(*expires) : 0)},
        {"received_bytes", zone.bytes},
        {"memory_bytes", zone.memory},
        {"digest", digest_name(zone.digest)}};
}

void ZoneService::ask(const ops::Arguments& asked, const ops::RpcDone& done, bool whole) {
    const auto at = zones_.find(asked.text("tag"));
    if (at == zones_.end())
        return done(ops::bad_params("there is no secondary with this tag: see `steerctl zones`"));
    Zone& zone = *at->second;
    zone.wants_whole = zone.wants_whole || whole;
    zone.next.push_back(done);
    zone.timer.notify(0);
    if (is_free(zone) && is_serving_ && !is_ended_ && has_room(zone)) start(at->second);
}

void ZoneService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    constexpr ops::Parameter kTag{"tag", ops::ParamType::text, "the tag of a secondary", true};
    constexpr std::string_view kRow =
        "tag zone serial records skipped state outcome trouble primary checked_ago_s next_s "
        "expires_s received_bytes memory_bytes digest";
    methods.add({.name = "zones",
                 .help = "Shows the zones that are kept by zone transfers.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .run = [this](const ops::Arguments&) -> ops::RpcResult {
                     json::array all;
                     for (const auto& [tag, zone] : zones_)
                         all.push_back(row_of(*zone));
                     return json::value(json::object{{"zones", std::move(all)}});
                 },
                 .members = "zones",
                 .result = "each secondary: serial, records, state, age, next check, last error"});
    methods.add({.name = "zones.refresh",
                 .help = "Asks the primaries of a secondary for its SOA now.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::small(),
                 .parameters = {kTag},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { ask(asked, done, false); },
                 .members = kRow,
                 .result = "the row of `zones`, when the check is done"});
    methods.add({.name = "zones.retransfer",
                 .help = "Transfers the whole zone of a secondary again.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::small(),
                 .parameters = {kTag},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { ask(asked, done, true); },
                 .members = kRow,
                 .result = "the row of `zones`, when the transfer is done"});
}

json::object ZoneService::status() const {
    std::size_t missing = 0, expired = 0;
    for (const auto& [tag, zone] : zones_) {
        if (!zone->soa) ++missing;
        if (zone->is_expired) ++expired;
    }
    return {{"zones", zones_.size()}, {"missing", missing}, {"expired", expired}};
}

std::vector<std::string> ZoneService::problems() const {
    std::vector<std::string> out;
    for (const auto& [tag, zone] : zones_) {
        const std::string begin = "secondary '" + tag + "'";
        if (zone->is_expired) {
            std::string& problem = out.emplace_back(begin + " has expired");
            if (zone->policy) problem += ", its last policy stays in force";
            if (!zone->error.empty()) {
                problem += ": ";
                problem += zone->error;
            }
            problem += "; make a primary reachable, then `steerctl zones refresh ";
            problem += tag;
            problem += '`';
        } else if (!zone->error.empty()) {
            out.push_back(begin + " was not transferred" + from_primary(zone->primary) + ": " +
                          zone->error + "; `steerctl zones` shows the age of the zone in use");
        }
        const std::string aside =
            zone->kept_remark.empty() ? "" : damaged_file(zone->plan.settings);
        if (!aside.empty())
            out.push_back(begin + ": " + zone->kept_remark + "; report it, and remove " +
                          matchers::quoted_path(aside));
        if (zone->skipped.count > 0 && zone->policy)
            out.push_back(begin + " has " + std::to_string(zone->skipped.count) +
                          " names that cannot be applied, the first: " + zone->skipped.first +
                          "; tell its publisher");
    }
    return out;
}

std::string ZoneService::missing() const {
    for (const auto& [tag, zone] : zones_) {
        if (!zone->was_there && (zone->plan.policy || zone->plan.local))
            return "secondary '" + tag + "' was not transferred yet";
    }
    return {};
}

void ZoneService::write_metrics(ops::MetricWriter& writer) const {
    const std::uint64_t wall = wall_s();
    using Number = std::optional<std::uint64_t>;
    const auto of_each = [&](const std::function<Number(const Zone&)>& value) {
        for (const auto& [tag, zone] : zones_) {
            if (const Number number = value(*zone)) writer.sample({{"secondary", tag}}, *number);
        }
    };
    writer.family("steerdns_zone_serial");
    of_each([](const Zone& z) { return z.soa ? Number(z.soa->serial) : Number(); });
    writer.family("steerdns_zone_records");
    of_each([](const Zone& z) { return Number(z.records); });
    writer.family("steerdns_zone_skipped_names");
    of_each([](const Zone& z) { return Number(z.skipped.count); });
    writer.family("steerdns_zone_age_seconds");
    of_each([&](const Zone& z) {
        if (z.checked_wall_s == 0) return Number();
        return Number(wall > z.checked_wall_s ? wall - z.checked_wall_s : 0);
    });
    writer.family("steerdns_zone_expired");
    of_each([](const Zone& z) { return Number(z.is_expired ? 1 : 0); });
    writer.family("steerdns_zone_memory_bytes");
    of_each([](const Zone& z) { return Number(z.memory); });
    writer.family("steerdns_zone_received_bytes");
    of_each([](const Zone& z) { return Number(z.received); });
    writer.family("steerdns_zone_transfers");
    for (const auto& [tag, zone] : zones_) {
        for (const auto& row : kTransferOutcomes) {
            writer.sample({{"secondary", tag}, {"outcome", row.label}},
                          zone->counts[static_cast<std::size_t>(row.which)]);
        }
    }
    if (zones_.empty()) return;
    writer.family("steerdns_zone_notifies");
    for (const auto& row : kNotifyResults)
        writer.sample({{"result", row.label}}, book_->count(row.which));
}

}  // namespace steer::transfer
