#include "routeros/service_time.h"

#include <algorithm>

namespace steer::routeros {

namespace {

// Microseconds on an RB5009 (published measurements): a sentence, and each row of it.
constexpr double kSentenceUs = 300, kAddUs = 1000, kSetUs = 1000, kRemoveUs = 2500;
constexpr double kScriptRowUs = 15;  // of a script, in addition to the add
// Enough work, in enough replies, to update the estimate: long sentences run in parallel on the router, and
// then end together.
constexpr double kRunUs = 20'000;
constexpr unsigned kRunReplies = 8;

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
    last_reply_ms_ = 0;
    busy_ms_ = busy_units_us_ = 0;
    busy_replies_ = 0;
}

void ServiceTime::fold(double busy_ms, double units_us, double weight) {
    const double factor = std::clamp(busy_ms * 1000 / units_us, 0.05, 200.0);
    factor_ = factor_ * (1 - weight) + factor * weight;
    sampled_ = true;
}

void ServiceTime::replied(WriteKind kind, std::size_t rows, std::uint64_t sent_ms,
                          std::uint64_t now_ms) {
    const std::uint64_t before = last_reply_ms_;
    if (!measuring_) return;
    if (early_replies_ < kEarlyReplies) ++early_replies_;
    last_reply_ms_ = now_ms;
    const double units = units_us(kind, rows);
    const std::uint64_t reached_ms = sent_ms + rtt_ms_;
    if (before == 0 || reached_ms > before) {  // the router was idle in between
        // The round trip was measured with a sentence, which the router has to work for, too.
        const double network_ms =
            std::max(0.0, static_cast<double>(rtt_ms_) - kSentenceUs * factor_ / 1000);
        const double alone =
            std::max(0.0, static_cast<double>(now_ms - std::min(sent_ms, now_ms)) - network_ms);
        // A long sentence counts as much as a run. The work took no longer than the reply, so a figure that is much
        // lower is certain.
        const bool is_long = units >= kRunUs;
        const bool is_much_less = alone * 1000 / units < factor_ / 2;
        fold(alone, units, is_long ? 0.3 : measured_ && !is_much_less ? 0.02 : 0.2);
        measured_ |= is_long;
        return;
    }
    busy_ms_ += static_cast<double>(now_ms - before);
    busy_units_us_ += units;
    if (++busy_replies_ < kRunReplies || busy_units_us_ < kRunUs) return;
    fold(busy_ms_, busy_units_us_, measured_ ? 0.3 : 1);
    measured_ = true;
    busy_ms_ = busy_units_us_ = 0;
    busy_replies_ = 0;
}

}  // namespace steer::routeros
