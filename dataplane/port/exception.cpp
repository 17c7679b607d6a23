#include "dataplane/port/exception.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

namespace steer {
namespace {

class ExceptionPort final : public Port {
  public:
    ExceptionPort(std::unique_ptr<Port> inner, int if_index, std::shared_ptr<ExceptionLink> link,
                  unsigned queue, Clock& clock)
        : Port(*inner),
          inner_(std::move(inner)),
          link_(std::move(link)),
          queue_(link_->queue(queue)),
          sends_kernels_frames_(queue == 0),
          clock_(clock) {
        if_index_ = if_index;
    }
    ~ExceptionPort() override { rte_pktmbuf_free_bulk(held_.data(), held_count_); }
    ExceptionPort(const ExceptionPort&) = delete;
    ExceptionPort& operator=(const ExceptionPort&) = delete;

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override {
        return inner_->rx(out, n);
    }
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override {
        return inner_->tx(packets, n);
    }
    [[nodiscard]] int wake_fd() const noexcept override { return inner_->wake_fd(); }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return inner_->pool(); }
    [[nodiscard]] bool link_is_up() const noexcept override { return inner_->link_is_up(); }
    void set_sleeper(Sleeper& sleeper) noexcept override {
        inner_->set_sleeper(sleeper);
        if (sends_kernels_frames_) link_->set_worker(&sleeper);
    }

    bool punt(rte_mbuf* m) noexcept override;
    void flush() noexcept override;

  private:
    ExceptionEnd push(ExceptionKind kind, std::span<const std::uint8_t> frame) noexcept;
    std::uint64_t now_ms() noexcept;
    void send_kernels_frames() noexcept;
    unsigned take_frames(std::span<rte_mbuf*> out) noexcept;

    static constexpr unsigned kAtOnce = 32;

    const std::unique_ptr<Port> inner_;
    const std::shared_ptr<ExceptionLink> link_;
    ExceptionLink::Queue& queue_;
    const bool sends_kernels_frames_;
    Clock& clock_;
    std::array<ExceptionBucket, kExceptionKinds> buckets_{};
    std::array<rte_mbuf*, kAtOnce> held_{};  // frames of the kernel that the port did not take yet
    unsigned held_count_ = 0;
    // Of this turn.
    std::uint64_t now_ms_ = 0;
    bool clock_was_read_ = false;
    bool pushed_ = false;
};

std::uint64_t ExceptionPort::now_ms() noexcept {
    if (!clock_was_read_) now_ms_ = clock_.now().ms;
    clock_was_read_ = true;
    return now_ms_;
}

// classify() leaves no packet in pieces.
bool ExceptionPort::punt(rte_mbuf* m) noexcept {
    const std::span<const std::uint8_t> frame{rte_pktmbuf_mtod(m, const std::uint8_t*),
                                              m->data_len};
    const ExceptionKind kind = exception_kind(frame);
    queue_.ends[static_cast<std::size_t>(kind)][static_cast<std::size_t>(push(kind, frame))].add();
    rte_pktmbuf_free(m);
    return true;
}

ExceptionEnd ExceptionPort::push(ExceptionKind kind, std::span<const std::uint8_t> frame) noexcept {
    const auto k = static_cast<std::size_t>(kind);
    if (!buckets_[k].take(link_->rates()[k], now_ms())) return ExceptionEnd::over_rate;
    std::uint8_t* const room = queue_.to_kernel.begin_push();
    if (room == nullptr) return ExceptionEnd::ring_full;
    // What is longer than the interface's MTU lets in would be dropped there: it is cut, not kept out.
    const std::size_t length = std::min<std::size_t>(frame.size(), queue_.to_kernel.frame_bytes());
    std::memcpy(room, frame.data(), length);
    queue_.to_kernel.push(static_cast<std::uint16_t>(length));
    pushed_ = true;
    return ExceptionEnd::given;
}

void ExceptionPort::flush() noexcept {
    clock_was_read_ = false;
    if (pushed_) link_->wake_thread();
    pushed_ = false;
    if (sends_kernels_frames_) send_kernels_frames();
    inner_->flush();
}

// All that were there when the turn began: what comes later wakes the worker if it goes to sleep. What the port does
// not take is held until the next turn.
void ExceptionPort::send_kernels_frames() noexcept {
    for (unsigned left = link_->from_kernel().slots(); left > 0;) {
        const unsigned n = take_frames(std::span(held_).subspan(held_count_));
        left -= std::min(left, n);
        held_count_ += n;
        if (held_count_ == 0) return;
        const unsigned taken = inner_->tx(held_.data(), static_cast<std::uint16_t>(held_count_));
        queue_.sends[static_cast<std::size_t>(ExceptionSend::sent)].add(taken);
        std::move(held_.begin() + taken, held_.begin() + held_count_, held_.begin());
        held_count_ -= taken;
        if (held_count_ == 0) continue;
        queue_.sends[static_cast<std::size_t>(ExceptionSend::port_full)].add();
        return;
    }
}

unsigned ExceptionPort::take_frames(std::span<rte_mbuf*> out) noexcept {
    FrameRing& ring = link_->from_kernel();
    unsigned n = 0;
    while (n < out.size()) {
        const auto frame = ring.front();
        if (frame.empty()) break;
        rte_mbuf* const m = rte_pktmbuf_alloc(inner_->pool());
        if (m == nullptr) {
            queue_.sends[static_cast<std::size_t>(ExceptionSend::port_full)].add();
            break;
        }
        // The interface's MTU is what fits an mbuf of the port.
        char* const room = rte_pktmbuf_append(m, static_cast<std::uint16_t>(frame.size()));
        if (room != nullptr) {
            std::memcpy(room, frame.data(), frame.size());
            out[n++] = m;
        } else {
            rte_pktmbuf_free(m);
        }
        ring.pop();
    }
    return n;
}

}  // namespace

ExceptionLink::ExceptionLink(const ExceptionOptions& options)
    : rates_(options.rates), from_kernel_(options.kernel_slots, options.frame_bytes) {
    for (unsigned q = 0; q < options.queues; ++q)
        queues_.push_back(std::make_unique<Queue>(options));
}

std::uint64_t ExceptionLink::ends(ExceptionKind kind, ExceptionEnd end) const {
    std::uint64_t sum = 0;
    for (const auto& q : queues_)
        sum += q->ends[static_cast<std::size_t>(kind)][static_cast<std::size_t>(end)].get();
    return sum;
}

std::uint64_t ExceptionLink::sends(ExceptionSend what) const {
    switch (what) {
        case ExceptionSend::ring_full:
            return from_kernel_full.get();
        case ExceptionSend::write_failed:
            return write_failed.get();
        default:
            return queues_.front()->sends[static_cast<std::size_t>(what)].get();
    }
}

std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::shared_ptr<ExceptionLink> link, unsigned queue,
                                         Clock& clock) {
    return std::make_unique<ExceptionPort>(std::move(inner), if_index, std::move(link), queue,
                                           clock);
}

}  // namespace steer
