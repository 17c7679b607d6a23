#include "dataplane/policy/ops/rpz.h"

#include <cstring>

#include "dataplane/policy/facts.h"
#include "dataplane/policy/ops/redirect.h"
#include "dataplane/policy/ops/rules.h"

namespace steer {
namespace {

// Enters the instruction at the program counter for another name: a word of Rewrites.
Left ask_for_other_name(LiveRun& w, std::uint16_t word, std::uint8_t part) {
    QueryContext& c = w.c;
    const auto name = c.asked().name();
    const RedirectTarget target = c.snapshot.redirect_target(word);
    // A stale answer used by every forward belongs to the name that it was cached for.
    if (c.stale != nullptr ||
        (target.is_below && name.size() - 1 + target.name.size() > UINT8_MAX)) {
        w.fail_rewrite();
        return Left::answered;
    }
    w.drop_response();
    c.replay = nullptr;
    c.failed = false;
    c.state.note_passed(false, part);
    w.enter_rewrite(word);
    w.question_changed();
    return Left::renamed;
}

// A note for the log of matches.
void note_match(LiveRun& w, std::uint32_t rpz, const Rpz::Found& found, const Rpz::Action& action) {
    WorkerContext& worker = w.worker;
    if (worker.notes == nullptr || w.state().refresh) return;
    if (!worker.has_room_for_bulk_notes()) {
        worker.counters.add(Stat::notes_dropped);
        return;
    }
    const QueryContext& c = w.c;
    Note& n = worker.note_room;
    n.kind = NoteKind::policy;
    n.generation = c.snapshot.generation;
    n.text = rpz;
    n.zone = static_cast<std::uint16_t>(found.zone);
    n.trigger = static_cast<std::uint8_t>(found.trigger);
    n.action = static_cast<std::uint8_t>(action.does);
    n.has_response = 0;
    n.rcode = 0;
    if (action.answer != kNoAnswer) {
        const AnswerStore& answers =
            found.live == nullptr ? c.snapshot.known : found.live->at(found.action).of.answers;
        n.rcode = answers.at(action.answer).rcode;
    }
    n.client = c.client.address;
    n.client_port = c.client.port;
    n.qtype = c.query.qtype;
    n.qclass = c.query.qclass;
    n.qname_len = c.query.qname_len;
    std::memcpy(n.qname.data(), c.query.qname.data(), c.query.qname_len);
    worker.counters.add(worker.notes->push(n) ? Stat::notes_sent : Stat::notes_dropped);
}

// The answer of an action: of the snapshot, or a copy from a zone that may be replaced at any time.
void give_answer(LiveRun& w, const Rpz::Found& found, AnswerRef answer) {
    if (found.live == nullptr) {
        w.give(answer);
    } else if (!w.give_copy(found.live->at(found.action).of.answers.at(answer))) {
        w.give_empty(dns::kServFail);
    }
}

Left apply(LiveRun& w, const Rpz& rpz, std::uint32_t number, const Rpz::Found& found) {
    QueryContext& c = w.c;
    using Does = Rpz::Action::Does;
    const Rpz::Action& action = rpz.action_of(found);
    const Rpz::Zone& zone = rpz.zones[found.zone];
    const auto part =
        static_cast<std::uint8_t>(std::min<std::uint32_t>(found.zone, ProgramState::kNoPart));
    zone.matches->count(w.worker.number);
    if (rpz.logs) note_match(w, number, found, action);
    AnswerRef answer = action.answer;
    switch (action.does) {
        case Does::passthru:
            w.worker.counters.add(Stat::rpz_passed);
            c.state.note_passed(true, part);
            return Left::passed;
        case Does::drop:
            w.worker.counters.add(Stat::rpz_dropped);
            w.drop_response();
            c.state.dropped = true;
            c.state.note_maker(part);
            return Left::answered;
        case Does::tcp_only:
            if (c.state.over_tcp) {
                w.worker.counters.add(Stat::rpz_passed);
                return Left::passed;
            }
            w.worker.counters.add(Stat::rpz_truncated);
            break;
        case Does::deny:
            w.worker.counters.add(Stat::rpz_denied);
            break;
        case Does::records:
            w.worker.counters.add(Stat::rpz_answered);
            if (const AnswerRef own = answer_for(action, rpz.typed_of(found), c.query.qtype);
                own != kNoAnswer)
                answer = own;
            break;
        case Does::alias:
            w.worker.counters.add(Stat::rpz_renamed);
            if (c.query.qtype != dns::kCname || answer == kNoAnswer)
                return ask_for_other_name(w, action.alias, part);
            break;
    }
    c.replay = nullptr;
    give_answer(w, found, answer);
    c.failed = false;
    // A client that asks again over TCP gets the answer.
    if (action.does == Does::tcp_only) return Left::answered;
    c.state.note_maker(part);
    if (!rpz.is_authority) c.response.set_ede(zone.notice.code);
    return Left::answered;
}

// A search that passes what rules of people end. An exception of a zone stays one.
class Search {
  public:
    Search(LiveRun& w, const Rpz& rpz) : w_(w), rpz_(rpz) {}

    // Of the name and the client alone.
    Rpz::Found question() {
        return rpz_.find_question(scope(0, UINT32_MAX), w_.c.client.address, w_.c.asked().name(),
                                  w_.scratch());
    }
    // Of these and of the answer: the legal zones, then the others.
    Rpz::Found policy() {
        if (rpz_.legal_zones > 0) {
            if (const Rpz::Found found = policy(scope(0, rpz_.legal_zones))) return found;
        }
        return policy(scope(rpz_.legal_zones, UINT32_MAX));
    }
    // Notes the rule by which something was passed.
    void note() const {
        if (passed_ == nullptr) return;
        w_.worker.counters.add(Stat::rpz_passed);
        note_pass(w_, *passed_);
    }

  private:
    Rpz::Scope scope(std::uint32_t from, std::uint32_t before) {
        return {from, before, rpz_.is_authority ? nullptr : &is_ended, this};
    }
    static bool is_ended(const void* of, const Rpz::Found& found) {
        const auto& search = *static_cast<const Search*>(of);
        const Rpz::Zone& zone = search.rpz_.zones[found.zone];
        if (search.rpz_.action_of(found).does == Rpz::Action::Does::passthru) return false;
        const NameRule* const rule =
            rule_that_allows(search.w_, search.rpz_.id, zone.id, zone.is_legal);
        if (rule != nullptr) search.passed_ = rule;
        return rule != nullptr;
    }

    // First the name and client of the question, then the answer's chain; at each name the zones in
    // their order.
    Rpz::Found policy(const Rpz::Scope& scope) {
        const QueryContext& c = w_.c;
        auto& scratch = w_.scratch();
        const Rpz::Found of_question =
            rpz_.find_question(scope, c.client.address, c.asked().name(), scratch);
        if (!c.response) return of_question;
        const dns::Answer& answer = c.response.answer();
        const auto find_address = [&](const Rpz::Found& other) {
            const Rpz::Found found =
                rpz_.find_address(other ? scope.until(other.zone) : scope, answer);
            return found ? found : other;
        };
        dns::Query room;
        PointedNames targets(answer, c.asked_under(c.state.answered_under, room).name(),
                             PointedNames::Of::cname);
        auto target = targets.next();
        if (target.empty()) return find_address(of_question);
        if (of_question) return of_question;
        Rpz::Found of_name;
        for (; !target.empty() && !of_name; target = targets.next())
            of_name = rpz_.find_name(scope, target, scratch);
        // Addresses belong to the last name.
        return target.empty() ? find_address(of_name) : of_name;
    }

    LiveRun& w_;
    const Rpz& rpz_;
    mutable const NameRule* passed_ = nullptr;
};

// An earlier zone may have an action for the answer, or a legal one for what another lets pass.
bool waits_for_answer(const Rpz& rpz, const Rpz::Found& found) {
    if (!rpz.asks_answers) return false;
    if (!found || rpz.asks_answers_before(found.zone)) return true;
    using Does = Rpz::Action::Does;
    const Does does = rpz.action_of(found).does;
    return found.zone >= rpz.legal_zones && (does == Does::passthru || does == Does::tcp_only) &&
           rpz.legal_asks_answers();
}

bool in_policed_cache(const Program& program, const ProgramState& s) {
    for (unsigned d = 0; d < s.depth; ++d) {
        if (program[s.wrappers[d]].policed) return true;
    }
    return false;
}

}  // namespace

MaybeStep Body<Op::enter_rpz>::run(LiveRun& w, const Instruction& i) noexcept {
    const Rpz& rpz = w.snapshot().rpzs[i.operand];
    if (w.c.query.qclass != dns::kIn) return w.next();
    if (rpz.is_authority && rpz.zones.front().load() == nullptr) {
        w.give_empty(dns::kServFail);
        return w.stop();
    }
    Search search(w, rpz);
    const Rpz::Found found = search.question();
    if (waits_for_answer(rpz, found)) {
        w.enter_rewrite(Rewrites::kNothing);
        return std::nullopt;
    }
    search.note();
    const Left end = found ? apply(w, rpz, i.operand, found) : Left::passed;
    if (end == Left::answered) return w.stop();
    return end == Left::passed ? w.next() : std::nullopt;
}

Left Body<Op::enter_rpz>::leave(LiveRun& w, const Instruction& i) noexcept {
    const Rpz& rpz = w.snapshot().rpzs[i.operand];
    ProgramState& s = w.state();
    if (s.rewrites[s.rewrites.count() - 1] != Rewrites::kNothing) {
        leave_renamed(w);
        const bool is_kept = w.has_response() && in_policed_cache(w.snapshot().program, s);
        if (is_kept && !w.c.response.forget_scope(w.worker.buffers, true, w.now)) w.fail_rewrite();
        return Left::passed;
    }
    w.pop_rewrite();
    if (s.dropped) return Left::passed;
    Search search(w, rpz);
    const Rpz::Found found = search.policy();
    search.note();
    if (!found) return Left::passed;
    const std::uint16_t at = s.pc;
    s.pc = s.wrappers[s.depth];  // where it is entered again for another name
    const Left end = apply(w, rpz, i.operand, found);
    if (end != Left::renamed) s.pc = at;
    return end;
}

}  // namespace steer
