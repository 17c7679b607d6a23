// What is told about a router on request, and the removal of our own rows at shutdown.
#include <algorithm>

#include "routeros/engine.h"

namespace steer::routeros {

std::string_view label(RouterState state) {
    switch (state) {
#define STEER_ROUTER_STATE_LABEL(name, text, meaning) \
    case RouterState::name:                           \
        return text;
        STEER_ROUTER_STATES(STEER_ROUTER_STATE_LABEL)
#undef STEER_ROUTER_STATE_LABEL
    }
    return {};
}

void Router::Engine::cleanup(std::uint64_t now_ms) {
    now_ = now_ms;
    cleaning_ = true;
    settle_away(nullptr);
    tell_away();
    writer_.drop_queued();
    lookups_.clear();
    rows_.for_each([&](const Row& row) {
        if (!row.written_here || row.owner != Owner::ours || row.is_gone(now_)) return;
        writer_.put({row.place, WriteKind::remove, WriteClass::repair, row.id, 0, now_}, now_);
    });
    run();
}

bool Router::Engine::cleaned() const {
    return cleaning_ && (state_ != RouterState::in_sync || writer_.places() == 0);
}

void Router::Engine::request_reprint(std::uint64_t now_ms) {
    now_ = now_ms;
    if (state_ == RouterState::in_sync) reprint_ms_ = reprint_due_ms_ = now_;
    run();
}

RouterStatus Router::Engine::status() const {
    RouterStatus s;
    s.state = state_;
    s.away =
        state_ != RouterState::in_sync ||
        std::any_of(lists_.begin(), lists_.end(), [](const auto& l) { return l.second.stalled; });
    s.version = version_;
    s.board = board_;
    s.boot_ms =
        boot_known_ ? static_cast<std::uint64_t>(std::max<std::int64_t>(boot_high_ms_, 1)) : 0;
    s.trouble = trouble_;
    s.claims = claims_.size();
    s.rows_ours = rows_.count(Owner::ours);
    s.rows_orphaned = rows_.count(Owner::orphan);
    s.rows_foreign = rows_.count(Owner::foreign);
    s.rows_blocked = refusals_.size();
    s.held = holds_.size();
    s.queued = writer_.queued();
    s.in_flight = writer_.sentences_in_flight();
    s.service_us = writer_.service_us();
    s.rtt_ms = rtt_ms_;
    return s;
}

std::vector<OrphanRow> Router::Engine::orphans() const {
    std::vector<OrphanRow> out;
    rows_.for_each([&](const Row& row) {
        if (row.owner != Owner::orphan) return;
        out.push_back({names_[row.place.name].text, row.place.address.to_string(), row.comment});
    });
    return out;
}

}  // namespace steer::routeros
