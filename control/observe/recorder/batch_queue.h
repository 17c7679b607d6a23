// A bounded queue of batches between two threads. A full queue refuses a batch; the caller counts
// that.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace steer::recorder {

template <class Batch>
class BatchQueue {
  public:
    struct Item {
        Batch batch;
        std::size_t weight;
    };

    // `most`: maximum sum of the weights that wait. One batch always fits.
    explicit BatchQueue(std::size_t most) : most_(most) {}

    bool push(Batch&& batch, std::size_t weight) {
        {
            const std::scoped_lock lock(mutex_);
            if (is_closed_ || (!items_.empty() && waiting_ + weight > most_)) return false;
            waiting_ += weight;
            items_.push_back({std::move(batch), weight});
        }
        changed_.notify_one();
        return true;
    }

    // The next batch. No value: none arrived in this time, wake() was called, or the queue is
    // closed.
    std::optional<Item> pop(std::chrono::milliseconds wait) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, wait,
                          [this] { return !items_.empty() || is_closed_ || is_woken_; });
        is_woken_ = false;
        if (items_.empty()) return std::nullopt;
        Item item = std::move(items_.front());
        items_.pop_front();
        waiting_ -= item.weight;
        return item;
    }

    void wake() {
        {
            const std::scoped_lock lock(mutex_);
            is_woken_ = true;
        }
        changed_.notify_one();
    }
    // After close(), waiting batches can still be popped.
    void close() {
        {
            const std::scoped_lock lock(mutex_);
            is_closed_ = true;
        }
        changed_.notify_one();
    }
    [[nodiscard]] bool is_closed() const {
        const std::scoped_lock lock(mutex_);
        return is_closed_;
    }
    [[nodiscard]] bool is_empty() const {
        const std::scoped_lock lock(mutex_);
        return items_.empty();
    }
    [[nodiscard]] std::size_t waiting() const {
        const std::scoped_lock lock(mutex_);
        return waiting_;
    }

  private:
    const std::size_t most_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Item> items_;
    std::size_t waiting_ = 0;
    bool is_closed_ = false, is_woken_ = false;
};

}  // namespace steer::recorder
