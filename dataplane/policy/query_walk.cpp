#include "dataplane/policy/query_walk.h"

#include <algorithm>

#include "dataplane/base/injected_texts.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/facts.h"
#include "dataplane/policy/missing_families.h"

namespace steer {

bool QueryWalk::has_cname_in(const matchers::TagBits& mask) const noexcept {
    if (c.snapshot.names == nullptr) return false;
    dns::Query room;
    PointedNames targets(c.response.answer(), c.asked_under(c.state.answered_under, room).name(),
                         PointedNames::Of::cname);
    for (auto name = targets.next(); !name.empty(); name = targets.next()) {
        if (c.snapshot.names->match(name, c.snapshot.scratches[worker.number]).any_of(mask))
            return true;
    }
    return false;
}

// Out of line, because it needs stack.
[[gnu::noinline]] bool QueryWalk::text_holds(const TextMatch& match) const noexcept {
    TextRoom room;
    std::string_view text;
    switch (match.of) {
        case TextMatch::Of::client:
            text = address_text(c.client.address, room);
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
    return match.test.holds(text, worker.number);
}

// A refresh has no client, and a forwarder many.
bool QueryWalk::takes_token(std::uint32_t limiter) const noexcept {
    return c.state.refresh || c.snapshot.trusted_forwarders.contains(c.client.address) ||
           c.snapshot.rate_limiters[limiter].take(c.client.address, worker.hasher, now);
}

void QueryWalk::enter() noexcept {
    ProgramState& s = c.state;
    RTE_VERIFY(s.depth < kMaxWrappers);  // the builder refuses deeper programs
    s.list_base.set(s.depth, s.list_count);
    s.wrappers[s.depth++] = s.pc++;
}

void QueryWalk::drop_response() noexcept {
    forget_response(c.state);
    c.response.clear();
}

void QueryWalk::claim(std::uint8_t index) noexcept {
    if (!c.response || c.response.answer().rcode != dns::kNoError) return;
    const PolicyList& list = c.snapshot.lists[index];
    if (is_dns64_probe(c)) {  // its translated addresses are claimed instead
        if (c.response.answer().address_count > 0) add_list(c.state, index);
        return;
    }
    if (const MissingFamilies missing = missing_families(list, c.query.qtype, c.response.answer());
        missing.any()) {
        const bool hints = is_hints_type(c.query.qtype);
        if (!hints) forget_lists(c.state);
        c.state.lacks_v4 = c.state.lacks_v4 || missing.v4;
        c.state.lacks_v6 = c.state.lacks_v6 || missing.v6;
        if (!in_guarded_cache(c)) answer_without_family(*this);
        if (!hints) return;
    }
    const bool is_empty = c.state.lacks_family() && !is_hints_type(c.query.qtype);
    if (!is_empty && has_claimable_family(list, c.response.answer())) add_list(c.state, index);
}

void QueryWalk::enter_rewrite(std::uint16_t word) noexcept {
    enter();
    c.state.rewrites.push(word);
}

void QueryWalk::pop_rewrite() noexcept {
    ProgramState& s = c.state;
    s.rewrites.pop();
    s.answered_under = std::min(s.answered_under, static_cast<std::uint8_t>(s.rewrites.count()));
}

void QueryWalk::question_changed() noexcept {
    c.rewrite_question();
    c.entry = nullptr;
    c.lookup_cache = -1;
    c.tags = nullptr;
    c.state.tag_set = 0;
}

}  // namespace steer
