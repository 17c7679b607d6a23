#include "dataplane/event/claims.h"

#include <algorithm>

#include "dataplane/event/claim_word.h"
#include "dataplane/event/claimable.h"

namespace steer {
namespace {

constexpr unsigned kMaxTokens = 255;  // Parked::holds_left

std::uint32_t ttl_left_s(const LeavingAnswer& a) {
    const std::uint32_t left_s =
        a.answer.address_ttl_s > a.age_s ? a.answer.address_ttl_s - a.age_s : 0;
    return std::min(left_s, a.ttl_cap_s);
}

// The next second: an answer that is covered from then on is covered now.
std::uint32_t next_second(Now now) {
    return static_cast<std::uint32_t>((now.ms + 999) / 1000);
}

// A TTL that the list's rows can cover.
std::uint32_t wanted_by(const PolicyList& list, std::uint32_t wanted_ttl_s) {
    return std::min(wanted_ttl_s, ttl_limit_s(list));
}

// Above the limit clients outlive the row anyway, so no cap is needed for its countdown.
bool may_lower(const PolicyList& list, std::uint32_t ttl_s) {
    return list.cap_answer_ttl || ttl_s > ttl_limit_s(list);
}

unsigned events_for(const PolicyList& list, const dns::Answer& answer) {
    unsigned addresses = 0;
    for_each_claimable(list, answer, [&](const IpAddress&) { ++addresses; });
    return static_cast<unsigned>((addresses + kEventAddresses - 1) / kEventAddresses);
}

// The terms from the lists' settings and the answer's TTL, before rows are checked.
LeaveTerms begin_terms(const LeavingAnswer& a) {
    LeaveTerms terms;
    terms.ttl_cap_s = a.ttl_cap_s;
    for (const auto index : a.lists) {
        const PolicyList& list = a.snapshot.lists[index];
        if (list.cap_answer_ttl) terms.ttl_cap_s = std::min(terms.ttl_cap_s, ttl_limit_s(list));
    }
    terms.wanted_ttl_s = std::min(ttl_left_s(a), terms.ttl_cap_s);
    return terms;
}

void remember(const cache::Entry* entry, ClaimWord word) {
    // The claim word and the tags are the only parts of an entry that readers write.
    const_cast<cache::Entry*>(entry)->claim.store(word.pack(), std::memory_order_relaxed);
}

}  // namespace

Claims::Claims(unsigned worker, const RowBoard& board, const ListStates& lists,
               Ring<Event>* to_routers, Counters& counters)
    : board_(board),
      lists_(lists),
      to_routers_(to_routers),
      counters_(counters),
      worker_(static_cast<std::uint8_t>(worker)) {}

bool Claims::settle_covered(const LeavingAnswer& a, Now now, LeaveTerms& terms) noexcept {
    terms = {};
    if (a.lists.empty() || to_routers_ == nullptr) return true;
    terms = begin_terms(a);
    if (a.entry == nullptr || !covered_by_word(a, ttl_left_s(a), now, terms)) return false;
    count_covered();
    return true;
}

LeaveTerms Claims::settle(const LeavingAnswer& a, Now now) noexcept {
    LeaveTerms terms;
    if (settle_covered(a, now, terms)) return terms;
    decide(a, now, terms);
    return terms;
}

void Claims::decide(const LeavingAnswer& a, Now now, LeaveTerms& terms) noexcept {
    // Before the row board is asked, and before the event: an epoch or a refusal in between takes the word back.
    const std::uint32_t stamp = a.entry != nullptr ? stamp_of(a, false) : 0;
    const std::uint32_t pending_stamp = a.entry != nullptr ? stamp_of(a, true) : 0;
    const std::uint32_t until_s = ask_board(a, ttl_left_s(a), now, terms);
    const bool may_remember = a.entry != nullptr && !terms.skips && !terms.refused;
    if (terms.raise_mask == 0) {
        if (!terms.refused) counters_.add(Stat::claims_covered);
        if (may_remember) remember(a.entry, {until_s, stamp, 0});
        return;
    }
    unsigned events = 0;
    for (unsigned i = 0; i < a.lists.size(); ++i) {
        if ((terms.raise_mask >> i) & 1)
            events += events_for(a.snapshot.lists[a.lists[i]], a.answer);
    }
    if (to_routers_->room() < events) return full_ring(a, terms);
    if (terms.leave != Leave::now) terms.hold_mask = 0;  // it ends at once: no answer waits
    if (terms.hold_mask != 0) {
        terms.leave = Leave::hold;
        return;
    }
    raise(a, terms, 0, now);
    if (may_remember && terms.leave == Leave::now) {
        const auto second = static_cast<std::uint8_t>(now.s());
        remember(a.entry, {until_s, pending_stamp, second, true});
    }
}

std::uint32_t Claims::known_of(const PolicyList& list, ListId id, bool is_pending) const noexcept {
    // No step of one number equals one of another.
    constexpr std::uint32_t kOdd = 0x9e3779b1, kOtherOdd = 0x85ebca6b;
    const ListState& state = lists_[id];
    std::uint32_t known = state.epoch();
    if (!is_pending || list.synchronous) known += kOtherOdd * state.losses();
    if (is_pending) known += kOdd * state.failures();
    return known;
}

std::uint32_t Claims::stamp_of(const LeavingAnswer& a, bool is_pending) const noexcept {
    std::uint64_t stamp = 0;
    for (const auto index : a.lists) {
        const PolicyList& list = a.snapshot.lists[index];
        const ListId id = list.id_for(a.client);
        stamp = mix_stamp(stamp, id, known_of(list, id, is_pending));
    }
    return finish_stamp(stamp);
}

// One loop over the lists: this is most hits of the policy.
bool Claims::covered_by_word(const LeavingAnswer& a, std::uint32_t ttl_s, Now now,
                             LeaveTerms& terms) const noexcept {
    const ClaimWord word = ClaimWord::unpack(a.entry->claim.load(std::memory_order_relaxed));
    std::uint32_t wanted_s = terms.wanted_ttl_s;
    std::uint64_t stamp = 0;
    bool lower = true, capped = false;
    for (const auto index : a.lists) {
        const PolicyList& list = a.snapshot.lists[index];
        const ListId id = list.id_for(a.client);
        stamp = mix_stamp(stamp, id, known_of(list, id, word.is_pending));
        wanted_s = wanted_by(list, wanted_s);
        lower = lower && may_lower(list, ttl_s);
        capped = capped || list.cap_answer_ttl;
    }
    if (word.stamp != finish_stamp(stamp)) return false;
    const Coverage c = coverage(wanted_s, next_second(now), word.ttl_until_s, lower);
    const bool asked_already =
        c.cover == Cover::ending && word.raised == static_cast<std::uint8_t>(now.s());
    if (c.cover == Cover::none || (c.cover == Cover::ending && !asked_already)) return false;
    if (c.cover != Cover::covered && capped) terms.ttl_cap_s = std::min(terms.ttl_cap_s, c.ttl_s);
    return true;
}

Claims::Known Claims::lookup(const PolicyList& list, const LeavingAnswer& a, Now now,
                             LeaveTerms& terms) const noexcept {
    const ListId id = list.id_for(a.client);
    const std::uint32_t epoch = lists_[id].epoch();
    const bool has_marks = may_have_marks(id, now);
    const bool has_lost_marks = has_marks && lost_marks(id, now);
    Known known{kNoLimit, Refusal::none};
    for_each_claimable(list, a.answer, [&](const IpAddress& address) {
        if (list.shared == Sharing::skip && board_.is_skipped(id, address, now.s())) {
            terms.skips = true;
            return;
        }
        const std::uint32_t until_s = ttl_until_s(list, board_.installed_until(id, address, epoch));
        if (has_marks && until_s <= now.s()) {
            Refusal refusal = board_.refusal(id, address, a.qname, a.client, now.s());
            if (refusal == Refusal::none && has_lost_marks) refusal = Refusal::old;
            if (refusal != Refusal::none && known.refusal != Refusal::stands)
                known.refusal = refusal;
            if (refusal == Refusal::stands) return;  // it is not claimed now
        }
        known.until_s = std::min(known.until_s, until_s);
    });
    return known;
}

std::uint32_t Claims::ask_board(const LeavingAnswer& a, std::uint32_t ttl_s, Now now,
                                LeaveTerms& terms) noexcept {
    std::uint32_t all_until_s = kNoLimit;
    for (unsigned i = 0; i < a.lists.size(); ++i) {
        const PolicyList& list = a.snapshot.lists[a.lists[i]];
        const auto bit = static_cast<std::uint8_t>(1U << i);
        const std::uint32_t wanted_s = wanted_by(list, terms.wanted_ttl_s);
        const Known known = lookup(list, a, now, terms);
        std::uint32_t until_s = known.until_s;
        const Coverage c = coverage(wanted_s, next_second(now), until_s, may_lower(list, ttl_s));
        const bool has_time =
            c.cover == Cover::lowered || (c.cover == Cover::ending && list.synchronous);
        if (has_time && list.cap_answer_ttl) terms.ttl_cap_s = std::min(terms.ttl_cap_s, c.ttl_s);
        bool is_awaited = false;
        if (c.cover == Cover::ending || c.cover == Cover::none) {
            terms.raise_mask |= bit;
            const bool row_is_there = c.cover == Cover::ending && list.cap_answer_ttl;
            if (list.synchronous && !row_is_there) is_awaited = wait_for(list, a, bit, terms);
            if (!list.synchronous || !row_is_there) {
                const std::uint32_t life_s = row_life_s(list, ttl_s, wanted_s);
                until_s = life_s == 0 ? kNoLimit : ttl_until_s(list, now.s() + life_s);
                until_s = std::min(until_s, now.s() + wanted_s);  // the claim's lease
            }
        }
        if (known.refusal != Refusal::none) [[unlikely]] {
            terms.refused = true;
            terms.refused_mask |= bit;
            // What an answer waits for says whether it is refused again.
            if (known.refusal == Refusal::stands)
                obey_on_full(list.on_full, terms);
            else if (!is_awaited)
                obey_on_full(std::min(list.on_full, OnFull::cap_ttl), terms);
        }
        all_until_s = std::min(all_until_s, until_s);
    }
    return all_until_s;
}

void Claims::obey_on_full(OnFull on_full, LeaveTerms& terms) noexcept {
    terms.obeys_on_full = true;
    terms.obeyed = std::max(terms.obeyed, on_full);
    if (on_full == OnFull::cap_ttl) terms.ttl_cap_s = std::min(terms.ttl_cap_s, kRefusalStandsS);
    if (on_full == OnFull::servfail && terms.leave == Leave::now) terms.leave = Leave::servfail;
}

void Claims::count_full(OnFull on_full) noexcept {
    switch (on_full) {
        case OnFull::answer:
            return counters_.add(Stat::full_answered);
        case OnFull::cap_ttl:
            return counters_.add(Stat::full_capped);
        case OnFull::servfail:
            return counters_.add(Stat::full_servfail);
    }
}

// The row is missing and must exist before the answer leaves, unless the answer does not wait for its
// router. True: it waits.
bool Claims::wait_for(const PolicyList& list, const LeavingAnswer& a, std::uint8_t bit,
                      LeaveTerms& terms) noexcept {
    if (!lists_[list.id_for(a.client)].away.load(std::memory_order_relaxed)) {
        terms.hold_mask |= bit;
        terms.on_timeout = std::max(terms.on_timeout, list.on_timeout);
        terms.on_full = std::max(terms.on_full, list.on_full);
        terms.sync_timeout_ms = std::max(terms.sync_timeout_ms, list.sync_timeout_ms);
        return true;
    }
    counters_.add(Stat::hold_router_away);
    if (list.on_timeout == OnTimeout::drop) terms.leave = Leave::drop;
    if (list.on_timeout == OnTimeout::servfail && terms.leave == Leave::now)
        terms.leave = Leave::servfail;
    return false;
}

void Claims::full_ring(const LeavingAnswer& a, LeaveTerms& terms) noexcept {
    counters_.add(Stat::events_ring_full);
    if (terms.leave != Leave::now) return;
    if (a.entry != nullptr && terms.hold_mask == 0) return;  // the next hit raises it
    terms.leave = Leave::wait_for_ring;
    for (unsigned i = 0; i < a.lists.size(); ++i) {
        if (((terms.raise_mask >> i) & 1) == 0) continue;
        terms.sync_timeout_ms =
            std::max(terms.sync_timeout_ms, a.snapshot.lists[a.lists[i]].sync_timeout_ms);
    }
}

unsigned Claims::raise(const LeavingAnswer& a, const LeaveTerms& terms, std::uint64_t hold_token,
                       Now now) noexcept {
    unsigned tokens = 0;
    for (unsigned i = 0; i < a.lists.size(); ++i) {
        if (((terms.raise_mask >> i) & 1) == 0) continue;
        const bool waited_for = (terms.hold_mask >> i) & 1;
        const PolicyList& list = a.snapshot.lists[a.lists[i]];
        tokens += push_events(list, a, wanted_by(list, terms.wanted_ttl_s),
                              waited_for ? hold_token : 0, kMaxTokens - tokens, now);
    }
    return tokens;
}

// Fills the fields that all events of an answer share.
void Claims::name_event(const PolicyList& list, const LeavingAnswer& a, Now now) noexcept {
    Event& e = event_;
    e.raised_ms = now.ms;
    e.list = list.id_for(a.client);
    e.worker = worker_;
    e.count = 0;
    e.has_client = !a.snapshot.trusted_forwarders.contains(a.client);
    e.client = a.client;
    e.name_len = static_cast<std::uint8_t>(a.qname.size());
    std::copy(a.qname.begin(), a.qname.end(), e.name.begin());
}

void Claims::note_shortened(const LeavingAnswer& a, const PolicyList& list, Now now) noexcept {
    counters_.add(Stat::answers_shortened);
    if (to_routers_ == nullptr || shortened_s_ == now.s()) return;
    shortened_s_ = now.s();
    name_event(list, a, now);
    event_.kind = EventKind::shortened;
    event_.hold_token = 0;
    [[maybe_unused]] const bool sent = to_routers_->push(event_);  // lost if the ring is full
    event_.kind = EventKind::claim;
}

unsigned Claims::push_events(const PolicyList& list, const LeavingAnswer& a,
                             std::uint32_t wanted_ttl_s, std::uint64_t hold_token,
                             unsigned tokens_left, Now now) noexcept {
    unsigned tokens = 0;
    Event& e = event_;
    name_event(list, a, now);
    e.lease_end_ms = now.ms + (std::uint64_t{wanted_ttl_s} + list.extra_time_s) * 1000;
    e.row_life_s = row_life_s(list, ttl_left_s(a), wanted_ttl_s);
    e.skips_shared = list.shared == Sharing::skip;
    const auto push = [&] {
        e.hold_token = tokens < tokens_left ? hold_token : 0;
        if (to_routers_->push(e)) {
            counters_.add(Stat::events_raised);
            if (e.hold_token != 0) ++tokens;
        }
        e.count = 0;
    };
    // An answer that waits gets a result for each of its events.
    const bool leaves_out = hold_token == 0 && may_have_marks(e.list, now);
    for_each_claimable(list, a.answer, [&](const IpAddress& address) {
        if (leaves_out &&
            board_.refusal(e.list, address, a.qname, a.client, now.s()) == Refusal::stands)
            return;
        e.addresses[e.count++] = address;
        if (e.count == kEventAddresses) push();
    });
    if (e.count > 0) push();
    return tokens;
}

}  // namespace steer
