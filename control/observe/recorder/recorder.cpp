#include "control/observe/recorder/recorder.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "control/host/process/helper_work.h"
#include "matchers/list/list_lines.h"

namespace steer::recorder {
namespace {

using namespace std::chrono_literals;

// A worker's ring holds 16 ms of 200,000 queries a second.
constexpr auto kBusyNap = 1ms, kNap = 5ms, kIdleNap = 1000ms;  // idle: no record is wanted
constexpr unsigned kBusy = 256;                                // records of one turn
constexpr std::uint16_t kAnswerBytes = 512;                    // of a response, for `answers`
constexpr std::uint16_t kWholeMessage = 65'535;                // for dnstap

static_assert(kPaths.size() == kAnswerPaths.size() + 1);
static_assert(std::equal(kAnswerPaths.begin(), kAnswerPaths.end(), kPaths.begin() + 1, kPaths.end(),
                         [](const auto& row, std::string_view path) { return row.label == path; }));
static_assert(kDecisions.size() == kPolicyDecisions.size());
static_assert(std::ranges::all_of(kPolicyDecisions, [](const auto& row) {
    return std::ranges::find(kDecisions, row.label) != kDecisions.end();
}));
static_assert(QueryRecord::kNone == kNoRcode && QueryRecord::kNone == kNoError);

std::int64_t boot_us() {
    timespec now{};
    (void)::clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * kMicroseconds + now.tv_nsec / 1000;
}

std::string_view name_at(const std::vector<std::string>& names, std::size_t at) {
    return at < names.size() ? std::string_view(names[at]) : std::string_view{};
}

}  // namespace

Recorder::Recorder(QueryRecordFeed& feed, WallClock now, Warn warn)
    : feed_(feed), now_(std::move(now)), warn_(std::move(warn)) {
    taker_ = feed_.add([this](const QueryRecordView& view) { take(view); });
}

Recorder::~Recorder() {
    stop();
    feed_.remove(taker_);
}

void Recorder::wish() {
    QueryRecordFeed::Wish wish;
    {
        const std::scoped_lock lock(mutex_);
        for (const RecordingPlan& plan : plans_) {
            wish.one_in = wish.one_in == 0 ? plan.settings.one_in
                                           : std::min(wish.one_in, plan.settings.one_in);
            wish.response_bytes = std::max(wish.response_bytes, kAnswerBytes);
            if (!plan.settings.dnstap) continue;
            wish.query_bytes = wish.response_bytes = kWholeMessage;
        }
        if (is_watched_) {
            wish.one_in = 1;
            wish.response_bytes = std::max(wish.response_bytes, kAnswerBytes);
        }
    }
    feed_.wish(taker_, wish);
    if (wish.one_in != 0) begin();
}

void Recorder::begin() {
    if (thread_.joinable()) return;
    thread_ = std::thread([this] { run(); });
}

void Recorder::follow(std::vector<RecordingPlan> plans, RecordNames names) {
    {
        const std::scoped_lock lock(mutex_);
        has_new_plans_ = has_new_plans_ || plans != plans_;
        plans_ = std::move(plans);
        names_ = std::move(names);
        if (next_deciders_ != nullptr) deciders_[names_.generation] = next_deciders_;
        while (deciders_.size() > kMaxGenerations)
            deciders_.erase(deciders_.begin());
    }
    changed_.notify_all();
    wish();
}

void Recorder::prepare(Deciders next) {
    const std::scoped_lock lock(mutex_);
    next_deciders_ = std::make_shared<const Deciders>(std::move(next));
}

DecidedBy Recorder::decided_by(const QueryRecord& head) const {
    if (head.decided_at == ProgramState::kNowhere) return {};
    const auto known = deciders_.find(head.generation);
    if (known != deciders_.end()) return known->second->of(head.decided_at, head.part);
    const bool is_newer = deciders_.empty() || head.generation > deciders_.rbegin()->first;
    return is_newer && next_deciders_ != nullptr ? next_deciders_->of(head.decided_at, head.part)
                                                 : DecidedBy{};
}

void Recorder::put_lists(const QueryRecord& head, std::string& out) const {
    out.clear();
    for (std::size_t i = 0; i < std::min<std::size_t>(head.list_count, head.lists.size()); ++i) {
        const std::string_view tag = name_at(names_.lists, head.lists[i]);
        if (!tag.empty()) out.append(out.empty() ? "" : ", ").append(tag);
    }
}

void Recorder::watch(bool on) {
    {
        const std::scoped_lock lock(mutex_);
        if (is_watched_ == on) return;
        is_watched_ = on;
    }
    changed_.notify_all();
    wish();
}

void Recorder::stop() {
    {
        const std::scoped_lock lock(mutex_);
        is_stopping_ = true;
        plans_.clear();
        is_watched_ = false;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    feed_.wish(taker_, {});
}

// On the thread. While it opens and closes files, records wait in the rings.
void Recorder::apply() {
    std::vector<std::shared_ptr<Recording>> old;
    std::vector<RecordingPlan> plans;
    {
        const std::scoped_lock lock(mutex_);
        if (!std::exchange(has_new_plans_, false)) return;
        old = std::exchange(recordings_, {});
        plans = plans_;
    }
    std::vector<std::shared_ptr<Recording>> fresh;
    for (RecordingPlan& plan : plans) {
        const auto before =
            std::ranges::find_if(old, [&](const auto& one) { return one->plan().tag == plan.tag; });
        fresh.push_back(before == old.end()
                            ? std::make_shared<Recording>(std::move(plan), now_, warn_)
                            : std::make_shared<Recording>(std::move(plan), now_, warn_, **before));
    }
    for (const auto& one : old)
        one->hand_over(now_(), true);
    old.clear();
    const std::scoped_lock lock(mutex_);
    recordings_ = std::move(fresh);
}

void Recorder::run() {
    pthread_setname_np(pthread_self(), "recorder");
    const HelperWork watched("recorder");  // it wakes at least once a second
    for (;;) {
        apply();
        boot_to_wall_us_.store(now_() - boot_us(), std::memory_order_relaxed);
        std::uint64_t asked = 0;
        bool is_last = false;
        {
            const std::scoped_lock lock(mutex_);
            asked = asked_;
            is_last = is_stopping_;
        }
        const unsigned records = feed_.poll();
        std::unique_lock lock(mutex_);
        const std::int64_t now = now_();
        for (const auto& recording : recordings_)
            recording->hand_over(now, is_last || asked != handed_over_);
        handed_over_ = asked;
        changed_.notify_all();
        if (is_last) break;
        const bool is_idle = recordings_.empty() && !is_watched_;
        changed_.wait_for(lock,
                          is_idle           ? kIdleNap
                          : records > kBusy ? kBusyNap
                                            : kNap,
                          [this, is_idle] {
                              return is_stopping_ || has_new_plans_ || asked_ != handed_over_ ||
                                     (is_idle && is_watched_);
                          });
    }
    std::vector<std::shared_ptr<Recording>> old;
    const std::scoped_lock lock(mutex_);
    old.swap(recordings_);
}

void Recorder::take(const QueryRecordView& view) {
    const QueryRecord& head = view.head;
    const std::scoped_lock lock(mutex_);
    ++records_;
    queries_ += head.stands_for;
    lost_ += head.lost;
    if (recordings_.empty() && !is_watched_) return;
    if (head.lost != 0) {
        for (const auto& recording : recordings_)
            recording->note_lost(head.lost);
    }
    put_name(view.qname(), name_);
    put_answers(view.response, answers_);
    RecordedQuery query;
    query.time_us = static_cast<std::int64_t>(head.ended_ns / 1000) +
                    boot_to_wall_us_.load(std::memory_order_relaxed);
    query.duration_us = head.duration_us;
    query.stands_for = head.stands_for;
    query.trace = head.trace_id;
    query.marks = head.marks();
    query.client = head.client;
    query.server = head.local;
    query.client_port = head.client_port;
    query.server_port = head.local_port;
    query.transport = head.transport;
    query.path = static_cast<Path>(static_cast<unsigned>(head.path) + 1);
    query.worker = head.worker;
    query.entry = head.entry;
    query.rcode = head.rcode;
    query.ede = head.ede;
    query.qtype = head.qtype;
    query.qclass = head.qclass;
    query.query_size = head.query_length;
    query.response_size = head.response_length;
    query.end = kEnds[static_cast<std::size_t>(head.end)].label;
    query.decision = label_of(head.decision);
    const DecidedBy by = decided_by(head);
    query.plugin = by.plugin;
    query.list = by.list;
    query.rule = by.rule;
    if (head.decision == PolicyDecision::steered && by.plugin.empty()) {
        put_lists(head, claimed_by_);
        query.plugin = claimed_by_;
    }
    const auto found = by.line_of(name_, query.decision == kAllowed);
    if (found) {
        query.list = found->list;
        query.line = found->number;
        query.list_rule = found->rule;
    }
    query.logs_hit = by.logs_hits && query.decision != kAllowed;
    query.sha256 = by.sha256;
    query.serial = head.serial != 0 ? std::optional(head.serial) : by.serial;
    if (head.upstream != QueryRecord::kNone)
        query.upstream = name_at(names_.upstreams, head.upstream);
    query.entry_tag = name_at(names_.entries, head.entry);
    query.name = name_;
    query.answers = answers_;
    query.query = view.query;
    query.response = view.response;
    for (const auto& recording : recordings_)
        recording->take(query);
    if (!is_watched_ || !watcher_) return;
    const bool is_excepted =
        std::ranges::any_of(recordings_, [&](const auto& one) { return one->is_excepted(query); });
    if (is_excepted) return;
    for (const auto& recording : recordings_)
        recording->mask(query);
    const std::string client = query.client.to_string();
    query.client_text = client;
    watcher_(query);
}

bool Recorder::flush(std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    std::vector<std::shared_ptr<Recording>> all;
    {
        std::unique_lock lock(mutex_);
        const std::uint64_t mine = ++asked_;
        changed_.notify_all();
        if (!changed_.wait_until(lock, end, [&] { return handed_over_ >= mine || is_stopping_; }))
            return false;
        all = recordings_;
    }
    return std::ranges::all_of(all, [&](const auto& recording) {
        return recording->flush(std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now()));
    });
}

Recorder::Status Recorder::status() const {
    const std::scoped_lock lock(mutex_);
    Status status{.records = records_, .queries = queries_, .lost = lost_, .recordings = {}};
    for (const auto& recording : recordings_)
        status.recordings.push_back(recording->status());
    return status;
}

void Recorder::write_metrics(ops::MetricWriter& writer) const {
    const Status all = status();
    if (all.recordings.empty()) return;  // a family has samples
    writer.family("steerdns_recorder_records");
    writer.sample({}, all.records);
    writer.family("steerdns_recorder_lost");
    writer.sample({}, all.lost);
    writer.family("steerdns_recorder_queries");
    for (const auto& one : all.recordings) {
        writer.sample({{"plugin", one.tag}, {"result", "recorded"}}, one.taken);
        writer.sample({{"plugin", one.tag}, {"result", "excepted"}}, one.skipped);
        writer.sample({{"plugin", one.tag}, {"result", "unmarked"}}, one.unmarked);
    }
    const auto each = [&](ops::KnownMetric metric, auto value) {
        writer.family(metric);
        for (const auto& one : all.recordings) {
            for (const SinkStatus& sink : one.sinks)
                writer.sample({{"plugin", one.tag}, {"sink", sink.kind}}, value(sink));
        }
    };
    each("steerdns_recorder_written", [](const SinkStatus& sink) { return sink.written; });
    each("steerdns_recorder_dropped", [](const SinkStatus& sink) { return sink.dropped; });
    each("steerdns_recorder_failed", [](const SinkStatus& sink) { return sink.failed; });
    each("steerdns_recorder_well",
         [](const SinkStatus& sink) { return std::uint64_t{sink.is_well ? 1U : 0U}; });
    each("steerdns_recorder_bytes", [](const SinkStatus& sink) { return sink.bytes; });
}

}  // namespace steer::recorder
