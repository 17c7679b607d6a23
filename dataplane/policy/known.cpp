// What makes or changes an answer without waiting: black holes, tables of answers, TTLs, other questions.
#include <algorithm>
#include <cstring>

#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/executor.h"
#include "dataplane/policy/facts.h"

namespace steer {

bool Executor::answer_known(QueryContext& c, AnswerRef answer) noexcept {
    if (answer == kNoAnswer) return false;
    forget_lists(c.state);
    c.response.set_known(&c.snapshot.known.at(answer));
    return true;
}

bool Executor::answer_from_table(QueryContext& c, const AnswerTable& table) noexcept {
    return answer_known(c, table.find(c.asked().name(), c.query.qtype, c.query.qclass,
                                      c.snapshot.scratches[worker_]));
}

bool Executor::answer_live(QueryContext& c, const LiveAnswers& live, Now now) noexcept {
    const dns::Answer* const answer = live_answer(c, live);
    if (answer == nullptr) return false;
    const auto bytes = static_cast<std::uint32_t>(answer->size());
    Buffer* const buffer = buffers_.take(bytes);
    if (buffer == nullptr) return false;
    std::memcpy(buffer->room().data(), answer, bytes);
    buffer->length = bytes;
    buffer->born_ms = static_cast<std::int64_t>(now.ms);
    forget_lists(c.state);
    c.response.set_buffer(buffer);
    counters_.add(Stat::lease_answers);
    return true;
}

const dns::Answer* Executor::live_answer(const QueryContext& c,
                                         const LiveAnswers& live) const noexcept {
    const LiveTable* const table = live.table.load(std::memory_order_acquire);
    if (table == nullptr) return nullptr;
    return table->find(c.asked().name(), c.query.qtype, c.query.qclass,
                       c.snapshot.scratches[worker_]);
}

void Executor::change_ttls(QueryContext& c, const dns::TtlLimits& limits, Now now) noexcept {
    if (!c.response || c.response.answer().ttl_count == 0) return;
    if (!c.response.change_ttls(buffers_, limits, now)) counters_.add(Stat::ttls_unchanged);
}

bool Executor::answer_pointer(QueryContext& c, const ReverseLookup& reverse, Now now) noexcept {
    constexpr std::uint32_t kPointerTtl = 5;
    constexpr std::uint32_t kMostBytes = 512;  // of an answer with one name
    if (c.query.qtype != dns::kPtr || c.query.qclass != dns::kIn) return false;
    const auto address = address_in_name(c.asked().name());
    if (!address) return false;
    ReverseTable::Name name;
    const std::size_t length = reverse.table->find(*address, now.s(), name);
    if (length == 0) return false;
    Buffer* const buffer = buffers_.take(kMostBytes);
    if (buffer == nullptr) return false;
    buffer->length = static_cast<std::uint32_t>(
        dns::write_answer(buffer->room(), dns::kPtr, kPointerTtl, {name.data(), length}));
    buffer->born_ms = static_cast<std::int64_t>(now.ms);
    forget_lists(c.state);
    c.response.set_buffer(buffer);
    return true;
}

void Executor::leave_reverse(QueryContext& c, const ReverseLookup& reverse, Now now) noexcept {
    if (!c.response || c.response.answer().rcode != dns::kNoError) return;
    const dns::Answer& answer = c.response.answer();
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    const std::uint32_t age_s = c.response.age_s(now.s());
    const auto left_s = [&](std::uint32_t ttl_s) {
        return std::min(ttl_s > age_s ? ttl_s - age_s : 0, c.response.ttl_cap_s());
    };
    std::uint32_t longest_s = 0;
    for (unsigned i = 0; i < answer.address_count; ++i) {
        const dns::AddressRef& ref = answer.addresses()[i];
        const std::uint8_t* const bytes = answer.body() + ref.rdata_offset;
        const std::uint32_t ttl_s = left_s(dns::load_be32(bytes - 6));  // behind it the length
        longest_s = std::max(longest_s, ttl_s);
        reverse.table->learn(ref.is_v6 != 0 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes),
                             name, now.s() + std::min(ttl_s, reverse.ttl_s), now.s());
    }
    if (longest_s > reverse.ttl_s) change_ttls(c, {0, reverse.ttl_s}, now);
}

// ---- redirect

void Executor::question_changed(QueryContext& c) noexcept {
    c.rewrite_question();
    c.entry = nullptr;
    c.looked_up = -1;
    c.tags = nullptr;
    c.state.tag_set = 0;
}

void Executor::pop_rewrite(QueryContext& c) noexcept {
    ProgramState& s = c.state;
    s.rewrites.pop();
    s.answered_under = std::min(s.answered_under, static_cast<std::uint8_t>(s.rewrites.count()));
}

void Executor::fail_rewrite(QueryContext& c) noexcept {
    counters_.add(Stat::rewrite_failed);
    forget_lists(c.state);
    c.response.set_empty(dns::kServFail, dns::Ede::other);
}

// A stale answer that every forward gives is about the name that it was kept for.
void Executor::enter_redirect(QueryContext& c, const Redirect& redirect) noexcept {
    const auto name = c.asked().name();
    const std::uint32_t target = c.query.qclass == dns::kIn && c.stale == nullptr
                                     ? redirect.names.find(name, c.snapshot.scratches[worker_])
                                     : matchers::NameValues::kNone;
    if (target == matchers::NameValues::kNone ||
        std::ranges::equal(c.snapshot.redirect_targets[target], name)) {
        ++c.state.pc;
        return;
    }
    c.replay = nullptr;
    enter(c);
    c.state.rewrites.push(static_cast<std::uint16_t>(target));
    question_changed(c);
}

void Executor::leave_redirect(QueryContext& c, Now now) noexcept {
    ProgramState& s = c.state;
    const unsigned level = s.rewrites.count();
    const bool has_its_answer = c.response && s.answered_under == level;
    dns::Query room;
    const dns::Query& outer = c.asked_under(level - 1, room);
    const std::uint16_t word = s.rewrites[level - 1];
    const bool is_changed = word != Rewrites::kNothing;
    const auto& ttls = c.snapshot.redirect_ttls;
    if (has_its_answer && is_changed) {
        const dns::AliasTerms terms{.asked = c.asked().name(),
                                    .alias = outer.name(),
                                    .qtype = c.query.qtype,
                                    .with_cname = !is_failure(c.response.answer()),
                                    .cname_ttl_s = word < ttls.size() ? ttls[word] : 1,
                                    .age_s = c.response.age_s(now.s())};
        if (!c.response.put_alias(buffers_, terms, now)) fail_rewrite(c);
    }
    pop_rewrite(c);
    if (!is_changed) return;
    question_changed(c);
    if (c.snapshot.hit_reads_tags) match_name(c);  // a cache around remembers them
}

// ---- ecs_handler

// One around it that gave a subnet has decided.
void Executor::enter_ecs(QueryContext& c, std::uint32_t handler) noexcept {
    const dns::EcsFrom from = c.asked().ecs_from;
    const bool is_decided = from != dns::EcsFrom::client && from != dns::EcsFrom::nobody;
    if (c.query.qclass != dns::kIn || is_decided) {
        ++c.state.pc;
        return;
    }
    c.replay = nullptr;
    c.looked_up = -1;
    enter(c);
    c.state.rewrites.push(static_cast<std::uint16_t>(Rewrites::kFirstEcs + handler));
    c.rewrite_question();
    if (c.asked().ecs_from == dns::EcsFrom::forwarded) c.state.ecs = true;
}

// What was made for a preset is the same for all. What was made for the address is kept by no cache around: it goes by the
// subnet that the client sent, if by any.
void Executor::leave_ecs(QueryContext& c, Now now) noexcept {
    const dns::EcsFrom from = c.asked().ecs_from;
    const bool made_for_other = from == dns::EcsFrom::preset || from == dns::EcsFrom::address;
    const bool has_its_answer = c.response && c.state.answered_under == c.state.rewrites.count();
    if (made_for_other && has_its_answer && c.response.answer().ecs_scope != 0 &&
        !c.response.forget_scope(buffers_, from == dns::EcsFrom::address, now))
        fail_rewrite(c);
    pop_rewrite(c);
    c.looked_up = -1;
    c.rewrite_question();
}

}  // namespace steer
