// The connection between one engine and the simulated router, with what can go wrong on it.
//
// Calls the engine only from run(), never from within the engine's own calls. A frozen side reads
// and does nothing; what arrives during that time is delivered afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "routeros/router.h"
#include "tools/rossim/router.h"

namespace steer::schedules {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

class Line final : public routeros::RouterLink {
  public:
    using Tell = std::function<void(const std::string&)>;
    // `now_us` is the clock, which others turn.
    Line(rossim::Router& sim, const std::int64_t& now_us, Tell tell);
    void attach(routeros::Router& engine) { engine_ = &engine; }

    void connect() override;
    void close() override;
    void send(std::string_view bytes) override;

    void arrived(const rossim::Output& output);
    [[nodiscard]] std::optional<rossim::SessionId> session() const { return session_; }
    [[nodiscard]] std::int64_t next_event_us() const;
    // Does what is due, the engine's tick() included; false: the engine asks again and again for
    // the same moment.
    bool run();

    void cut(std::string_view why);
    // Cuts within the engine's next write: half of its bytes arrive. Until disarm().
    void cut_in_next() { cut_in_next_ = true; }
    void disarm() { cut_in_next_ = false; }
    void blackout(std::int64_t until_us) { dark_until_us_ = until_us; }
    void freeze(std::int64_t until_us) { frozen_until_us_ = until_us; }

    [[nodiscard]] bool frozen() const { return now_us_ < frozen_until_us_; }
    [[nodiscard]] std::int64_t frozen_until_us() const { return frozen_until_us_; }
    [[nodiscard]] std::uint64_t now_ms() const {
        return static_cast<std::uint64_t>(now_us_) / 1000;
    }

  private:
    [[nodiscard]] bool dark() const { return now_us_ < dark_until_us_; }
    [[nodiscard]] std::int64_t deadline_us() const;
    void finish_connect();
    void deliver();

    rossim::Router& sim_;
    const std::int64_t& now_us_;
    Tell tell_;
    routeros::Router* engine_ = nullptr;
    std::optional<rossim::SessionId> session_;
    std::int64_t connect_at_us_ = kNever;
    std::string sent_;     // by the engine, while nothing passes
    std::string arrived_;  // from the router, not yet read by the engine
    bool ended_ = false;   // by the router, after what arrived
    std::optional<std::string> cut_;
    bool cut_in_next_ = false;
    std::int64_t dark_until_us_ = 0, frozen_until_us_ = 0;
    std::int64_t ticked_us_ = -1;
    unsigned ticks_ = 0;  // at that moment
};

}  // namespace steer::schedules
