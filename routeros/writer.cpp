#include "routeros/writer.h"

#include <algorithm>
#include <cmath>

namespace steer::routeros {

namespace {

// A renewal waits for others during the first part of its time.
constexpr std::uint64_t kMinGatherMs = 250, kMaxGatherMs = 2'000, kGatherPart = 8;
constexpr double kHeldBatchUs = 20'000;            // largest sentence while an answer waits
constexpr std::size_t kBatchRows = 200;            // ids of one sentence
constexpr std::size_t kScriptRows = 100;           // adds of one sentence
constexpr std::size_t kScriptQueue = 16;           // adds that justify a script
constexpr std::uint64_t kShortScriptsMs = 10'000;  // after the last held write
constexpr std::uint64_t kContendedMs = 10'000;     // after two flows arrived one after the other
constexpr std::size_t kBatchSearch = 2048;         // queued writes searched for one sentence
constexpr std::size_t kSentencesInFlight = 256;    // RouterOS documents no limit; never unbounded
constexpr std::size_t kUnmeasuredSentences = 2;    // in flight, before the first reply
constexpr double kInFlightUs = 25'000;             // of work in flight that a held write may find
constexpr double kBucketMs = 250;                  // the part of its share that a class may save up
constexpr double kResumeAt = 0.4;  // of a full bucket: work comes in runs, which can be measured
// Rows without timeout: how much of its class's share a burst may owe. Paid back so that some is left
// for other writes before the next burst.
constexpr std::uint64_t kBurstMs = 1'000;
constexpr double kBurstDebtMs = 500;
// A class gets at least this many rows per second, however slow the router: a share of nothing would write none.
constexpr double kFloorRows = 0.5;

std::uint64_t gather_until_ms(std::uint64_t due_ms, std::uint64_t now_ms) {
    const std::uint64_t time_ms = due_ms - std::min(now_ms, due_ms);
    const auto wait_ms = std::clamp(time_ms / kGatherPart, kMinGatherMs, kMaxGatherMs);
    return std::min(now_ms + wait_ms, due_ms);
}

}  // namespace

void Writer::set_shares(double repair_share, double routine_share) {
    const auto set = [&](WriteClass cls, double share) {
        Bucket& b = bucket(cls);
        b.share = std::clamp(share, 0.01, 1.0);
        b.tokens_us = b.share * kBucketMs * 1000;
        b.resting = false;
    };
    set(WriteClass::repair, repair_share);
    set(WriteClass::routine, routine_share);
}

FairQueue& Writer::queue_of(const Entry& entry) {
    const bool saved = entry.write.saved && entry.write.cls != WriteClass::held;
    return (saved ? saved_ : queues_)[static_cast<std::size_t>(entry.write.cls)];
}

void Writer::enqueue(Entry& entry) {
    const Write& write = entry.write;
    if (entry.where == Where::queued) entry.order_ms = write.due_ms;
    if (entry.where == Where::gathering) {
        gathering_.insert({entry.order_ms, write.place});
    } else {
        // What it has in flight counts, or a flow whose rows come one by one would always be new.
        const auto flying = flow_in_flight_.find(write.flow);
        const std::size_t used = flying == flow_in_flight_.end() ? 0 : flying->second;
        queue_of(entry).insert(write.flow, {entry.order_ms, write.place}, used);
    }
    if (write.kind == WriteKind::extend && write.cls != WriteClass::held) {
        deadlines_.insert({write.due_ms, write.place});
    }
}

void Writer::dequeue(const Entry& entry) {
    if (entry.where == Where::gathering) {
        gathering_.erase({entry.order_ms, entry.write.place});
    } else {
        queue_of(entry).erase(entry.write.flow, {entry.order_ms, entry.write.place});
    }
    deadlines_.erase({entry.write.due_ms, entry.write.place});
}

void Writer::put(const Write& write, std::uint64_t now_ms, bool gather) {
    const auto [found, is_new] = places_.try_emplace(write.place);
    Entry& entry = found->second;
    if (is_new) {
        entry.write = write;
        entry.write.since_ms = now_ms;
        entry.where = gather ? Where::gathering : Where::queued;
        entry.order_ms = gather_until_ms(write.due_ms, now_ms);
        return enqueue(entry);
    }
    if (entry.where == Where::in_flight) return;
    dequeue(entry);
    const Write before = entry.write;
    entry.write = write;
    entry.write.cls = std::min(before.cls, write.cls);
    entry.write.due_ms = std::min(before.due_ms, write.due_ms);
    entry.write.since_ms = before.since_ms;
    if (before.kind == write.kind) {
        entry.write.timeout_s = std::max(before.timeout_s, write.timeout_s);
        entry.write.alone = before.alone || write.alone;
    }
    if (!gather) entry.where = Where::queued;
    enqueue(entry);
}

void Writer::drop(const Place& place) {
    const auto found = places_.find(place);
    if (found == places_.end() || found->second.where == Where::in_flight) return;
    dequeue(found->second);
    places_.erase(found);
}

std::optional<std::uint64_t> Writer::oldest_add_ms() const {
    std::optional<std::uint64_t> oldest;
    for (const auto& [place, entry] : places_) {
        if (entry.write.kind == WriteKind::add)
            oldest = std::min(oldest.value_or(entry.write.since_ms), entry.write.since_ms);
    }
    return oldest;
}

void Writer::put_halves(const Batch& batch) {
    const auto middle = batch.writes.begin() + static_cast<std::ptrdiff_t>(batch.writes.size() / 2);
    for (const bool first : {true, false}) {
        Batch half;
        half.kind = batch.kind, half.cls = batch.cls;
        half.table = batch.table, half.timeout_s = batch.timeout_s;
        if (first)
            half.writes.assign(batch.writes.begin(), middle);
        else
            half.writes.assign(middle, batch.writes.end());
        for (const auto& write : half.writes) {
            places_[write.place] = {write, Where::in_flight, 0};
        }
        half.estimate_us = service_.sentence_us(half.kind, half.writes.size());
        halves_.push_back(std::move(half));
    }
}

bool Writer::in_flight(const Place& place) const {
    const auto found = places_.find(place);
    return found != places_.end() && found->second.where == Where::in_flight;
}

double Writer::rate(WriteClass cls) const {
    const bool braked = brake_ && cls == WriteClass::routine;
    return bucket(cls).share * (braked ? 500 : 1000);
}

double Writer::floor_us(WriteClass cls) const {
    return rate(cls) * 1000 / kFloorRows;
}

void Writer::refill(std::uint64_t now_ms) {
    const double passed = static_cast<double>(now_ms - std::min(refilled_ms_, now_ms));
    refilled_ms_ = now_ms;
    for (const auto cls : {WriteClass::repair, WriteClass::routine}) {
        Bucket& b = bucket(cls);
        const double full = b.share * kBucketMs * 1000;
        b.tokens_us = std::min(full, b.tokens_us + passed * rate(cls));
        if (b.tokens_us >= full * kResumeAt) b.resting = false;
    }
}

void Writer::charge(const Batch& batch) {
    Bucket& b = bucket(batch.cls);
    b.charged_us += batch.estimate_us;
    if (batch.cls == WriteClass::held) return;
    const auto rows = static_cast<double>(batch.writes.size());
    const double cost_us = std::min(batch.estimate_us, floor_us(batch.cls) * rows);
    b.tokens_us -= cost_us;
    if (b.tokens_us <= 0) b.resting = true;
    if (!service_.is_early()) return;
    b.early_work_us += batch.estimate_us / service_.factor();
    b.early_rows += rows;
    b.early_charged_us += cost_us;
}

// The first writes were charged with an assumed write time: what they took more or less counts, too.
void Writer::charge_early_work() {
    for (const auto cls : {WriteClass::repair, WriteClass::routine}) {
        Bucket& b = bucket(cls);
        const double cost_us =
            std::min(b.early_work_us * service_.factor(), floor_us(cls) * b.early_rows);
        const double owed_us = cost_us - b.early_charged_us;
        b.tokens_us -= owed_us - b.owed_us;
        b.owed_us = owed_us;
        if (b.tokens_us <= 0) b.resting = true;
    }
}

double Writer::in_flight_limit_us() const {
    return std::max(kInFlightUs, static_cast<double>(2 * service_.rtt_ms() + 10) * 1000);
}

// The work that a flow with a backlog may have in flight: just enough to keep the router busy.
double Writer::backlog_limit_us() const {
    const double row_us = service_.sentence_us(WriteKind::add, 1);
    return std::max(2 * row_us, static_cast<double>(service_.rtt_ms()) * 1000 + row_us);
}

bool Writer::has_window(WriteClass cls, FlowId flow) const {
    if (in_flight_.size() >= kSentencesInFlight) return false;
    const bool is_short = is_contended() && flow != kNoFlow && cls != WriteClass::repair;
    if (cls == WriteClass::held) {
        // What is in flight goes before a row of another domain, so it is no more than keeps the router busy.
        const double limit_us =
            is_short ? backlog_limit_us() : std::max(in_flight_limit_us(), backlog_limit_us());
        return held_in_flight_us_ < limit_us || (!is_short && !service_.is_measured());
    }
    if (!service_.is_measured()) return in_flight_.size() < kUnmeasuredSentences;
    // A row that an answer waits for soon waits for all work in flight.
    const bool is_held_soon = refilled_ms_ < short_scripts_until_ms_ && is_contended();
    return in_flight_us_ < (is_short || is_held_soon ? backlog_limit_us() : in_flight_limit_us());
}

// Whether the next write of this class is from a new flow and may go before others' backlog, while there are several flows.
bool Writer::is_newcomer(WriteClass cls) const {
    const FairQueue& queue = queue_of(cls);
    if (!is_contended() || queue.empty() || !queue.head().is_new ||
        in_flight_.size() >= kSentencesInFlight) {
        return false;
    }
    if (cls == WriteClass::held) return true;
    return service_.is_measured() && bucket(cls).tokens_us > -bucket(cls).share * kBucketMs * 1000;
}

void Writer::note_newcomer(FlowId flow) {
    const std::uint64_t now_ms = refilled_ms_;
    const bool is_other = last_newcomer_ != kNoFlow && flow != last_newcomer_;
    if (is_other && now_ms < last_newcomer_ms_ + kContendedMs)
        contended_until_ms_ = now_ms + kContendedMs;
    last_newcomer_ = flow;
    last_newcomer_ms_ = now_ms;
}

bool Writer::may_send(WriteClass cls) const {
    return has_window(cls, queue_of(cls).head().flow) &&
           (cls == WriteClass::held || !bucket(cls).resting);
}

void Writer::begin_burst(std::uint64_t now_ms) {
    bursting_ = true;
    next_burst_ms_ = now_ms + kBurstMs;
}

// Whether a write of this class goes in the present burst, if the window allows.
bool Writer::in_burst(WriteClass cls) const {
    const Bucket& b = bucket(cls);
    return bursting_ && !saved_of(cls).empty() && b.tokens_us > -b.share * kBurstDebtMs * 1000;
}

// Renewals that have waited long enough become ready; those whose row is about to end become held.
void Writer::promote(std::uint64_t now_ms) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now_ms) {
        Entry& entry = places_.find(deadlines_.begin()->second)->second;
        dequeue(entry);
        entry.write.cls = WriteClass::held;
        entry.where = Where::queued;
        enqueue(entry);
    }
    while (!gathering_.empty() && gathering_.begin()->first <= now_ms) {
        Entry& entry = places_.find(gathering_.begin()->second)->second;
        dequeue(entry);
        entry.where = Where::queued;
        enqueue(entry);
    }
}

std::optional<Batch> Writer::next(std::uint64_t now_ms) {
    refill(now_ms);
    promote(now_ms);
    if (has_held()) short_scripts_until_ms_ = now_ms + kShortScriptsMs;
    if (!halves_.empty() && in_flight_.size() < kSentencesInFlight) {
        Batch half = std::move(halves_.front());
        halves_.pop_front();
        return half;
    }
    const bool saves =
        !saved_of(WriteClass::repair).empty() || !saved_of(WriteClass::routine).empty();
    if (saves && now_ms >= next_burst_ms_) begin_burst(now_ms);
    bursting_ = in_burst(WriteClass::repair) || in_burst(WriteClass::routine);
    for (const auto cls : {WriteClass::held, WriteClass::routine}) {
        FairQueue& queue = queues_[static_cast<std::size_t>(cls)];
        if (is_newcomer(cls)) return take(cls, queue);
    }
    for (const auto cls : {WriteClass::held, WriteClass::repair, WriteClass::routine}) {
        const auto index = static_cast<std::size_t>(cls);
        if (in_burst(cls) && has_window(cls)) return take(cls, saved_[index]);
        if (queues_[index].empty()) continue;
        if (may_send(cls)) return take(cls, queues_[index]);
        if (cls == WriteClass::held) break;
    }
    return std::nullopt;
}

Batch Writer::take(WriteClass cls, FairQueue& from) {
    if (from.head().is_new) note_newcomer(from.head().flow);
    Batch batch;
    batch.cls = cls;
    fill(batch, from);
    // Renewals that still gather join this sentence.
    if (cls == WriteClass::routine && batch.kind == WriteKind::extend) fill_from_gathering(batch);
    return batch;
}

double Writer::limit_us(const Batch& batch, WriteKind kind) const {
    const bool is_add = kind == WriteKind::add;
    if (is_add && batch.cls == WriteClass::routine && is_contended()) {
        // A newcomer waits for all work in flight, so this sentence gets the rest of the window.
        return std::min(backlog_limit_us() - in_flight_us_, batch_us_);
    }
    // All in flight is at most a sentence, because an answer may come at any moment.
    const double left_us = batch_us_ - in_flight_us_;
    const bool is_short =
        has_held() || (is_add && (service_.is_early() || refilled_ms_ < short_scripts_until_ms_));
    return is_short ? std::min(kHeldBatchUs, left_us) : left_us;
}

// Whether the queued write may share the batch's sentence; an empty batch takes the kind of its first write.
FairQueue::Choice Writer::consider(Batch& batch, const Place& place, bool may_script) {
    using Choice = FairQueue::Choice;
    Entry& entry = places_.find(place)->second;
    const Write& write = entry.write;
    const Table table = write.place.table();
    const bool first = batch.writes.empty();
    const bool is_add = write.kind == WriteKind::add;
    const bool same_values = write.timeout_s == batch.timeout_s &&
                             (write.kind == WriteKind::remove || table.facts().has_timeout ||
                              first || write.place.name == batch.writes[0].place.name);
    const bool shares =
        write.kind == batch.kind && table == batch.table && (is_add ? !write.alone : same_values);
    if (!first && !shares) return Choice::skip;
    const double estimate_us = service_.sentence_us(write.kind, batch.writes.size() + 1);
    const std::size_t most = is_add ? kScriptRows : kBatchRows;
    const bool too_long = estimate_us > limit_us(batch, write.kind);
    if (!first && (too_long || batch.writes.size() == most)) return Choice::stop;
    batch.kind = write.kind, batch.table = table;
    batch.timeout_s = write.timeout_s, batch.estimate_us = estimate_us;
    batch.writes.push_back(write);
    deadlines_.erase({write.due_ms, write.place});
    entry.where = Where::in_flight;
    return is_add && (write.alone || !may_script) ? Choice::take_and_stop : Choice::take;
}

void Writer::fill(Batch& batch, FairQueue& from) {
    const bool may_script = scripts_ && batch.cls != WriteClass::held &&
                            from.size() >= kScriptQueue && service_.is_measured();
    from.walk(kBatchSearch, [&](const Place& place) { return consider(batch, place, may_script); });
}

void Writer::fill_from_gathering(Batch& batch) {
    std::size_t inspected = 0;
    for (auto at = gathering_.begin(); at != gathering_.end() && inspected < kBatchSearch;
         ++inspected) {
        const auto choice = consider(batch, at->second, false);
        if (choice == FairQueue::Choice::stop) return;
        at = choice == FairQueue::Choice::skip ? std::next(at) : gathering_.erase(at);
    }
}

void Writer::sent(Tag tag, Batch batch, std::uint64_t now_ms) {
    batch.sent_ms = now_ms;
    batch.estimate_us = service_.sentence_us(batch.kind, batch.writes.size());
    if (batch.cls == WriteClass::held && batch.writes.front().saved) begin_burst(now_ms);
    charge(batch);
    service_.sent(now_ms);
    in_flight_us_ += batch.estimate_us;
    for (const Write& write : batch.writes)
        ++flow_in_flight_[write.flow];
    if (batch.cls == WriteClass::held) {
        ++held_in_flight_;
        held_in_flight_us_ += batch.estimate_us;
    }
    in_flight_.emplace(tag, std::move(batch));
}

void Writer::undo(std::span<const Write> writes) {
    for (const auto& write : writes)
        places_.erase(write.place);
}

std::optional<Batch> Writer::ended(Tag tag, std::uint64_t now_ms) {
    const auto found = in_flight_.find(tag);
    if (found == in_flight_.end()) return std::nullopt;
    Batch batch = std::move(found->second);
    in_flight_.erase(found);
    in_flight_us_ = in_flight_.empty() ? 0 : in_flight_us_ - batch.estimate_us;
    for (const Write& write : batch.writes) {
        const auto flying = flow_in_flight_.find(write.flow);
        if (--flying->second == 0) flow_in_flight_.erase(flying);
    }
    if (batch.cls == WriteClass::held && --held_in_flight_ == 0) held_in_flight_us_ = 0;
    if (batch.cls == WriteClass::held && held_in_flight_ > 0) {
        held_in_flight_us_ -= batch.estimate_us;
    }
    const bool is_early = service_.is_early();
    service_.replied(batch.kind, batch.writes.size(), batch.sent_ms, now_ms);
    if (is_early) charge_early_work();
    undo(batch.writes);
    return batch;
}

std::uint64_t Writer::next_ready_ms(std::uint64_t now_ms) const {
    if (in_flight_.size() >= kSentencesInFlight) return UINT64_MAX;
    if (!halves_.empty()) return now_ms;
    if (is_newcomer(WriteClass::held) || is_newcomer(WriteClass::routine)) return now_ms;
    if (!queues_[0].empty() && may_send(WriteClass::held)) return now_ms;
    std::uint64_t ready = UINT64_MAX;
    if (!gathering_.empty()) ready = gathering_.begin()->first;
    if (!deadlines_.empty()) ready = std::min(ready, deadlines_.begin()->first);
    if (!queues_[0].empty()) return ready;  // a reply must come first
    for (const auto cls : {WriteClass::repair, WriteClass::routine}) {
        if (in_burst(cls) && has_window(cls)) return now_ms;
        if (!in_burst(cls) && !saved_of(cls).empty()) ready = std::min(ready, next_burst_ms_);
        if (queues_[static_cast<std::size_t>(cls)].empty()) continue;
        if (may_send(cls)) return now_ms;
        const Bucket& b = bucket(cls);
        if (!b.resting) continue;  // the window is full: a reply must come first
        const double missing_us = b.share * kBucketMs * 1000 * kResumeAt - b.tokens_us;
        const auto wait_ms = static_cast<std::uint64_t>(std::ceil(missing_us / rate(cls)));
        ready = std::min(ready, refilled_ms_ + std::max<std::uint64_t>(wait_ms, 1));
    }
    return ready;
}

// An upper bound: flows take turns, so each other one gets at most as many rows as this one, and its quantum.
std::uint64_t Writer::held_wait_ms(FlowId flow, std::uint64_t now_ms) const {
    if (!service_.is_measured()) return 0;
    const double worked_us =
        std::min(static_cast<double>(service_.worked_ms(now_ms)) * 1000, oldest_in_flight_us());
    const auto wait_ms = [&](std::size_t rows) {
        const double work_us = std::max(0.0, in_flight_us_ - worked_us) +
                               service_.sentence_us(WriteKind::add, 1) * static_cast<double>(rows);
        return service_.rtt_ms() + static_cast<std::uint64_t>(work_us / 1000);
    };
    const FairQueue& queue = queue_of(WriteClass::held);
    return std::min(wait_ms(queue.size()), wait_ms(queue.rows_before(flow)));
}

// Its estimate. What it takes longer is not taken off those behind it.
double Writer::oldest_in_flight_us() const {
    const auto by_time = [](const auto& a, const auto& b) {
        return a.second.sent_ms < b.second.sent_ms;
    };
    const auto oldest = std::ranges::min_element(in_flight_, by_time);
    return oldest == in_flight_.end() ? 0 : oldest->second.estimate_us;
}

std::uint64_t Writer::backlog_ms() const {
    double ms = 0;
    for (const auto cls : {WriteClass::repair, WriteClass::routine}) {
        const std::size_t rows = queue_of(cls).size() + saved_of(cls).size();
        const std::size_t at_once = scripts_ ? kScriptRows : 1;
        const double row_us =
            service_.sentence_us(WriteKind::add, at_once) / static_cast<double>(at_once);
        ms += static_cast<double>(rows) * std::min(row_us, floor_us(cls)) / rate(cls);
    }
    return static_cast<std::uint64_t>(ms);
}

bool Writer::has_held() const {
    return held_in_flight_ > 0 || !queues_[0].empty();
}

std::size_t Writer::queued() const {
    std::size_t n = gathering_.size();
    for (const auto* const queues : {&queues_, &saved_}) {
        for (const auto& queue : *queues)
            n += queue.size();
    }
    return n;
}

void Writer::drop_queued() {
    for (auto* const queues : {&queues_, &saved_}) {
        for (auto& queue : *queues)
            queue.clear();
    }
    gathering_.clear();
    deadlines_.clear();
    halves_.clear();
    places_.clear();
    for (const auto& [tag, batch] : in_flight_) {
        for (const auto& write : batch.writes)
            places_[write.place] = {write, Where::in_flight, 0};
    }
}

void Writer::clear() {
    drop_queued();
    places_.clear();
    in_flight_.clear();
    flow_in_flight_.clear();
    in_flight_us_ = 0;
    held_in_flight_ = 0;
    held_in_flight_us_ = 0;
    service_.clear();
}

}  // namespace steer::routeros
