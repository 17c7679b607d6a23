#include "dataplane/policy/executor.h"

#include <rte_debug.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/base/injected_texts.h"
#include "dataplane/policy/admit.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/entry_words.h"
#include "dataplane/policy/facts.h"

namespace steer {

Executor::Executor(unsigned worker, const cache::Cache* cache, const cache::KeyHasher& hasher,
                   BufferPools& buffers, CacheWriter& cache_writer, Ring<Note>* notes,
                   Counters& counters)
    : cache_(cache),
      hasher_(hasher),
      buffers_(buffers),
      cache_writer_(cache_writer),
      notes_(notes),
      counters_(counters),
      worker_(worker),
      random_(0x9e3779b97f4a7c15 * (worker + 1)) {}

inline bool Executor::holds(QueryContext& c, const Instruction& i, Now now) noexcept {
    const Snapshot& snapshot = c.snapshot;
    switch (i.op) {
        case Op::if_tags:
            return tags_of(c, now).any_of(snapshot.tag_masks[i.operand]);
        case Op::if_has_resp:
            return static_cast<bool>(c.response);
        case Op::if_true:
            return true;
        case Op::if_marks:
            return (c.state.marks & snapshot.mark_masks[i.operand]) != 0;
        case Op::if_type:
            return snapshot.has_number(i.operand, c.query.qtype);
        case Op::if_class:
            return snapshot.has_number(i.operand, c.query.qclass);
        case Op::if_rcode:
            return c.response && snapshot.has_number(i.operand, c.response.answer().rcode);
        case Op::if_response_address:
            return c.response &&
                   has_address_in(c.response.answer(), snapshot.prefix_sets[i.operand]);
        case Op::if_cname:
            return c.response && has_cname_in(c, snapshot.tag_masks[i.operand]);
        case Op::if_wanted_answer:
            return c.response && has_type(c.response.answer(), c.query.qtype);
        case Op::if_client:
            return snapshot.prefix_sets[i.operand].contains(c.client);
        case Op::if_name_address: {
            const auto address = address_in_name(c.asked().name());
            return address && snapshot.prefix_sets[i.operand].contains(*address);
        }
        case Op::if_rate:
            return takes_token(c, i.operand, now);
        case Op::if_text:
            return text_holds(c, snapshot.text_matches[i.operand]);
        case Op::if_random:
            return next_random() < i.operand;
            STEER_WRAPPERS(STEER_OP_CASE)
            STEER_ACTIONS(STEER_OP_CASE)
            break;
    }
    rte_panic("an instruction that is no test is asked whether it holds\n");
}

std::uint16_t Executor::next_of_test(QueryContext& c, const Instruction& i, Now now) noexcept {
    return holds(c, i, now) != i.negate ? static_cast<std::uint16_t>(c.state.pc + 1) : i.target;
}

Step Executor::run(QueryContext& c, Now now) noexcept {
    const Program& program = c.snapshot.program;
    std::uint16_t& pc = c.state.pc;
    for (;;) {
        const Instruction& i = program[pc];
        switch (i.op) {
            STEER_TESTS(STEER_OP_CASE)
            pc = next_of_test(c, i, now);
            break;
            case Op::mark:
                c.state.marks |= c.snapshot.mark_masks[i.operand];
                ++pc;
                break;
            case Op::go_to:
                pc = i.target;
                break;
            case Op::forward:
                if (stays_here(c, i)) {
                    answer_no_local(c);
                    if (i.short_circuit) return stop(c, now);
                    ++pc;
                    break;
                }
                if (c.stale != nullptr) {
                    forget_lists(c.state);
                    set_kept(c.response, c.stale, c.stale_ttl_s, now);
                    if (i.short_circuit) return stop(c, now);
                    ++pc;
                    break;
                }
                if (c.replay == nullptr) {
                    c.group = static_cast<std::uint16_t>(i.operand);
                    return Step::asks;
                }
                forget_lists(c.state);
                set_kept(c.response, std::exchange(c.replay, nullptr), 0, now);
                if (i.short_circuit) return stop(c, now);
                ++pc;
                break;
            case Op::sleep:
                ++pc;
                if (c.stale != nullptr || i.operand == 0) break;  // that one waited long enough
                c.sleep_ms = i.operand;
                return Step::sleeps;
            case Op::fallback:
                if (c.stale == nullptr) return Step::branches;
                run_branches_stale(c, now);
                if (c.state.dropped || (c.response && i.short_circuit)) return stop(c, now);
                ++pc;
                break;
            case Op::enter_cache:
                if (enter_cache(c, i, now)) return stop(c, now);
                break;
            case Op::enter_prefer:
                if (const auto step = enter_prefer(c, i, now)) return *step;
                break;
            case Op::enter_dns64:
                if (const auto step = enter_dns64(c)) return *step;
                break;
            case Op::enter_pointer64:
                enter_pointer64(c);
                break;
            case Op::enter_list:
            case Op::enter_summary:
            case Op::enter_reverse:
                enter(c);
                break;
            case Op::enter_collector:
                if (!c.state.refresh)
                    c.snapshot.collectors[i.operand]->of_worker(worker_).entered.add();
                enter(c);
                break;
            case Op::enter_ecs:
                enter_ecs(c, i.operand);
                break;
            case Op::enter_options:
                enter(c);
                c.state.rewrites.push(
                    static_cast<std::uint16_t>(Rewrites::kFirstOptions + i.operand));
                break;
            case Op::enter_redirect:
                enter_redirect(c, c.snapshot.redirects[i.operand]);
                break;
            case Op::answer_pointer:
                pc = answer_pointer(c, c.snapshot.reverse[i.operand], now)
                         ? i.target
                         : static_cast<std::uint16_t>(pc + 1);
                break;
            case Op::debug_print:
                note(c, NoteKind::debug, i.operand, now);
                ++pc;
                break;
            case Op::raise:
                c.snapshot.tasks[i.operand]->raise();
                ++pc;
                break;
            case Op::claim_list:
                leave_list(c, static_cast<std::uint8_t>(i.operand), now);
                ++pc;
                break;
            case Op::drop_response:
                forget_lists(c.state);
                c.response.clear();
                ++pc;
                break;
            case Op::limit_ttls:
                change_ttls(c, c.snapshot.ttl_limits[i.operand], now);
                ++pc;
                break;
            case Op::black_hole:
                answer_known(c,
                             c.snapshot.black_holes[i.operand].of(c.query.qtype, c.query.qclass));
                if (i.short_circuit) return stop(c, now);
                ++pc;
                break;
            case Op::static_records:
                if (const auto step = static_records(c, i, now)) return *step;
                break;
            case Op::enter_rpz:
                if (const auto step = enter_rpz(c, i, now)) return *step;
                break;
            case Op::ad_list:
                if (deny_name(c, c.snapshot.ad_lists[i.operand], now)) return stop(c, now);
                pc = i.target;
                break;
            case Op::answer_table:
                if (answer_from_table(c, c.snapshot.answer_tables[i.operand]) && i.short_circuit)
                    return stop(c, now);
                ++pc;
                break;
            case Op::live_answers:
                if (answer_live(c, *c.snapshot.live_answers[i.operand], now) && i.short_circuit)
                    return stop(c, now);
                ++pc;
                break;
            case Op::reject:
                forget_lists(c.state);
                c.response.set_empty(static_cast<std::uint8_t>(i.operand));
                return stop(c, now);
            case Op::drop:
                forget_lists(c.state);
                c.response.clear();
                c.state.dropped = true;
                return stop(c, now);
            case Op::stop:
                return stop(c, now);
            case Op::sequence_end: {
                const PolicyEnd end = leave_instance(c, i.instance, now);
                if (end == PolicyEnd::renamed) break;
                if (end == PolicyEnd::answered) return stop(c, now);
                if ((c.state.refresh || c.state.rest) && c.state.depth == 0) return finish(c, now);
                ++pc;
                break;
            }
            case Op::end:
                return stop(c, now);
        }
    }
}

Step Executor::resume(QueryContext& c, Buffer* answer, dns::Ede why, Now now) noexcept {
    const bool failed = answer == nullptr || is_failure(answer->answer());
    if (failed && resume_stale(c, now)) {
        release(answer);
        return Step::answered;
    }
    const Instruction& i = c.snapshot.program[c.state.pc];
    forget_lists(c.state);
    if (answer == nullptr) {
        c.response.set_empty(dns::kServFail, why);
        c.failed = true;
        return stop(c, now);
    }
    c.response.set_buffer(answer);
    c.response.pass_options(c.state.rewrites.options());
    if (i.short_circuit) return stop(c, now);
    ++c.state.pc;
    return run(c, now);
}

void Executor::abandon(const Snapshot& snapshot, const ProgramState& s) noexcept {
    for (unsigned d = 0; d < s.depth && !s.refresh; ++d) {
        const Instruction& i = snapshot.program[s.wrappers[d]];
        if (i.op != Op::enter_collector) continue;
        Collector::Counts& counts = snapshot.collectors[i.operand]->of_worker(worker_);
        counts.left.add();
        counts.errors.add();
    }
}

ProgramState Executor::refresh_state(const ProgramState& s, std::uint16_t pc,
                                     const Rewrites& rewrites) noexcept {
    ProgramState r;
    r.pc = static_cast<std::uint16_t>(pc + 1);
    r.wrappers[r.depth++] = pc;
    r.marks = s.marks;
    r.rewrites = rewrites;
    if (rewrites.count() == 0 && s.rewrites.count() == 0) r.tag_set = s.tag_set;
    r.ecs = s.ecs;
    r.refresh = true;
    return r;
}

ProgramState Executor::refresh_state_of(const Snapshot& snapshot, const ProgramState& s) noexcept {
    const auto keeps_stale = [&](std::uint16_t pc) {
        const Instruction& i = snapshot.program[pc];
        return i.op == Op::enter_cache && snapshot.caches[i.operand].stale.most_s > 0;
    };
    unsigned first = 0;
    while (first < s.depth && !keeps_stale(s.wrappers[first]))
        ++first;
    ProgramState r = s;
    r.refresh = true;
    r.stale_wait_ms = 0;
    r.depth = static_cast<std::uint8_t>(s.depth - first);
    const unsigned base = r.depth > 0 ? s.list_base[first] : s.list_count;
    for (unsigned d = 0; d < r.depth; ++d) {
        r.wrappers[d] = s.wrappers[first + d];
        r.list_base[d] = static_cast<std::uint8_t>(s.list_base[first + d] - base);
    }
    r.list_count = static_cast<std::uint8_t>(s.list_count - base);
    std::copy(s.lists.begin() + base, s.lists.begin() + s.list_count, r.lists.begin());
    return r;
}

// Leaves all wrappers, last first, and ends the program.
Step Executor::stop(QueryContext& c, Now now) noexcept {
    c.state.stopped = true;
    while (c.state.depth > 0) {
        if (leave_one(c, now) != PolicyEnd::renamed) continue;
        c.state.stopped = false;
        return run(c, now);
    }
    return finish(c, now);
}

Step Executor::finish(QueryContext& c, Now now) noexcept {
    if (!c.response && !c.state.unit && !c.state.dropped) {
        c.response.set_empty(dns::kNoError, dns::Ede::other);
        counters_.add(Stat::end_without_answer);
    }
    if (c.snapshot.inherited != nullptr && c.response && !c.state.unit) pass_on(c, now);
    return Step::answered;
}

void Executor::enter(QueryContext& c) noexcept {
    ProgramState& s = c.state;
    RTE_VERIFY(s.depth < kMaxWrappers);  // the builder refuses deeper programs
    s.list_base[s.depth] = s.list_count;
    s.wrappers[s.depth++] = s.pc++;
}

Executor::PolicyEnd Executor::leave_instance(QueryContext& c, std::uint16_t instance,
                                             Now now) noexcept {
    const Program& program = c.snapshot.program;
    const ProgramState& s = c.state;
    while (s.depth > 0 && program[s.wrappers[s.depth - 1U]].instance >= instance) {
        const PolicyEnd end = leave_one(c, now);
        if (end != PolicyEnd::passed) return end;
    }
    return PolicyEnd::passed;
}

Executor::PolicyEnd Executor::leave_one(QueryContext& c, Now now) noexcept {
    ProgramState& s = c.state;
    --s.depth;
    const Instruction& i = c.snapshot.program[s.wrappers[s.depth]];
    switch (i.op) {
        case Op::enter_cache:
            leave_cache(c, i.operand, s.list_base[s.depth], now);
            if (s.lacks_family() && !in_guarded_cache(c.snapshot.program, s))
                answer_without_family(c, now);
            break;
        case Op::enter_prefer:
            leave_prefer(c, i.operand, now);
            break;
        case Op::enter_dns64:
            leave_dns64(c, c.snapshot.dns64s[i.operand], now);
            break;
        case Op::enter_list:
            leave_list(c, static_cast<std::uint8_t>(i.operand), now);
            break;
        case Op::static_records:
            leave_static(c, c.snapshot.statics[i.operand], now);
            break;
        case Op::enter_rpz:
            return leave_rpz(c, c.snapshot.rpzs[i.operand], s.wrappers[s.depth], now);
        case Op::enter_ecs:
            leave_ecs(c, now);
            break;
        case Op::enter_options:
            pop_rewrite(c);
            break;
        case Op::enter_redirect:
        case Op::enter_pointer64:
            leave_redirect(c, now);
            break;
        case Op::enter_reverse:
            leave_reverse(c, c.snapshot.reverse[i.operand], now);
            break;
        case Op::enter_collector: {
            const bool failed =
                !s.dropped && (!c.response || c.response.answer().rcode == dns::kServFail);
            if (!s.refresh)
                c.snapshot.collectors[i.operand]->of_worker(worker_).leave(failed,
                                                                           now.ms - c.started_ms);
            break;
        }
        case Op::enter_summary:
            note(c, NoteKind::summary, i.operand, now);
            break;
            STEER_TESTS(STEER_OP_CASE)
            STEER_ACTIONS(STEER_OP_CASE)
            rte_panic("the program wraps by an instruction that is no wrapper\n");
    }
    return PolicyEnd::passed;
}

// Claims the addresses that are in the answer now (NOERROR only).
void Executor::leave_list(QueryContext& c, std::uint8_t index, Now now) noexcept {
    if (!c.response || c.response.answer().rcode != dns::kNoError) return;
    const PolicyList& list = c.snapshot.lists[index];
    if (is_dns64_probe(c)) {  // its addresses become others, which are claimed
        if (c.response.answer().address_count > 0) add_list(c.state, index);
        return;
    }
    if (const MissingFamilies missing = missing_families(list, c.query.qtype); missing.any()) {
        const bool hints = is_hints_type(c.query.qtype);
        if (!hints) forget_lists(c.state);
        c.state.lacks_v4 = c.state.lacks_v4 || missing.v4;
        c.state.lacks_v6 = c.state.lacks_v6 || missing.v6;
        if (!in_guarded_cache(c.snapshot.program, c.state)) answer_without_family(c, now);
        if (!hints) return;
    }
    const bool is_empty = c.state.lacks_family() && !is_hints_type(c.query.qtype);
    if (!is_empty && has_claimable_family(list, c.response.answer())) add_list(c.state, index);
}

bool Executor::claim_hit(const Snapshot& snapshot, const Plan& plan, const cache::Entry& hit,
                         HitLists& out) noexcept {
    add_lists_of(hit, snapshot, out);
    const dns::Answer& answer = hit.answer();
    for (unsigned l = 0; l < plan.hit_list_count && answer.rcode == dns::kNoError; ++l) {
        const PolicyList& list = snapshot.lists[plan.hit_lists[l]];
        if (missing_families(list, hit.qtype).any()) return false;
        if (has_claimable_family(list, answer)) add_list(out, plan.hit_lists[l]);
    }
    return true;
}

const matchers::TagBits& Executor::tags_of(QueryContext& c, Now now) noexcept {
    if (c.tags != nullptr) return *c.tags;
    c.tags = c.snapshot.tag_sets->find(c.state.tag_set);
    if (c.tags == nullptr) match_name(c);
    if (c.snapshot.inherited != nullptr) add_inherited(c, now);
    return *c.tags;
}

const Plan* Executor::plan(const Snapshot& snapshot, const dns::Query& q,
                           std::uint8_t entry) noexcept {
    if (!snapshot.plans_by_name) return &snapshot.plans[entry];
    matchers::TagBits without_id;
    const std::uint32_t tag_set = tag_set_of(snapshot, q.name(), without_id);
    return plan(snapshot, tag_word(snapshot.generation, tag_set), entry);
}

[[gnu::noinline]] const Plan* Executor::make(const Snapshot& snapshot, std::uint64_t tags,
                                             std::uint8_t entry) noexcept {
    Plan* const plan = plans_.find(tags, entry);
    if (plan == nullptr || (plan->tags == tags && plan->entry == entry)) return plan;
    const matchers::TagBits* const sets = snapshot.tag_sets->find(static_cast<std::uint32_t>(tags));
    if (sets == nullptr) return nullptr;
    counters_.add(Stat::plans_made);
    *plan = make_plan(snapshot, *sets, entry);
    plan->tags = tags;
    return plan;
}

std::uint32_t Executor::tag_set_of(const Snapshot& snapshot, std::span<const std::uint8_t> qname,
                                   matchers::TagBits& without_id) noexcept {
    const cache::Key name = hasher_.of_name(qname);
    if (const std::uint32_t known = memo_.find(name, snapshot.generation)) {
        counters_.add(Stat::name_memo_hits);
        return known;
    }
    counters_.add(Stat::name_matches);
    without_id = {};
    if (snapshot.names != nullptr)
        without_id = snapshot.names->match(qname, snapshot.scratches[worker_]);
    const std::uint32_t id = snapshot.tag_sets->intern(without_id);
    if (id != 0) memo_.put(name, snapshot.generation, id);
    return id;
}

void Executor::match_name(QueryContext& c) noexcept {
    const Snapshot& snapshot = c.snapshot;
    const std::uint32_t id = tag_set_of(snapshot, c.asked().name(), c.own_tags);
    c.tags = id != 0 ? snapshot.tag_sets->find(id) : &c.own_tags;
    c.state.tag_set = id;
    if (id != 0 && c.entry != nullptr) remember_tags(*c.entry, snapshot.generation, id);
}

bool Executor::has_cname_in(const QueryContext& c, const matchers::TagBits& mask) const noexcept {
    if (c.snapshot.names == nullptr) return false;
    dns::Query room;
    PointedNames targets(c.response.answer(), c.asked_under(c.state.answered_under, room).name(),
                         PointedNames::Of::cname);
    for (auto name = targets.next(); !name.empty(); name = targets.next()) {
        if (c.snapshot.names->match(name, c.snapshot.scratches[worker_]).any_of(mask)) return true;
    }
    return false;
}

// Out of line, for its room.
[[gnu::noinline]] bool Executor::text_holds(const QueryContext& c,
                                            const TextMatch& match) const noexcept {
    TextRoom room;
    std::string_view text;
    switch (match.of) {
        case TextMatch::Of::client:
            text = address_text(c.client, room);
            break;
        case TextMatch::Of::response:
            if (c.response) text = addresses_text(c.response.answer(), room);
            break;
        case TextMatch::Of::marks:
            text = marks_text(c.snapshot.marks, c.state.marks, room);
            break;
        case TextMatch::Of::server_name:
            if (c.injected != nullptr) text = texts_of(*c.injected).server_name;
            break;
        case TextMatch::Of::url_path:
            if (c.injected != nullptr) text = texts_of(*c.injected).url_path;
            break;
    }
    return match.test.holds(text, worker_);
}

// A refresh is of nobody, and a forwarder of many.
bool Executor::takes_token(const QueryContext& c, std::uint32_t limiter, Now now) const noexcept {
    return c.state.refresh || c.snapshot.trusted_forwarders.contains(c.client) ||
           c.snapshot.rate_limiters[limiter].take(c.client, hasher_, now);
}

// Marsaglia's xorshift64*: chance, not a secret.
std::uint32_t Executor::next_random() noexcept {
    random_ ^= random_ >> 12;
    random_ ^= random_ << 25;
    random_ ^= random_ >> 27;
    return static_cast<std::uint32_t>((random_ * 0x2545f4914f6cdd1d) >> 32);
}

void Executor::note(QueryContext& c, NoteKind kind, std::uint32_t text, Now now) noexcept {
    if (notes_ == nullptr) return;
    if (notes_->room() == 0) {
        counters_.add(Stat::notes_dropped);
        return;
    }
    Note& n = note_;
    // That of the response, whose names lean on it.
    dns::Query room;
    const dns::Query& q = c.response ? c.asked_under(c.state.answered_under, room) : c.asked();
    const std::uint8_t* const qname = &q == &c.query ? c.qname_as_sent : q.qname.data();
    n.kind = kind;
    n.has_response = c.response ? 1 : 0;
    n.rcode = c.response ? c.response.answer().rcode : 0;
    n.qname_len = q.qname_len;
    n.generation = c.snapshot.generation;
    n.text = text;
    n.elapsed_ms = static_cast<std::uint32_t>(now.ms - c.started_ms);
    n.client = c.client;
    n.client_port = c.client_port;
    n.qtype = q.qtype;
    n.qclass = q.qclass;
    n.response_bytes = 0;
    std::memcpy(n.qname.data(), qname, q.qname_len);
    if (kind == NoteKind::debug && c.response) {
        std::uint8_t* const message = n.response.data();
        dns::store_be16(message, q.id);
        dns::store_be16(message + 4, 1);
        std::memcpy(message + dns::kHeaderSize, qname, q.qname_len);
        dns::store_be16(message + dns::kHeaderSize + q.qname_len, q.qtype);
        dns::store_be16(message + dns::kHeaderSize + q.qname_len + 2, q.qclass);
        bool truncated = false;
        const dns::ReplyOptions options{.age_s = c.response.age_s(now.s()), .max_size = kNoteBytes};
        n.response_bytes = static_cast<std::uint16_t>(
            dns::write_reply(n.response, q, c.response.answer(), options, truncated));
    }
    counters_.add(notes_->push(n) ? Stat::notes_sent : Stat::notes_dropped);
}

}  // namespace steer
