// The measured time of a write on the router. The router's time is shared in this unit.
//
// The costs of add, set and remove are assumed to have the ratios published for real routers. One
// factor is measured, from consecutive replies while more were waiting. (Then the time between them
// is the router's, not the network's.) After the first such run, replies to single sentences count
// little, minus their round trip. They count more if they took less than half of the expected time.
// A run or a reply counts as 4.3 times the estimate at most. So one slow moment has no lasting
// effect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

namespace steer::routeros {

enum class WriteKind : std::uint8_t { add, extend, enable, remove };

class ServiceTime {
  public:
    // Estimated time of one sentence with `rows` rows. Several adds are a script.
    [[nodiscard]] double sentence_us(WriteKind kind, std::size_t rows) const;
    // Returns false if sentence_us() is an assumption.
    [[nodiscard]] bool is_measured() const { return sampled_; }
    [[nodiscard]] std::uint64_t rtt_ms() const { return rtt_ms_; }
    void set_rtt_ms(std::uint64_t ms) { rtt_ms_ = ms; }
    // Whether the estimate may still be far off.
    [[nodiscard]] bool is_early() const { return !measured_ && early_replies_ < kEarlyReplies; }
    // Estimates are proportional to it.
    [[nodiscard]] double factor() const { return factor_; }
    void set_measuring(bool on);

    // Report a sent sentence and its reply. Times are in one clock.
    void sent(std::uint64_t now_ms);
    void replied(WriteKind kind, std::size_t rows, std::uint64_t sent_ms, std::uint64_t now_ms);
    // How long the router has worked, at least, on what is in flight; 0 if not known.
    [[nodiscard]] std::uint64_t worked_ms(std::uint64_t now_ms) const;
    // Call it if no reply will arrive.
    void clear();

  private:
    static double units_us(WriteKind kind, std::size_t rows);
    void fold(double busy_ms, double units_us, double weight);
    void fold_early(double busy_ms, double units_us);
    [[nodiscard]] double network_ms() const;

    static constexpr double kAssumed = 4;          // a slow router
    static constexpr unsigned kEarlyReplies = 16;  // the assumption counts like one more reply
    double factor_ = kAssumed;
    bool measured_ = false;  // a whole run, or a long sentence
    bool sampled_ = false;
    unsigned early_replies_ = 0;
    double early_ms_ = 0, early_units_us_ = 0;
    bool measuring_ = true;
    std::uint64_t rtt_ms_ = 1;
    std::multiset<std::uint64_t> sent_ms_;  // of the measurable sentences in flight
    std::uint64_t last_reply_ms_ = 0;
    double busy_ms_ = 0, busy_units_us_ = 0;  // of the present run of replies
    unsigned busy_replies_ = 0;
};

}  // namespace steer::routeros
