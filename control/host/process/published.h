// An immutable value that workers read by pointer. It can be replaced at any time; the old one is
// freed after a grace period. One writer thread. Other threads may read it only in a
// QsbrReader::Section (dataplane/base/qsbr_reader.h). (Snapshots also wait for parked queries:
// build/publish.h.)
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

namespace steer {

template <class T>
class Published {
  public:
    // Readers load `place` (acquire). Both must outlive this object. Readers must have ended before
    // it is destroyed.
    Published(std::atomic<const T*>& place, rte_rcu_qsbr* qsbr) : place_(place), qsbr_(qsbr) {}
    ~Published() { place_.store(nullptr, std::memory_order_release); }
    Published(const Published&) = delete;
    Published& operator=(const Published&) = delete;

    void put(std::unique_ptr<const T> value) {
        place_.store(value.get(), std::memory_order_release);
        if (current_) old_.push_back({std::move(current_), rte_rcu_qsbr_start(qsbr_)});
        current_ = std::move(value);
        poll();
    }
    // Frees old values that no reader can have; never waits. Call it periodically.
    void poll() {
        while (!old_.empty() && rte_rcu_qsbr_check(qsbr_, old_.front().token, false) == 1) {
            old_.pop_front();
        }
    }
    [[nodiscard]] const T* current() const { return current_.get(); }

  private:
    struct Old {
        std::unique_ptr<const T> value;
        std::uint64_t token;
    };
    std::atomic<const T*>& place_;
    rte_rcu_qsbr* qsbr_;
    std::unique_ptr<const T> current_;
    std::deque<Old> old_;
};

}  // namespace steer
