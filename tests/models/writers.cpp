#include "models/writers.h"

#include <algorithm>
#include <utility>

namespace steer::models {

namespace {

using W = WritersModel;
using WritersState = W::State;

enum WritersError : std::uint8_t {
    kGood,
    kBrokenPromise,
    kAheadOfFence,
    kWritesBehindToken,
    kRemovedUnderClaim,
    kQueueFull,
};

bool has_command(const W::Box& box) {
    return box.commands.front().word != W::Word::none;
}
bool has_reply(const W::Box& box) {
    return box.replies.front().news != W::News::none;
}

template <class Queue>
auto pop(Queue& queue) {
    const auto first = queue.front();
    std::shift_left(queue.begin(), queue.end(), 1);
    queue.back() = {};
    return first;
}

void push_command(WritersState& s, unsigned at, W::Command command) {
    W::Box& box = s.boxes[at];
    if (box.is_cut != 0) return;  // lost
    for (W::Command& place : box.commands) {
        if (place.word != W::Word::none) continue;
        place = command;
        return;
    }
    s.error = kQueueFull;
}

void push_reply(WritersState& s, unsigned at, W::Reply reply) {
    for (W::Reply& place : s.boxes[at].replies) {
        if (place.news != W::News::none) continue;
        place = reply;
        return;
    }
    s.error = kQueueFull;
}

// `listen` of the others; who made the change has a reply.
void report(WritersState& s, unsigned but, W::Reply reply) {
    for (unsigned i = 0; i < W::kBoxes; ++i) {
        if (i != but && s.boxes[i].is_reported != 0) push_reply(s, i, reply);
    }
}

// Whether every session has space for what one command reports.
bool has_space(const WritersState& s) {
    return std::ranges::all_of(
        s.boxes, [](const W::Box& box) { return box.replies.back().news == W::News::none; });
}

bool any_claim(const WritersState& s) {
    return std::ranges::any_of(s.boxes, [](const W::Box& box) { return box.claim != 0; });
}

}  // namespace

std::string_view label(W::Mistake mistake) {
    switch (mistake) {
#define STEER_MISTAKE_LABEL(name, text) \
    case W::Mistake::name:              \
        return text;
        STEER_WRITER_MISTAKES(STEER_MISTAKE_LABEL)
#undef STEER_MISTAKE_LABEL
    }
    return {};
}

bool W::take(State& s, const Step& step) const {
    if (step.what <= What::closed) return session_step(s, step.what, step.box);
    if (step.what <= What::sync_timeout) return fleet_step(s, step.what, step.box);
    return fault_step(s, step.what, step.box);
}

// ---- sessions

bool W::session_step(State& s, What what, unsigned at) const {
    Box& box = s.boxes[at];
    switch (what) {
        case What::connect:
            if (box.link != Link::down) return false;
            box.link = Link::reading;
            push_command(s, at, {Word::read, 0});
            return true;
        case What::take_command:
            if (!has_command(box) || box.is_cut != 0 || !has_space(s)) return false;
            return carry_out(s, at, pop(box.commands), false);
        case What::take_late:
            if (box.late.word == Word::none || !has_space(s)) return false;
            return carry_out(s, at, std::exchange(box.late, {}), true);
        case What::lose_late:
            if (box.late.word == Word::none) return false;
            box.late = {};
            return true;
        case What::receive:
            if (!has_reply(box)) return false;
            took_reply(s, at, pop(box.replies));
            return true;
        default: {  // Router::closed
            if (box.is_cut == 0 || has_reply(box)) return false;
            Box next;
            next.is_writer = box.is_writer;
            next.term = box.term;
            next.superseded = box.superseded;
            next.claim = box.claim;
            next.hold = box.hold == Hold::waits ? Hold::ended : box.hold;
            next.late = box.late;
            if (has(Mistake::keeps_rows_over_reconnect)) next.row_known = box.row_known;
            box = next;
            return true;
        }
    }
}

// The router carries out one command.
bool W::carry_out(State& s, unsigned at, Command command, bool is_late) const {
    const auto reply = [&](News news) {
        if (!is_late) push_reply(s, at, {news, s.row, s.fence});
    };
    const unsigned but = is_late ? kBoxes : at;
    switch (command.word) {
        case Word::read:
            s.boxes[at].is_reported = 1;
            reply(News::read_done);
            return true;
        case Word::fence_add:
            if (s.fence != 0) {
                reply(News::fence_refused);
                return true;
            }
            [[fallthrough]];
        case Word::fence_set:
            s.fence = command.token;
            s.highest_fence = std::max(s.highest_fence, s.fence);
            report(s, but, {News::fence_changed, RowIs::none, s.fence});
            reply(News::fence_done);
            return true;
        case Word::add:
            if (command.token > s.highest_fence) s.error = kAheadOfFence;
            if (s.row != RowIs::none) {
                reply(News::duplicate);
                return true;
            }
            s.row = RowIs::ours;
            report(s, but, {News::row_changed, s.row, 0});
            reply(News::added);
            return true;
        case Word::lookup:
            reply(News::looked_up);
            return true;
        case Word::remove:
            if (s.row == RowIs::ours && any_claim(s)) s.error = kRemovedUnderClaim;
            s.row = RowIs::none;
            report(s, but, {News::row_changed, s.row, 0});
            reply(News::removed);
            return true;
        case Word::none:
            break;
    }
    return false;
}

// Router::read_writer_row, on_writer_row_end, added, duplicate.
void W::took_reply(State& s, unsigned at, Reply reply) const {
    Box& box = s.boxes[at];
    switch (reply.news) {
        case News::read_done:
            box.link = Link::in_sync;
            if (!has(Mistake::keeps_rows_over_reconnect) || box.row_known != RowIs::ours)
                box.row_known = reply.row;
            box.fence_known = reply.fence;
            break;
        case News::fence_done:
            // `listen` may already have reported a higher token.
            if (box.fence_known < box.fence_out || box.fence_news == 0)
                box.fence_known = box.fence_out;
            box.fence_out = 0;
            break;
        case News::fence_refused:  // `listen` has reported whose row it is
            box.fence_out = 0;
            break;
        case News::added:
            box.add_out = 0;
            box.row_known = RowIs::ours;
            break;
        case News::duplicate:
            box.add_out = 0;
            if (has(Mistake::duplicate_is_success)) box.row_known = RowIs::ours;
            if (box.row_known != RowIs::none) break;
            box.add_out = 1;
            push_command(s, at, {Word::lookup, 0});
            break;
        case News::looked_up:
            box.add_out = 0;
            box.row_known = reply.row;
            break;
        case News::row_changed:
            box.row_known = reply.row;
            break;
        case News::fence_changed:
            box.fence_known = reply.fence;
            box.fence_news = 1;
            break;
        case News::removed:
            box.row_known = RowIs::none;
            break;
        case News::none:
            break;
    }
    evaluate(s, at);
}

// ---- the engine

// Router::check_writer_row and check_role.
void W::check_writer_row(State& s, unsigned at) const {
    Box& box = s.boxes[at];
    if (box.is_writer != 0 && box.superseded == 0) {
        const bool is_higher = box.fence_known > box.term;
        if (is_higher && !has(Mistake::ignores_higher_token)) {
            box.superseded = 1;
        } else if (box.fence_known == box.term) {
            box.fenced = 1;
        } else if (box.fence_out == 0) {
            if (is_higher) s.error = kWritesBehindToken;
            box.fence_out = box.term;
            box.fence_news = 0;
            push_command(s, at,
                         {box.fence_known == 0 ? Word::fence_add : Word::fence_set, box.term});
        }
    }
    const bool is_fenced = box.fenced != 0 || has(Mistake::writes_before_fence);
    const bool may = box.is_writer != 0 && box.superseded == 0 && is_fenced;
    if (box.may_write != 0 && !may) {
        box.may_write = 0;
        stop_writing(s, at);
    }
    box.may_write = may ? 1 : 0;
}

// Router::stop_writing: waiting answers stay, and commands in flight still take effect.
void W::stop_writing(State& s, unsigned at) const {
    Box& box = s.boxes[at];
    if (has(Mistake::removes_when_deposed) && box.row_known == RowIs::ours)
        push_command(s, at, {Word::remove, 0});
    if (has(Mistake::forgets_waiters) && box.hold == Hold::waits) box.hold = Hold::forgotten;
}

// Router::evaluate_place for the one row.
void W::evaluate(State& s, unsigned at) const {
    Box& box = s.boxes[at];
    if (box.link != Link::in_sync) return;
    check_writer_row(s, at);
    if (box.row_known == RowIs::ours && box.hold == Hold::waits) promise(s, at);
    if (box.row_known == RowIs::foreign && box.hold == Hold::waits) box.hold = Hold::ended;
    if (box.row_known != RowIs::none || box.claim == 0 || box.may_write == 0 || box.add_out != 0)
        return;
    if (box.fence_known > box.term) s.error = kWritesBehindToken;
    box.add_out = 1;
    push_command(s, at, {Word::add, box.term});
    if (has(Mistake::acknowledges_on_send) && box.hold == Hold::waits) promise(s, at);
}

// RouterSink::settled with `installed` or `already_there`: the answer leaves.
void W::promise(State& s, unsigned at) const {
    Box& box = s.boxes[at];
    box.hold = Hold::promised;
    if (box.is_cut == 0 && s.row != RowIs::ours) s.error = kBrokenPromise;
}

// ---- clients and the fleet

bool W::fleet_step(State& s, What what, unsigned at) const {
    Box& box = s.boxes[at];
    Box& other = s.boxes[1 - at];
    switch (what) {
        case What::client:  // Router::claim with a hold token
            if (box.hold != Hold::none) return false;
            box.claim = 1;
            box.hold = box.link == Link::in_sync ? Hold::waits : Hold::ended;
            evaluate(s, at);
            return true;
        case What::share:  // Router::take_claims
            if (box.claim == 0 || other.claim != 0) return false;
            other.claim = 1;
            evaluate(s, 1 - at);
            return true;
        case What::elect:  // a new term, which the former holder does not know yet
            if (s.last_token == options.elections) return false;
            s.holder = static_cast<std::uint8_t>(at);
            box.term = ++s.last_token;
            box.is_writer = 1;
            box.superseded = box.fenced = 0;
            if (box.fence_out != 0) return false;  // a new term while the old row is in flight
            evaluate(s, at);
            return true;
        case What::depose:
            if (box.is_writer == 0 || box.term == s.last_token) return false;
            box.is_writer = box.superseded = box.fenced = 0;
            if (box.may_write != 0) stop_writing(s, at);
            box.may_write = 0;
            evaluate(s, at);
            return true;
        default:  // the answer leaves without the row
            if (box.hold != Hold::waits) return false;
            box.hold = Hold::ended;
            return true;
    }
}

// ---- faults

bool W::fault_step(State& s, What what, unsigned at) const {
    Box& box = s.boxes[at];
    switch (what) {
        case What::cut:
        case What::cut_late: {
            if (s.cuts == 0 || box.link == Link::down || box.is_cut != 0) return false;
            const Command first = box.commands.front();
            const bool is_write =
                first.word != Word::none && first.word != Word::read && first.word != Word::lookup;
            if (what == What::cut_late) {
                if (!is_write || box.late.word != Word::none) return false;
                box.late = first;
            }
            --s.cuts;
            box.is_cut = 1;
            box.is_reported = 0;
            box.commands = {};
            return true;
        }
        case What::reboot:  // timed rows go, the static writer row stays
            if (s.reboots == 0 || at != 0) return false;
            --s.reboots;
            s.row = RowIs::none;
            for (Box& one : s.boxes) {
                one.late = {};
                if (one.link == Link::down) continue;
                one.is_cut = 1;
                one.is_reported = 0;
                one.commands = {};
            }
            return true;
        default:
            if (s.people == 0 || s.row == RowIs::ours || at != 0 || !has_space(s)) return false;
            --s.people;
            s.row = s.row == RowIs::none ? RowIs::foreign : RowIs::none;
            report(s, kBoxes, {News::row_changed, s.row, 0});
            return true;
    }
}

// ---- judgement

const char* W::broken(const State& s) const {
    switch (s.error) {
        case kBrokenPromise:
            return "an answer left with a promise, and the router does not have the row";
        case kAheadOfFence:
            return "a row was written before the writer row of its term";
        case kWritesBehindToken:
            return "a box writes although it has seen a higher token";
        case kRemovedUnderClaim:
            return "a row was removed under a claim";
        case kQueueFull:
            return "the model's queues are too short";
        default:
            return nullptr;
    }
}

bool W::is_settled(const State& s) const {
    const bool has_writer = s.last_token != 0;
    for (unsigned i = 0; i < kBoxes; ++i) {
        const Box& box = s.boxes[i];
        if (box.link != Link::in_sync || box.is_cut != 0 || box.late.word != Word::none)
            return false;
        if (has_command(box) || has_reply(box) || box.hold == Hold::forgotten) return false;
        if (!has_writer) continue;
        const bool is_last = i == s.holder && box.term == s.last_token;
        if ((box.may_write != 0) != is_last || box.hold == Hold::waits) return false;
    }
    if (!has_writer) return true;
    return s.fence == s.last_token && (!any_claim(s) || s.row != RowIs::none);
}

bool W::settles(const Step& step) const {
    return step.what <= What::depose;
}

std::string W::text(const Step& step) const {
    static constexpr std::array kTexts{
        "connects",
        "the router takes its command",
        "the router takes a command of its former session",
        "a command of its former session is lost",
        "receives",
        "closed",
        "its claim reaches the other box",
        "becomes a standby",
        "becomes the writer of a new term",
        "a client asks, and its answer waits",
        "sync_timeout",
        "its session is cut",
        "its session is cut, with a command on its path",
        "the router reboots",
        "a person adds or removes a row",
    };
    return "box " + std::to_string(step.box) + ": " + kTexts[static_cast<std::size_t>(step.what)];
}

}  // namespace steer::models
