// What makes or changes an answer without waiting: black holes, tables of answers, TTLs.
#include "dataplane/policy/executor.h"

namespace steer {

bool Executor::answer_known(QueryContext& c, AnswerRef answer) noexcept {
    if (answer == kNoAnswer) return false;
    c.state.list_count = 0;  // as forget_lists(): what was claimed was for another answer
    c.state.list_base = {};
    c.response.set_known(&c.snapshot.known.at(answer));
    return true;
}

bool Executor::answer_from_table(QueryContext& c, const AnswerTable& table) noexcept {
    return answer_known(c, table.find(c.query.name(), c.query.qtype, c.query.qclass,
                                      c.snapshot.scratches[worker_]));
}

void Executor::change_ttls(QueryContext& c, const dns::TtlLimits& limits, Now now) noexcept {
    if (!c.response || c.response.answer().ttl_count == 0) return;
    if (!c.response.change_ttls(buffers_, limits, now)) counters_.add(Stat::ttls_unchanged);
}

}  // namespace steer
