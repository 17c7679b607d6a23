// Delivers the result of an outstanding query to the parked queries that wait for it, on this
// worker and others.
#include <utility>

#include "dataplane/forward/forwarder_impl.h"

namespace steer {

using forward::kNone;

namespace {
constexpr unsigned kAtOnce = 64;    // waiters that are served when the result comes
constexpr unsigned kPerTick = 256;  // and per tick
}  // namespace

void Forwarder::Impl::end_requesting(std::uint32_t outstanding, bool answered) noexcept {
    OutstandingQuery& f = table[outstanding];
    // Not for a platform: it has no name servers of its own for its customers' names.
    for (const auto level : {matchers::DomainLevel::domain, matchers::DomainLevel::below,
                             matchers::DomainLevel::below2}) {
        const std::uint64_t key = f.domain[level];
        if (key == 0 || by_domain.get(key) < kManyOfDomain) break;
        failing.note(key, !answered, static_cast<std::uint32_t>(now_ms / 1000));
    }
    table.stop_requesting(outstanding);
    by_domain.remove(f.domain);
    if (std::uint32_t* const in_flight = in_flight_of(*f.snapshot, f.upstreams())) --*in_flight;
    timers.cancel(outstanding);
    if (f.upstreams().limit != nullptr) f.upstreams().limit->leave();
}

void Forwarder::Impl::finish(std::uint32_t outstanding, UpstreamResult end,
                             Buffer* answer) noexcept {
    OutstandingQuery& f = table[outstanding];
    // Who was silent has not dropped the query.
    if (end == UpstreamResult::dropped && (f.has_other_failure || f.attempts != kNone))
        end = UpstreamResult::all_failed;
    end_requesting(outstanding, answer != nullptr);
    f.end = answer != nullptr ? UpstreamResult::answered : end;
    if (f.answer != answer) release(f.answer);
    f.answer = answer;
    unsigned budget = kAtOnce;
    hand_out(outstanding, budget);
}

void Forwarder::Impl::hand_out(std::uint32_t outstanding, unsigned& budget) noexcept {
    OutstandingQuery& f = table[outstanding];
    for (unsigned n = f.waiters.count(); n > 0 && budget > 0; --n, --budget) {
        Parked* const parked = f.waiters.pop();
        if (!give(parked, f.end, f.answer, f.trail)) f.waiters.push(parked);
    }
    if (!f.waiters.empty()) {
        hand_out_later(outstanding);
        return;
    }
    release(f.answer);
    f.answer = nullptr;
    release(std::exchange(f.trail, nullptr));
    table.close(outstanding);
}

void Forwarder::Impl::begin_trail(std::uint32_t outstanding, bool is_new, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    f.trail = buffers.take(kSmallBuffer);
    if (is_new || f.trail == nullptr) return;
    note(f, TraceWhat::joined, 0, 0, now.ms - f.started_ms, now);
    for (std::uint32_t i = f.attempts; i != kNone; i = table.attempt(i).next) {
        const Attempt& a = table.attempt(i);
        note(f, TraceWhat::asked, static_cast<unsigned>(TraceVia::port), a.upstream, 0,
             {a.sent_ms});
    }
}

// True: the waiter is served, and holds a reference of its own to the answer.
bool Forwarder::Impl::give(Parked* parked, UpstreamResult end, Buffer* answer,
                           Buffer* trail) noexcept {
    if (answer != nullptr && (answer->answer().flags & dns::kTc) != 0 &&
        forward::wants_all(*parked)) {
        answer = nullptr;
        end = UpstreamResult::truncated;
    }
    if (answer != nullptr) hold(answer);
    if (parked->worker == options.worker) {
        if (trail != nullptr) sink.on_trail(*parked, *trail);
        sink.answered(parked, end, answer);
        return true;
    }
    Message m;
    m.kind = MessageKind::reply;
    m.from = static_cast<std::uint8_t>(options.worker);
    m.b = static_cast<std::uint32_t>(end);
    m.pointer = parked;
    m.buffer = answer;
    if (trail != nullptr) {  // whether this waiter is traced is its worker's to know
        hold(trail);
        m.token = reinterpret_cast<std::uintptr_t>(trail);
    }
    if (sink.send_to_worker(parked->worker, m)) return true;
    release(answer);
    if (trail != nullptr) release(trail);
    return false;
}

void Forwarder::Impl::hand_out_later(std::uint32_t outstanding) noexcept {
    table[outstanding].next = kNone;
    if (left_first == kNone) {
        left_first = outstanding;
    } else {
        table[left_last].next = outstanding;
    }
    left_last = outstanding;
}

void Forwarder::Impl::hand_out_what_is_left() noexcept {
    unsigned budget = kPerTick;
    const auto tell = [&](forward::Waiters& waiters, UpstreamResult why) {
        for (unsigned n = waiters.count(); n > 0 && budget > 0; --n, --budget) {
            Parked* const parked = waiters.pop();
            if (!give(parked, why, nullptr, nullptr)) waiters.push(parked);
        }
    };
    tell(turned_away, UpstreamResult::table_full);
    tell(displaced, UpstreamResult::displaced);
    tell(over_quota, UpstreamResult::over_quota);
    tell(looped, UpstreamResult::looped);
    // One pass over the present records; hand_out() appends unfinished ones.
    const std::uint32_t last = left_last;
    while (left_first != kNone && budget > 0) {
        const std::uint32_t outstanding = left_first;
        left_first = table[outstanding].next;
        if (left_first == kNone) left_last = kNone;
        hand_out(outstanding, budget);
        if (outstanding == last) break;
    }
}

void Forwarder::Impl::turn_away(Parked* parked, UpstreamResult why, Stat counter) noexcept {
    counters.add(counter);
    forward::Waiters& waiters = why == UpstreamResult::table_full ? turned_away
                                : why == UpstreamResult::looped   ? looped
                                                                  : over_quota;
    waiters.push(parked);
}

}  // namespace steer
