// A queue of a device with a path to the kernel: the code that both methods (exception.h) share.
// Only for exception.cpp and exception_vhost.cpp.
#pragma once

#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "dataplane/base/clock.h"
#include "dataplane/port/exception_counters.h"
#include "dataplane/port/port.h"

namespace steer {

inline constexpr unsigned kExceptionBurst = 32;

// Frames from the kernel to the port. Frames that the port does not accept wait for the next turn.
class KernelsFrames {
  public:
    KernelsFrames() = default;
    ~KernelsFrames() { rte_pktmbuf_free_bulk(held_.data(), count_); }
    KernelsFrames(const KernelsFrames&) = delete;
    KernelsFrames& operator=(const KernelsFrames&) = delete;

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

    // Sends up to `most` new frames: take(room) writes them and returns their number.
    template <class Take>
    void send(Port& port, unsigned most, ExceptionCounters::Queue& counters, Take&& take) noexcept {
        while (most > 0) {
            const unsigned n = take(std::span(held_).subspan(count_));
            most -= std::min(most, n);
            count_ += n;
            if (count_ == 0) return;
            const unsigned taken = port.tx(held_.data(), static_cast<std::uint16_t>(count_));
            counters.add(ExceptionSend::sent, taken);
            std::move(held_.begin() + taken, held_.begin() + count_, held_.begin());
            count_ -= taken;
            if (count_ == 0) continue;
            counters.add(ExceptionSend::port_full, 1);
            return;
        }
    }

  private:
    std::array<rte_mbuf*, kExceptionBurst> held_{};
    unsigned count_ = 0;
};

// `Transport` has give(kind, mbuf), which takes ownership of the mbuf and counts it. It has flush(inner,
// frames), once per turn, which sends the kernel's frames. It has set_sleeper(sleeper). It has wake_fd(), arm(),
// disarm() and woken(fd) for the kernel's frames, as a Port has them, and must_be_polled().
template <class Transport>
class ExceptionPort final : public Port {
  public:
    ExceptionPort(std::unique_ptr<Port> inner, int if_index, const ExceptionRates& rates,
                  ExceptionCounters::Queue& counters, Clock& clock, Transport transport)
        : Port(*inner),
          inner_(std::move(inner)),
          transport_(std::move(transport)),
          rates_(rates),
          counters_(counters),
          clock_(clock) {
        if_index_ = if_index;
    }

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override {
        return inner_->rx(out, n);
    }
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override {
        return inner_->tx(packets, n);
    }
    // A transport that has to be polled makes the worker poll the port, too.
    [[nodiscard]] int wake_fd() const noexcept override {
        return transport_.must_be_polled() ? -1 : inner_->wake_fd();
    }
    [[nodiscard]] int kernel_wake_fd() const noexcept override { return transport_.wake_fd(); }
    void arm() noexcept override {
        inner_->arm();
        transport_.arm();
    }
    void disarm() noexcept override {
        inner_->disarm();
        transport_.disarm();
    }
    [[nodiscard]] bool wakes() const noexcept override { return inner_->wakes(); }
    [[nodiscard]] bool has_to_send() const noexcept override { return !frames_.empty(); }
    void woken(int fd) noexcept override {
        if (fd == inner_->wake_fd()) {
            inner_->woken(fd);
        } else {
            transport_.woken(fd);
        }
    }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return inner_->pool(); }
    [[nodiscard]] bool link_is_up() const noexcept override { return inner_->link_is_up(); }
    [[nodiscard]] PortLosses losses() const noexcept override { return inner_->losses(); }
    void set_sleeper(Sleeper& sleeper) noexcept override {
        inner_->set_sleeper(sleeper);
        transport_.set_sleeper(sleeper);
    }

    // The packet has one segment: classify() passes no others.
    bool punt(rte_mbuf* m) noexcept override {
        const std::span<const std::uint8_t> frame{rte_pktmbuf_mtod(m, const std::uint8_t*),
                                                  m->data_len};
        const ExceptionKind kind = exception_kind(frame);
        const auto k = static_cast<std::size_t>(kind);
        if (buckets_[k].take(rates_[k], now_ms())) {
            transport_.give(kind, m);
        } else {
            counters_.add(kind, ExceptionEnd::over_rate);
            rte_pktmbuf_free(m);
        }
        return true;
    }
    void flush() noexcept override {
        clock_was_read_ = false;
        transport_.flush(*inner_, frames_);
        inner_->flush();
    }

  private:
    std::uint64_t now_ms() noexcept {
        if (!clock_was_read_) now_ms_ = clock_.now().ms;
        clock_was_read_ = true;
        return now_ms_;
    }

    const std::unique_ptr<Port> inner_;
    KernelsFrames frames_;
    Transport transport_;  // these two are destroyed first: they hold mbufs of inner's pool
    const ExceptionRates rates_;
    ExceptionCounters::Queue& counters_;
    Clock& clock_;
    std::array<ExceptionBucket, kExceptionKinds.size()> buckets_{};
    // The time of this turn.
    std::uint64_t now_ms_ = 0;
    bool clock_was_read_ = false;
};

}  // namespace steer
