#include "dataplane/policy/live_run.h"

#include "dataplane/policy/ad_targets.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/ops/bodies.h"

namespace steer {

Step LiveRun::run() noexcept {
    if (c.trace) [[unlikely]]
        return run_traced();
    for (;;) {
        if (const MaybeStep end = step(*this)) return *end;
    }
}

[[gnu::noinline, gnu::cold]] Step LiveRun::run_traced() noexcept {
    for (;;) {
        const StepWatch before(c);
        const MaybeStep end = step(*this);
        before.note(c, now, 0, true);
        if (end) return *end;
    }
}

MaybeStep LiveRun::stop() noexcept {
    c.state.stopped = true;
    while (c.state.depth > 0) {
        if (leave_last(*this) != Left::renamed) continue;
        c.state.stopped = false;
        return std::nullopt;
    }
    return finish();
}

Step LiveRun::finish() noexcept {
    deny_targets();
    if (!c.response && !c.state.unit && !c.state.dropped) {
        c.response.set_empty(dns::kNoError, dns::Ede::other);
        c.state.unanswered = true;
        worker.counters.add(Stat::end_without_answer);
    }
    if (c.snapshot.inherited != nullptr && c.response && !c.state.unit) worker.pass_on(c, now);
    return Step::answered;
}

bool LiveRun::give(AnswerRef answer) noexcept {
    if (answer == kNoAnswer) return false;
    forget_response(c.state);
    c.state.note_maker();
    c.response.set_known(&c.snapshot.known.at(answer));
    return true;
}

void LiveRun::give_kept(const cache::Entry& entry, std::uint32_t stale_ttl_s) noexcept {
    forget_response(c.state);
    set_kept(c.response, &entry, stale_ttl_s, now);
}

void LiveRun::give_empty(std::uint8_t rcode) noexcept {
    forget_response(c.state);
    c.state.note_maker();
    c.response.set_empty(rcode);
}

void LiveRun::give_buffer(Buffer* answer) noexcept {
    forget_response(c.state);
    c.response.set_buffer(answer);
}

bool LiveRun::give_copy(const dns::Answer& answer) noexcept {
    const auto bytes = static_cast<std::uint32_t>(answer.size());
    Buffer* const buffer = worker.buffers.take(bytes);
    if (buffer == nullptr) return false;
    std::memcpy(buffer->room().data(), &answer, bytes);
    buffer->length = bytes;
    buffer->born_ms = static_cast<std::int64_t>(now.ms);
    give_buffer(buffer);
    c.state.note_maker();
    return true;
}

void LiveRun::fail_rewrite() noexcept {
    worker.counters.add(Stat::rewrite_failed);
    forget_response(c.state);
    c.state.note_maker();
    c.response.set_empty(dns::kServFail, dns::Ede::other);
}

[[gnu::noinline]] bool LiveRun::deny_watched() noexcept {
    return deny_by_targets(*this);
}

}  // namespace steer
