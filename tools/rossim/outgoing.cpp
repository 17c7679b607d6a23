#include "tools/rossim/outgoing.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rossim {

void Outgoing::send(Output output, std::int64_t now_us) {
    if (holding_) {
        held_.push_back(std::move(output));
    } else if (delay_us_ == 0) {
        arrive(std::move(output), now_us);
    } else {
        in_flight_.push_back({now_us + delay_us_, std::move(output)});
    }
}

void Outgoing::release(std::int64_t now_us) {
    holding_ = false;
    for (Output& output : std::exchange(held_, {}))
        send(std::move(output), now_us);
}

void Outgoing::drip(SessionId session, std::int64_t byte_us, std::optional<std::int64_t> until_us,
                    std::int64_t now_us) {
    Drip& drip = drips_[session];  // one that drips already keeps its bytes
    drip.byte_us = std::max<std::int64_t>(byte_us, 1);
    drip.until_us = until_us;
    drip.next_us = now_us + drip.byte_us;
}

void Outgoing::forget(SessionId session) {
    ready_.erase(session);
    drips_.erase(session);
    std::erase_if(held_, [session](const Output& output) { return output.session == session; });
}

void Outgoing::clear() {
    holding_ = false;
    held_.clear();
    in_flight_.clear();
    drips_.clear();
    ready_.clear();
}

std::optional<std::int64_t> Outgoing::next_event_us() const {
    std::optional<std::int64_t> next;
    const auto consider = [&next](std::int64_t at_us) {
        if (!next || at_us < *next) next = at_us;
    };
    if (!in_flight_.empty()) consider(in_flight_.front().due_us);
    for (const auto& [session, drip] : drips_) {
        if (drip.until_us) consider(*drip.until_us);
        if (!drip.empty()) consider(drip.next_us);
    }
    return next;
}

void Outgoing::run(std::int64_t now_us) {
    while (!in_flight_.empty() && in_flight_.front().due_us <= now_us) {
        arrive(std::move(in_flight_.front().output), now_us);
        in_flight_.pop_front();
    }
    for (auto it = drips_.begin(); it != drips_.end();) {
        it = run_drip(it->first, it->second, now_us) ? std::next(it) : drips_.erase(it);
    }
}

bool Outgoing::run_drip(SessionId session, Drip& drip, std::int64_t now_us) {
    const bool over = drip.until_us && *drip.until_us <= now_us;
    const std::size_t begin = drip.gone;
    while (!drip.empty() && (over || drip.next_us <= now_us)) {
        ++drip.gone;
        drip.next_us += drip.byte_us;
    }
    if (drip.gone > begin) hand_over({session, drip.bytes.substr(begin, drip.gone - begin)});
    if (drip.empty()) {
        drip.bytes.clear();
        drip.gone = 0;
    }
    return !over;
}

void Outgoing::arrive(Output output, std::int64_t now_us) {
    const auto it = drips_.find(output.session);
    if (it == drips_.end()) {
        hand_over(std::move(output));
        return;
    }
    Drip& drip = it->second;
    if (drip.empty()) drip.next_us = now_us + drip.byte_us;
    drip.bytes += output.bytes;
    if (!output.close) return;
    output.bytes = drip.bytes.substr(drip.gone);  // what is left of it goes with the end
    drips_.erase(it);
    hand_over(std::move(output));
}

void Outgoing::hand_over(Output output) {
    bytes_out_ += output.bytes.size();
    Output& ready = ready_[output.session];
    ready.session = output.session;
    ready.close |= output.close;
    ready.reset |= output.reset;
    if (ready.bytes.empty()) {
        ready.bytes = std::move(output.bytes);
    } else {
        ready.bytes += output.bytes;
    }
}

std::vector<Output> Outgoing::take() {
    std::vector<Output> outputs;
    outputs.reserve(ready_.size());
    for (auto& [id, output] : ready_)
        outputs.push_back(std::move(output));
    ready_.clear();
    return outputs;
}

}  // namespace rossim
