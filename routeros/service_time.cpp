#include "routeros/service_time.h"

#include <algorithm>
#include <utility>

namespace steer::routeros {

namespace {

// Microseconds on an RB5009 (published measurements): a sentence, and each row of it.
constexpr double kSentenceUs = 300, kAddUs = 1000, kSetUs = 1000, kRemoveUs = 2500;
constexpr double kScriptRowUs = 15;  // of a script, in addition to the add
// Enough work, in enough replies, to update the estimate: long sentences run in parallel on the router, and
// then end together.
constexpr double kRunUs = 20'000;
constexpr unsigned kRunReplies = 8;
constexpr double kRunWeight = 0.3, kMostRise = 1 + 1 / kRunWeight;  // then one run doubles it
constexpr double kLeastFactor = 0.05, kMostFactor = 200;

}  // namespace

double ServiceTime::units_us(WriteKind kind, std::size_t rows) {
    const double row = kind == WriteKind::add      ? kAddUs
                       : kind == WriteKind::remove ? kRemoveUs
                                                   : kSetUs;
    const bool is_script = kind == WriteKind::add && rows > 1;
    return kSentenceUs + (row + (is_script ? kScriptRowUs : 0)) * static_cast<double>(rows);
}

double ServiceTime::sentence_us(WriteKind kind, std::size_t rows) const {
    return units_us(kind, rows) * factor_;
}

void ServiceTime::set_measuring(bool on) {
    measuring_ = on;
    clear();
}

void ServiceTime::clear() {
    sent_ms_.clear();
    last_reply_ms_ = 0;
    busy_ms_ = busy_units_us_ = 0;
    busy_replies_ = 0;
}

void ServiceTime::sent(std::uint64_t now_ms) {
    if (measuring_) sent_ms_.insert(now_ms);
}

void ServiceTime::fold(double busy_ms, double units_us, double weight) {
    const double factor = std::clamp(busy_ms * 1000 / units_us, kLeastFactor, kMostFactor);
    factor_ = factor_ * (1 - weight) + factor * weight;
    sampled_ = true;
}

// The mean of all replies so far; the assumption counts as an add.
void ServiceTime::fold_early(double busy_ms, double units_us) {
    early_ms_ += busy_ms;
    early_units_us_ += units_us;
    const double add_us = ServiceTime::units_us(WriteKind::add, 1);
    factor_ = std::clamp((kAssumed * add_us + early_ms_ * 1000) / (add_us + early_units_us_),
                         kLeastFactor, kMostFactor);
    sampled_ = true;
}

// The round trip was measured with a sentence, which the router has to work for, too.
double ServiceTime::network_ms() const {
    return std::max(0.0, static_cast<double>(rtt_ms_) - kSentenceUs * factor_ / 1000);
}

std::uint64_t ServiceTime::worked_ms(std::uint64_t now_ms) const {
    if (sent_ms_.empty()) return 0;
    const std::uint64_t since_ms = std::max(last_reply_ms_, *sent_ms_.begin() + rtt_ms_);
    return now_ms - std::min(since_ms, now_ms);
}

void ServiceTime::replied(WriteKind kind, std::size_t rows, std::uint64_t sent_ms,
                          std::uint64_t now_ms) {
    if (!measuring_) return;
    const std::uint64_t before_ms = std::exchange(last_reply_ms_, now_ms);
    const auto own = sent_ms_.find(sent_ms);
    if (own == sent_ms_.end()) return;  // sent while something else disturbed the measurement
    const std::uint64_t oldest_ms = *sent_ms_.begin();
    sent_ms_.erase(own);
    const bool is_early = this->is_early();
    if (early_replies_ < kEarlyReplies) ++early_replies_;
    const double units = units_us(kind, rows);
    const bool was_idle = before_ms == 0 || sent_ms + rtt_ms_ > before_ms;
    // A single reply that took much longer says little. Sentences that the router works on together end together.
    const double most_ms = std::max(
        1.0, kMostRise * factor_ * units * static_cast<double>(sent_ms_.size() + 1) / 1000);
    if (was_idle && sent_ms_.empty()) {  // the router had only this one
        const double took_ms = static_cast<double>(now_ms - std::min(sent_ms, now_ms));
        const double alone_ms = std::clamp(took_ms - network_ms(), 0.0, most_ms);
        // A long sentence counts as much as a run. The work took no longer than the reply, so a figure that is much
        // lower is certain.
        const bool is_long = units >= kRunUs;
        const bool is_much_less = alone_ms * 1000 / units < factor_ / 2;
        if (is_early && !is_long)
            fold_early(alone_ms, units);
        else
            fold(alone_ms, units, is_long ? 0.3 : measured_ && !is_much_less ? 0.02 : 0.2);
        measured_ |= is_long;
        return;
    }
    // It worked since the reply before, or since the oldest sentence reached it.
    const double since_ms =
        std::max(static_cast<double>(before_ms), static_cast<double>(oldest_ms) + network_ms());
    const double busy_ms = std::max(0.0, static_cast<double>(now_ms) - since_ms);
    if (is_early) fold_early(std::min(busy_ms, most_ms), units);
    busy_ms_ += busy_ms;
    busy_units_us_ += units;
    if (++busy_replies_ < kRunReplies || busy_units_us_ < kRunUs) return;
    busy_ms_ = std::min(busy_ms_, kMostRise * factor_ * busy_units_us_ / 1000);
    fold(busy_ms_, busy_units_us_, measured_ ? kRunWeight : 1);
    measured_ = true;
    busy_ms_ = busy_units_us_ = 0;
    busy_replies_ = 0;
}

}  // namespace steer::routeros
