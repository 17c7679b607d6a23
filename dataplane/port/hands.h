// Whether a worker may touch the sockets and rings of its port. Control takes them away when their
// device was removed, and gives new ones when it is back.
//
// Control writes `on` and `lift`; the worker replies to `lift` with `off`. One atomic load per call.
#pragma once

#include <atomic>
#include <cstdint>

namespace steer {

class Hands {
  public:
    // ---- control
    void put_on() noexcept { state_.store(State::on, std::memory_order_release); }
    // Asks the worker to leave the rings alone; true if it does.
    bool lift() noexcept {
        State on = State::on;
        state_.compare_exchange_strong(on, State::lift, std::memory_order_acq_rel);
        return state_.load(std::memory_order_acquire) == State::off;
    }

    // ---- the worker
    [[nodiscard]] bool are_on() const noexcept {
        return state_.load(std::memory_order_acquire) == State::on;
    }
    // In each rx(): whether it may go on. Replies to control.
    [[nodiscard]] bool check() noexcept {
        if (are_on()) [[likely]]
            return true;
        if (state_.load(std::memory_order_relaxed) == State::lift)
            state_.store(State::off, std::memory_order_release);
        return false;
    }

  private:
    enum class State : std::uint8_t { off, on, lift };
    std::atomic<State> state_{State::off};
};

}  // namespace steer
