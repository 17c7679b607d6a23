// The process of SetSink: what it is sent, and what it says.
#include <string>
#include <string_view>
#include <utility>

#include "control/sinks/kernel_sets/set_sink.h"
#include "control/sinks/set_process/program.h"

namespace steer::kernel_sets {

// ---- its life

void SetSink::child_began() {
    has_claims_ = false;
    full_sets_.clear();
    say_plans();
    flush();
}

void SetSink::child_failed(const ChildFailure& failure) {
    if (std::exchange(error_, failure.why) != failure.why)
        log_(sets::Level::warning, failure.sentence("sets of the kernel are not filled"));
    for (const sets::SetPlan& plan : plans_)
        notify_away(plan.list);
    shown_.ended(plans_, failure.why);
}

// Messages to an ended process are lost.
void SetSink::child_ended() {
    has_routes_ &= !plans_.empty();
    if (!has_claims_) return;
    for (const sets::SetPlan& plan : plans_)
        observer_.epoch(*this, plan.list);
}

// ---- what it is sent

bool SetSink::send_plans() {
    while (!plans_out_.empty()) {
        if (!child_.send(plans_out_.front())) return false;
        plans_out_.pop_front();
    }
    return true;
}

bool SetSink::send_claims() {
    while (!claims_.empty()) {
        const auto rows = claims_.first(sets::kMostClaims);
        const auto part = sets::fitting(rows);
        if (!child_.send(sets::encode_claims(number_, part))) return false;
        has_claims_ = true;
        claims_.drop_first(part.size());
    }
    return true;
}

// ---- what it says

bool SetSink::take_message(std::string_view bytes) {
    auto message = sets::decode(bytes);
    if (!message) return false;
    const bool is_current = message->plans == number_;
    if (auto* const state = std::get_if<sets::SetState>(&message->what)) {
        if (is_current) take_state(std::move(*state));
    } else if (const auto* const written = std::get_if<sets::WrittenRows>(&message->what)) {
        for (const sets::Installed& row : written->rows) {
            if (is_current) observer_.installed(*this, row.list, row.address, row.until_s);
            settle(held_.written(row), Outcome::installed);
        }
    } else if (const auto* const refused = std::get_if<sets::RefusedRows>(&message->what)) {
        for (const sets::RefusedRow& row : refused->rows) {
            if (is_current) take_refused(row);
            settle(held_.refused(row.claim.what), Outcome::refused);
        }
    } else if (const auto* const lost = std::get_if<sets::LostLists>(&message->what)) {
        for (const ListId list : lost->lists) {
            observer_.epoch(*this, list);
            settle(held_.end(list), Outcome::failed);
        }
    } else if (const auto* const line = std::get_if<sets::LogLine>(&message->what)) {
        log_(line->level, line->text);
    } else {
        return false;
    }
    return true;
}

void SetSink::take_state(sets::SetState state) {
    if (state.index == 0) incoming_.clear();
    if (state.index != incoming_.size()) return;  // its first states belong to other plans
    write_us_ = state.write_us;
    if (state.total > 0) incoming_.push_back(std::move(state.status));
    if (incoming_.size() < state.total) return;
    if (!std::exchange(error_, {}).empty())
        log_(sets::Level::info, std::string(sets::kProgramName) + " runs again");
    notify_ready(incoming_);
    heal_full(incoming_);
    if (const auto most_ms = static_cast<std::uint64_t>(kMaxHold.count()); now_ms_ > most_ms)
        settle(held_.end_before(now_ms_ - most_ms), Outcome::failed);
    shown_.here(std::exchange(incoming_, {}));
}

}  // namespace steer::kernel_sets
