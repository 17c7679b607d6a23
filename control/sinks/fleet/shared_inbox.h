// What the thread of the fleet has for the main thread about shared entries, in its order.
//
// The main thread takes a part of it at a time, so that a flood of messages in Redis delays nothing
// else. A message without room is lost; then all entries have to be read again.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace steer::fleet {

class SharedInbox {
  public:
    using Call = std::function<void()>;
    static constexpr std::size_t kMost = 16'384;

    // Answers, and the begin and the end of a reading: few, and never lost.
    void put(Call call) {
        const std::lock_guard lock(mutex_);
        calls_.push_back(std::move(call));
    }
    // An entry. False: there was no room, and it is lost.
    bool put_entry(Call call) {
        const std::lock_guard lock(mutex_);
        if (calls_.size() >= kMost) {
            has_lost_ = true;
            return false;
        }
        calls_.push_back(std::move(call));
        return true;
    }
    [[nodiscard]] bool has_room(std::size_t entries) const {
        const std::lock_guard lock(mutex_);
        return calls_.size() + entries <= kMost;
    }
    // Whether entries were lost since the last call, and there is room again.
    bool take_lost() {
        const std::lock_guard lock(mutex_);
        return calls_.size() < kMost / 2 && std::exchange(has_lost_, false);
    }
    [[nodiscard]] std::optional<Call> take() {
        const std::lock_guard lock(mutex_);
        if (calls_.empty()) return std::nullopt;
        Call first = std::move(calls_.front());
        calls_.pop_front();
        return first;
    }

  private:
    mutable std::mutex mutex_;
    std::deque<Call> calls_;
    bool has_lost_ = false;
};

}  // namespace steer::fleet
