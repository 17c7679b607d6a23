#include "dataplane/policy/ops/learn_domain.h"

#include <cstring>

namespace steer {

void Body<Op::enter_learn>::learn(LiveRun& w, std::uint32_t learner) noexcept {
    const LearnDomain& l = w.snapshot().learners[learner];
    WorkerContext& worker = w.worker;
    const dns::Query& q = w.c.asked();
    if (worker.notes == nullptr || w.state().refresh || !l.learns_type(q.qtype)) return;
    if (!l.before && (!w.has_response() || !l.learns_answer(w.c.response.answer()))) return;
    if (w.tags().any_of(w.snapshot().tag_masks[l.known])) return;
    const std::uint64_t name = worker.hasher.of_name(q.name()).low;
    RecentNames& recent = l.recent[worker.number];
    if (recent.has(name, w.now.s())) return;
    if (!worker.has_room_for_bulk_notes()) {
        worker.counters.add(Stat::learned_dropped);
        return;
    }
    recent.put(name, w.now.s());
    Note& n = worker.note_room;
    n.kind = NoteKind::learned;
    n.generation = w.snapshot().generation;
    n.text = learner;
    n.qname_len = q.qname_len;
    std::memcpy(n.qname.data(), q.qname.data(), q.qname_len);
    worker.counters.add(worker.notes->push(n) ? Stat::notes_sent : Stat::learned_dropped);
}

}  // namespace steer
