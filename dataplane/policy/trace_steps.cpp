#include "dataplane/policy/trace_steps.h"

#include <algorithm>

#include "dataplane/policy/admit.h"
#include "dataplane/policy/snapshot.h"

namespace steer {
namespace {

TraceSource source_of(const QueryContext& c) {
    if (c.response.is_stale()) return TraceSource::stale;
    if (c.response.kept_in() != Response::kNowhere) return TraceSource::cache;
    if (c.response.in_buffer_of_its_own()) return TraceSource::upstream;
    return c.response.answer().body_len == 0 ? TraceSource::empty : TraceSource::records;
}

std::uint32_t ttl_left_s(const cache::Entry& entry, Now now) {
    return entry.expires_s > now.s() ? entry.expires_s - now.s() : 0;
}

bool is_same(const Rewrites& a, const Rewrites& b) {
    if (a.count() != b.count()) return false;
    for (unsigned i = 0; i < a.count(); ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

}  // namespace

StepWatch::StepWatch(const QueryContext& c) noexcept
    : before_(c.state),
      answer_(c.response ? &c.response.answer() : nullptr),
      replay_(c.replay),
      stale_(c.stale),
      refresh_pc_(c.refresh_pc) {
    if (answer_ == nullptr) return;
    rcode_ = answer_->rcode;
    addresses_ = answer_->address_count;
    was_stale_ = c.response.is_stale();
}

void StepWatch::note(const QueryContext& c, Now now, unsigned flags, bool is_step) const noexcept {
    const Op op = c.snapshot.program[before_.pc].op;
    if (is_step) {
        if (is_test(op)) {
            flags |= trace_flags::kTest;
            if (c.state.pc == before_.pc + 1U) flags |= trace_flags::kHeld;
        }
        if (is_wrapper(op) && c.state.depth > before_.depth) flags |= trace_flags::kEntered;
        if (is_traced(op)) c.trace.note(now, TraceWhat::step, flags, before_.pc, 0, c.state.pc);
    }
    if (is_step && op == Op::enter_cache) note_cache(c, now);
    note_wrappers(c, now);
    if (!is_same(before_.rewrites, c.state.rewrites)) note_question(c, now);
    if (const std::uint64_t marks = c.state.marks & ~c.snapshot.watch_bits;
        marks != (before_.marks & ~c.snapshot.watch_bits)) {
        c.trace.note(now, TraceWhat::marks, 0, before_.pc, static_cast<std::uint32_t>(marks),
                     static_cast<std::uint32_t>(marks >> 32));
    }
    note_response(c, now);
    note_lists(c, now);
    if (c.refresh_pc != refresh_pc_ && c.refresh_pc != QueryContext::kNoRefresh)
        c.trace.note(now, TraceWhat::refresh, 0, c.refresh_pc);
}

// Wrappers are left from the innermost on, and others may have been entered in their place.
void StepWatch::note_wrappers(const QueryContext& c, Now now) const noexcept {
    unsigned same = 0;
    while (same < before_.depth && same < c.state.depth &&
           before_.wrappers[same] == c.state.wrappers[same])
        ++same;
    for (unsigned d = before_.depth; d-- > same;)
        c.trace.note(now, TraceWhat::left, 0, before_.wrappers[d], 0, c.state.pc);
}

void StepWatch::note_lists(const QueryContext& c, Now now) const noexcept {
    const auto had = [&](std::uint8_t list) {
        const auto end = before_.lists.begin() + before_.list_count;
        return std::find(before_.lists.begin(), end, list) != end;
    };
    const auto has = [&](std::uint8_t list) {
        const auto end = c.state.lists.begin() + c.state.list_count;
        return std::find(c.state.lists.begin(), end, list) != end;
    };
    for (unsigned l = 0; l < before_.list_count; ++l) {
        if (has(before_.lists[l])) continue;
        c.trace.note(now, TraceWhat::unclaimed, 0, before_.pc, before_.lists[l]);
    }
    for (unsigned l = 0; l < c.state.list_count; ++l) {
        if (!had(c.state.lists[l]))
            c.trace.note(now, TraceWhat::claimed, 0, before_.pc, c.state.lists[l]);
    }
}

void StepWatch::note_cache(const QueryContext& c, Now now) const noexcept {
    const Instruction& i = c.snapshot.program[before_.pc];
    const cache::Entry* entry = nullptr;
    TraceCache is = TraceCache::miss;
    if (c.response && c.response.source() != nullptr && &c.response.answer() != answer_) {
        entry = c.response.source();
        is = c.response.is_stale()         ? TraceCache::stale
             : is_failure(entry->answer()) ? TraceCache::failure
             : i.guarded                   ? TraceCache::guarded
                                           : TraceCache::hit;
    } else if (c.replay != replay_ || c.stale != stale_) {
        entry = c.replay != replay_ ? c.replay : c.stale;
        is = i.policed ? TraceCache::policed : TraceCache::older_rules;
    } else if (c.state.stale_wait_ms != 0 && before_.stale_wait_ms == 0) {
        is = TraceCache::expired;
    }
    const std::uint32_t age_s = entry != nullptr ? entry->born.age_s(now.s()) : 0;
    const std::uint32_t left_s = entry != nullptr ? ttl_left_s(*entry, now) : 0;
    c.trace.note(now, TraceWhat::cache, static_cast<unsigned>(is), before_.pc, age_s, left_s);
}

void StepWatch::note_response(const QueryContext& c, Now now) const noexcept {
    if (!c.response) {
        if (answer_ != nullptr) c.trace.note(now, TraceWhat::no_response, 0, before_.pc);
        return;
    }
    const dns::Answer& answer = c.response.answer();
    if (&answer == answer_ && answer.rcode == rcode_ && answer.address_count == addresses_ &&
        c.response.is_stale() == was_stale_)
        return;
    c.trace.note(now, TraceWhat::response, answer.rcode, before_.pc,
                 static_cast<std::uint32_t>(source_of(c)), answer.address_count);
}

void note_question(const QueryContext& c, Now now) noexcept {
    const auto name = c.asked().name();
    c.trace.note(now, TraceWhat::question, static_cast<unsigned>(c.asked().ecs_from), c.state.pc,
                 static_cast<std::uint32_t>(name.size()), c.state.rewrites.count(), name);
}

}  // namespace steer
