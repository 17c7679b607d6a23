#include "models/generations.h"

#include <algorithm>

namespace steer::models {

namespace {

using M = GenerationsModel;
using State = M::State;

enum Error : std::uint8_t { kNoError, kFreedInUse, kSlotInUse, kWrongCount };

bool is_old(M::Phase phase) {
    return phase == M::Phase::grace || phase == M::Phase::parked;
}

// rte_rcu_qsbr_start: who is offline is not waited for.
std::uint8_t online_workers(const State& s) {
    std::uint8_t mask = 0;
    for (unsigned w = 0; w < M::kWorkers; ++w) {
        const M::Place place = s.workers[w].place;
        if (place != M::Place::asleep && place != M::Place::early)
            mask |= static_cast<std::uint8_t>(1U << w);
    }
    return mask;
}

// rte_rcu_qsbr_quiescent, _thread_offline
void pass(State& s, unsigned w) {
    for (M::Slot& slot : s.slots)
        slot.waits &= static_cast<std::uint8_t>(~(1U << w));
}

void count(State& s, unsigned w, unsigned of, int by) {
    std::uint8_t& value = s.workers[w].counts[of - 1];
    if (by < 0 && value == 0) {
        s.error = kWrongCount;
        return;
    }
    value = static_cast<std::uint8_t>(value + by);
}

}  // namespace

std::string_view label(M::Mistake mistake) {
    switch (mistake) {
#define STEER_MISTAKE_LABEL(name, text) \
    case M::Mistake::name:              \
        return text;
        STEER_GENERATION_MISTAKES(STEER_MISTAKE_LABEL)
#undef STEER_MISTAKE_LABEL
    }
    return {};
}

bool M::take(State& s, const Step& step) const {
    return step.what <= What::clock ? control_step(s, step.what)
                                    : worker_step(s, step.what, step.worker);
}

// ---- control: Publisher

bool M::control_step(State& s, What what) const {
    switch (what) {
        case What::publish:
            if (!begin_publish(s)) return false;
            if (options.one_piece) return control_step(s, What::publish_rest);
            return true;
        case What::publish_rest:
            if (s.doing != Doing::publishing) return false;
            if (has(Mistake::token_before_store))
                s.pointer = static_cast<std::uint8_t>(s.at + 1);
            else
                start_tokens(s);
            s.doing = Doing::nothing;
            s.at = 0;
            return true;
        case What::poll: {
            const bool any = s.retire != 0 || std::ranges::any_of(s.slots, [](const Slot& slot) {
                                 return slot.phase > Phase::in_force;
                             });
            if (s.doing != Doing::nothing || !any) return false;
            s.doing = Doing::checking;
            do
                poll_on(s);
            while (options.one_piece && s.doing != Doing::nothing);
            return true;
        }
        case What::poll_rest:
            if (s.doing < Doing::checking) return false;
            poll_on(s);
            return true;
        default: {  // kRetireAfterMs pass
            if (s.doing != Doing::nothing) return false;
            bool any = false;
            for (Slot& slot : s.slots) {
                if (!is_old(slot.phase) || slot.due != 0) continue;
                slot.due = 1;
                any = true;
            }
            return any;
        }
    }
}

// Publisher::publish, to the store of the pointer.
bool M::begin_publish(State& s) const {
    if (s.doing != Doing::nothing) return false;
    if (options.reloads != 0 && s.published == options.reloads) return false;
    unsigned place = 0;
    while (place < options.slots && s.slots[place].phase != Phase::free)
        ++place;
    if (place == options.slots) return false;
    for (const Worker& worker : s.workers) {
        if (worker.of == place + 1 || worker.counts[place] != 0) s.error = kSlotInUse;
    }
    if (options.reloads != 0) ++s.published;
    s.doing = Doing::publishing;
    s.at = static_cast<std::uint8_t>(place);
    if (has(Mistake::token_before_store))
        start_tokens(s);
    else
        s.pointer = static_cast<std::uint8_t>(place + 1);
    return true;
}

// The rest of Publisher::publish.
void M::start_tokens(State& s) const {
    for (Slot& slot : s.slots) {
        if (slot.phase == Phase::free) continue;
        ++slot.age;
        if (slot.phase != Phase::in_force) continue;
        slot.phase = Phase::grace;
        slot.waits = online_workers(s);
    }
    s.slots[s.at] = {.phase = Phase::in_force, .waits = 0, .due = 0, .age = 0};
}

// Publisher::step and parked_under(), one read of shared data at a time.
void M::poll_on(State& s) const {
    Slot& slot = s.slots[s.at];
    if (s.doing == Doing::checking) {
        if (slot.phase == Phase::grace && slot.waits == 0) {
            slot.phase = has(Mistake::frees_with_parked) ? Phase::last_grace : Phase::parked;
            if (has(Mistake::frees_with_parked)) slot.waits = online_workers(s);
        }
        s.doing = slot.phase == Phase::parked ? Doing::reading : Doing::freeing;
        s.worker = s.sum = 0;
        return;
    }
    if (s.doing == Doing::reading) {
        s.sum = static_cast<std::uint8_t>(s.sum + s.workers[s.worker].counts[s.at]);
        if (++s.worker < kWorkers) return;
        const bool is_empty = s.sum == 0;
        s.worker = s.sum = 0;
        s.doing = Doing::freeing;
        if (!is_empty) return;
        slot.phase = Phase::last_grace;
        slot.waits = has(Mistake::no_last_grace) ? std::uint8_t{0} : online_workers(s);
        return;
    }
    if (slot.phase == Phase::last_grace && slot.waits == 0) free_slot(s, s.at);
    // Slots without a phase of their own need no step.
    do
        ++s.at;
    while (s.at < options.slots && s.slots[s.at].phase <= Phase::in_force);
    s.doing = Doing::checking;
    if (s.at >= options.slots) end_poll(s);
}

void M::end_poll(State& s) const {
    s.doing = Doing::nothing;
    s.at = s.retire = 0;
    std::uint8_t newest = UINT8_MAX;
    for (unsigned i = 0; i < kSlots; ++i) {
        const Slot& slot = s.slots[i];
        if (!is_old(slot.phase) || slot.due == 0 || slot.age >= newest) continue;
        if (has(Mistake::retires_in_grace) && slot.phase != Phase::grace) continue;
        newest = slot.age;
        s.retire = static_cast<std::uint8_t>(i + 1);
    }
}

void M::free_slot(State& s, unsigned freed) const {
    for (const Worker& worker : s.workers) {
        if (worker.held == freed + 1 || worker.reads == freed + 1 || worker.of == freed + 1)
            s.error = kFreedInUse;
    }
    const std::uint8_t age = s.slots[freed].age;
    s.slots[freed] = {};
    for (Slot& slot : s.slots) {
        if (slot.phase != Phase::free && slot.age > age) --slot.age;
    }
}

// ---- workers

bool M::worker_step(State& s, What what, unsigned w) const {
    Worker& me = s.workers[w];
    switch (what) {
        case What::load_early:
            if (!has(Mistake::loads_before_online) || me.place != Place::asleep) return false;
            me.held = s.pointer;
            me.place = Place::early;
            return true;
        case What::go_online:  // Worker::Impl::go_online
            if (has(Mistake::loads_before_online)) {
                if (me.place != Place::early) return false;
                me.place = Place::turn;
                return true;
            }
            if (me.place != Place::asleep) return false;
            me.place = Place::awake;
            return true;
        case What::begin_turn:  // Worker::Impl::begin_turn
            if (me.place != Place::awake) return false;
            me.held = s.pointer;
            me.place = Place::turn;
            return true;
        case What::go_offline:
            if (me.place != Place::awake) return false;
            me.place = Place::asleep;
            pass(s, w);
            return true;
        case What::end_turn:  // Worker::Impl::end_turn
            if (me.place != Place::turn) return false;
            me.held = me.reads = 0;
            me.place = Place::awake;
            pass(s, w);
            return true;
        default:
            return parked_step(s, what, w);
    }
}

bool M::parked_step(State& s, What what, unsigned w) const {
    if (!parked_action(s, what, w)) return false;
    const Worker& me = s.workers[w];
    for (unsigned slot = 0; slot < kSlots && me.place != Place::between; ++slot) {
        if (me.counts[slot] != (me.of == slot + 1 ? 1 : 0)) s.error = kWrongCount;
    }
    return true;
}

// What a worker does with parked queries in its turn. One turn reads records of one generation,
// beside the snapshot that it loaded: more turns do the rest.
bool M::parked_action(State& s, What what, unsigned w) const {
    Worker& me = s.workers[w];
    Worker& other = s.workers[1 - w];
    if (what == What::branch_rest) {
        if (me.place != Place::between) return false;
        count(s, w, me.of == 0 ? me.reads : me.of, has(Mistake::gives_before_takes) ? 1 : -1);
        me.of = me.reads;
        me.query = Ask::asked;
        me.place = Place::turn;
        return true;
    }
    if (me.place != Place::turn || me.held == 0) return false;
    const auto reads = [&](const Worker& record) {
        if (me.reads != 0 && me.reads != record.of) return false;
        me.reads = record.of;
        return true;
    };
    const auto give = [&] {
        count(s, w, me.of, -1);
        me.of = 0;
        me.query = Ask::none;
    };
    switch (what) {
        case What::park:  // Resolver::ask: ParkedPool::take, Forwarder::ask
            if (me.query != Ask::none) return false;
            me.of = me.held;
            me.query = Ask::asked;
            count(s, w, me.of, 1);
            return true;
        case What::read_ask:  // Forwarder::on_message at the worker that owns the hash
            if (other.query != Ask::asked || !reads(other)) return false;
            other.query = Ask::owned;
            return true;
        case What::send_reply:
            if (other.query != Ask::owned || !reads(other)) return false;
            other.query = Ask::replied;
            return true;
        case What::answer:  // Resolver::answered: ParkedPool::give
            if (me.query != Ask::replied || !reads(me)) return false;
            give();
            return true;
        case What::hold:
            if (me.query != Ask::replied || !reads(me)) return false;
            me.query = Ask::held;
            return true;
        case What::acknowledged:
            if (me.query != Ask::held || !reads(me)) return false;
            give();
            return true;
        case What::retired: {  // Resolver::tick
            if (me.query != Ask::held || s.retire == 0) return false;
            if (s.slots[me.of - 1U].age < s.slots[s.retire - 1U].age || !reads(me)) return false;
            if (!has(Mistake::retires_without_giving)) {
                give();
                return true;
            }
            me.of = 0;
            me.query = Ask::none;
            return true;
        }
        case What::branch:  // ParkedPool::take_branch, then give
            if (!options.branches || me.query != Ask::replied || !reads(me)) return false;
            count(s, w, me.of, has(Mistake::gives_before_takes) ? -1 : 1);
            if (has(Mistake::gives_before_takes)) me.of = 0;
            me.place = Place::between;
            return true;
        default:
            return false;
    }
}

// ---- judgement

const char* M::broken(const State& s) const {
    switch (s.error) {
        case kFreedInUse:
            return "a generation was freed while a worker or a parked query used it";
        case kSlotInUse:
            return "a snapshot was put into the slot of a generation that a parked query has";
        case kWrongCount:
            return "a worker's counts are not those of its parked queries";
        default:
            return nullptr;
    }
}

bool M::is_settled(const State& s) const {
    return s.doing == Doing::nothing && std::ranges::none_of(s.slots, [](const Slot& slot) {
               return slot.phase > Phase::in_force;
           });
}

bool M::settles(const Step& step) const {
    switch (step.what) {
        case What::publish:
        case What::park:
        case What::hold:
        case What::branch:
        case What::acknowledged:  // a router may never answer
            return false;
        default:
            return true;
    }
}

std::string M::text(const Step& step) const {
    static constexpr std::array kTexts{
        "publish()",
        "publish(), the rest",
        "poll()",
        "poll(), on",
        "kRetireAfterMs pass",
        "go_online()",
        "loads the snapshot early",
        "begin_turn()",
        "go_offline()",
        "take(), ask",
        "reads the other one's ask",
        "sends the reply",
        "answered, give()",
        "answered, holds it for the router",
        "answered, begins a branch",
        "branch: the second half",
        "acknowledged, give()",
        "retired, give()",
        "end_turn()",
    };
    const std::string text = kTexts[static_cast<std::size_t>(step.what)];
    if (step.what <= What::clock) return "control: " + text;
    return "worker " + std::to_string(step.worker) + ": " + text;
}

}  // namespace steer::models
