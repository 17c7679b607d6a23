#include "dataplane/policy/worker_context.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/policy/entry_words.h"
#include "dataplane/policy/facts.h"

namespace steer {

const matchers::TagBits& WorkerContext::tags_of(QueryContext& c, Now now) noexcept {
    if (c.tags != nullptr) return *c.tags;
    c.tags = c.snapshot.tag_sets->find(c.state.tag_set);
    if (c.tags == nullptr) match_name(c);
    if (c.snapshot.inherited != nullptr) add_inherited(c, now);
    return *c.tags;
}

void WorkerContext::tag_sets_of(const Snapshot& snapshot, std::span<const matchers::WireName> names,
                                std::span<std::uint32_t> ids,
                                std::span<matchers::TagBits> without_id) noexcept {
    std::array<cache::Key, matchers::kMaxNames> keys;
    std::array<matchers::WireName, matchers::kMaxNames> unknown;
    std::array<std::size_t, matchers::kMaxNames> places;  // in `names`
    std::size_t n = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        keys[n] = hasher.of_name(names[i]);
        ids[i] = memo.find(keys[n], snapshot.generation);
        if (ids[i] != 0) continue;
        unknown[n] = names[i];
        places[n++] = i;
    }
    if (n < names.size()) counters.add(Stat::name_memo_hits, names.size() - n);
    if (n == 0) return;
    counters.add(Stat::name_matches, n);
    std::array<matchers::TagBits, matchers::kMaxNames> tags;  // begin without a set
    if (snapshot.names != nullptr)
        snapshot.names->match({unknown.data(), n}, snapshot.scratches[number], tags);
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t id = snapshot.tag_sets->intern(tags[i]);
        ids[places[i]] = id;
        if (id != 0)
            memo.put(keys[i], snapshot.generation, id);
        else
            without_id[places[i]] = tags[i];
    }
}

std::uint32_t WorkerContext::tag_set_of(const Snapshot& snapshot, matchers::WireName name,
                                        matchers::TagBits& without_id) noexcept {
    std::uint32_t id = 0;
    tag_sets_of(snapshot, {&name, 1}, {&id, 1}, {&without_id, 1});
    return id;
}

void WorkerContext::match_name(QueryContext& c) noexcept {
    const Snapshot& snapshot = c.snapshot;
    const std::uint32_t id = tag_set_of(snapshot, c.asked().name(), c.own_tags);
    c.tags = id != 0 ? snapshot.tag_sets->find(id) : &c.own_tags;
    c.state.tag_set = id;
    if (id != 0 && c.entry != nullptr) remember_tags(*c.entry, snapshot.generation, id);
}

// Sets from rules are remembered with the name; inherited sets are looked up each time, because they expire.
void WorkerContext::add_inherited(QueryContext& c, Now now) noexcept {
    matchers::TagBits sets = *c.tags;
    add_inherited(c.snapshot, c.asked().name(), now, sets);
    if (sets == *c.tags) return;
    c.own_tags = sets;
    c.tags = &c.own_tags;
}

void WorkerContext::add_inherited(const Snapshot& snapshot, std::span<const std::uint8_t> name,
                                  Now now, matchers::TagBits& sets) noexcept {
    snapshot.inherited->for_each(hasher.of_name(name).low, now.s(), [&](std::uint16_t inherited) {
        for (const Inheriting& set : snapshot.inheriting) {
            if (set.number == inherited) sets.set(set.own);
        }
    });
}

// The names that a leaving answer points to get the sets of its own name, for the answer's life.
void WorkerContext::pass_on(QueryContext& c, Now now) noexcept {
    if (c.response.answer().rcode != dns::kNoError) return;
    const matchers::TagBits& tags = tags_of(c, now);
    if (!tags.any_of(c.snapshot.all_inheriting)) return;
    PointedNames targets(c.response.answer(), c.query.name(), PointedNames::Of::all);
    const std::uint32_t age_s = c.response.age_s(now.s());
    for (auto name = targets.next(); !name.empty(); name = targets.next()) {
        const std::uint32_t ttl_s = targets.ttl_s();
        const std::uint32_t left_s =
            std::min(ttl_s > age_s ? ttl_s - age_s : 0, c.response.ttl_cap_s());
        const cache::Key key = hasher.of_name(name);
        for (const Inheriting& set : c.snapshot.inheriting) {
            if (!tags.any_of(set.sets)) continue;
            c.snapshot.inherited->learn(key.low, set.number, now.s() + left_s, now.s());
            counters.add(Stat::names_inherited);
        }
    }
}

// Marsaglia's xorshift64*: random, but not secret.
std::uint32_t WorkerContext::next_random() noexcept {
    random ^= random >> 12;
    random ^= random << 25;
    random ^= random >> 27;
    return static_cast<std::uint32_t>((random * 0x2545f4914f6cdd1d) >> 32);
}

void WorkerContext::note(QueryContext& c, NoteKind kind, std::uint32_t text, Now now) noexcept {
    if (notes == nullptr) return;
    if (notes->room() == 0) {
        counters.add(Stat::notes_dropped);
        return;
    }
    Note& n = note_room;
    // The TTL of the response, which owns the names.
    dns::Query room;
    const dns::Query& q = c.response ? c.asked_under(c.state.answered_under, room) : c.asked();
    const std::uint8_t* const qname = &q == &c.query ? c.qname_as_sent : q.qname.data();
    n.kind = kind;
    n.has_response = c.response ? 1 : 0;
    n.rcode = c.response ? c.response.answer().rcode : 0;
    n.qname_len = q.qname_len;
    n.generation = c.snapshot.generation;
    n.text = text;
    n.elapsed_ms = static_cast<std::uint32_t>((now.micros() - c.started_us) / 1000);
    n.client = c.client.address;
    n.client_port = c.client.port;
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
    counters.add(notes->push(n) ? Stat::notes_sent : Stat::notes_dropped);
}

}  // namespace steer
