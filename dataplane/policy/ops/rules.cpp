#include "dataplane/policy/ops/rules.h"

#include "dataplane/policy/client_device.h"
#include "matchers/prefix/mac_address.h"

namespace steer {
namespace {

// The rule for the client's question, whatever name is asked for in its place. nullptr: none.
const NameRule* find_rule(const LiveRun& w, std::uint64_t plugin, std::uint64_t list,
                          bool is_legal = false) {
    const QueryContext& c = w.c;
    if (c.snapshot.rules == nullptr || c.state.refresh) return nullptr;
    const NameRules* const table = c.snapshot.rules->table.load(std::memory_order_acquire);
    if (table == nullptr) return nullptr;
    return table->find({.name = c.query.name(),
                        .client = c.client.address,
                        .lease = lease_of_client(c),
                        .frame_mac = mac_number(c.client.mac.data()),
                        .now_s = w.now.s(),
                        .plugin = plugin,
                        .list = list,
                        .is_legal = is_legal});
}

}  // namespace

const NameRule* rule_that_allows(const LiveRun& w, std::uint64_t plugin, std::uint64_t list,
                                 bool is_legal) noexcept {
    const NameRule* const rule = find_rule(w, plugin, list, is_legal);
    return rule != nullptr && rule->allows ? rule : nullptr;
}

void note_pass(LiveRun& w, const NameRule& rule) noexcept {
    w.state().note_passed(true);
    w.state().by_rule = true;
    w.state().is_of_client = w.state().is_of_client || !rule.may_be_cached;
    w.worker.counters.add(Stat::rules_allowed);
}

bool a_rule_allows_all(const LiveRun& w) noexcept {
    const NameRule* const rule = find_rule(w, 0, 0);
    return rule != nullptr && rule->allows && rule->may_be_cached;
}

bool pass_by_rule(LiveRun& w, std::uint64_t plugin, std::uint64_t list, bool is_legal) noexcept {
    const NameRule* const rule = rule_that_allows(w, plugin, list, is_legal);
    if (rule == nullptr) return false;
    note_pass(w, *rule);
    return true;
}

MaybeStep Body<Op::rules>::run(LiveRun& w, const Instruction& /*i*/) noexcept {
    const NameRule* const rule = find_rule(w, 0, 0);
    if (rule == nullptr || rule->allows) return w.next();
    const dns::Query& q = w.c.query;
    w.worker.counters.add(Stat::rules_blocked);
    w.give(w.snapshot().black_holes[w.snapshot().rules_black_hole].of(q.qtype, q.qclass));
    w.c.response.set_ede(dns::Ede::blocked);
    return w.stop();
}

}  // namespace steer
