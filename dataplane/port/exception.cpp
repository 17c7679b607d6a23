#include "dataplane/port/exception.h"

#include <algorithm>
#include <cstring>

#include "dataplane/port/exception_port.h"

namespace steer {
namespace {

class RingTransport {
  public:
    RingTransport(std::shared_ptr<ExceptionLink> link, unsigned queue)
        : link_(std::move(link)),
          to_kernel_(link_->to_kernel(queue)),
          counters_(link_->counters().queue(queue)),
          sends_kernels_frames_(queue == 0) {}

    void set_sleeper(Sleeper& sleeper) noexcept {
        if (sends_kernels_frames_) link_->set_worker(&sleeper);
    }
    // The thread that reads the TAP wakes the worker.
    [[nodiscard]] static bool must_be_polled() noexcept { return false; }
    [[nodiscard]] static int wake_fd() noexcept { return -1; }
    static void arm() noexcept {}
    static void disarm() noexcept {}
    static void woken(int /*fd*/) noexcept {}
    void give(ExceptionKind kind, rte_mbuf* m) noexcept;
    void flush(Port& inner, KernelsFrames& frames) noexcept;

  private:
    ExceptionEnd push(std::span<const std::uint8_t> frame) noexcept;
    unsigned take_frames(Port& inner, std::span<rte_mbuf*> out) noexcept;

    std::shared_ptr<ExceptionLink> link_;
    FrameRing& to_kernel_;
    ExceptionCounters::Queue& counters_;
    const bool sends_kernels_frames_;
    bool pushed_ = false;  // in this turn
};

void RingTransport::give(ExceptionKind kind, rte_mbuf* m) noexcept {
    counters_.add(kind, push({rte_pktmbuf_mtod(m, const std::uint8_t*), m->data_len}));
    rte_pktmbuf_free(m);
}

ExceptionEnd RingTransport::push(std::span<const std::uint8_t> frame) noexcept {
    std::uint8_t* const room = to_kernel_.begin_push();
    if (room == nullptr) return ExceptionEnd::ring_full;
    // Frames longer than the interface's MTU are cut; the interface would drop them.
    const std::size_t length = std::min<std::size_t>(frame.size(), to_kernel_.frame_bytes());
    std::memcpy(room, frame.data(), length);
    to_kernel_.push(static_cast<std::uint16_t>(length));
    pushed_ = true;
    return ExceptionEnd::given;
}

// Takes the kernel's frames that were there when the turn began. A later one wakes the worker if it goes to
// sleep.
void RingTransport::flush(Port& inner, KernelsFrames& frames) noexcept {
    if (pushed_) link_->wake_thread();
    pushed_ = false;
    if (!sends_kernels_frames_) return;
    frames.send(inner, link_->from_kernel().slots(), counters_,
                [&](std::span<rte_mbuf*> room) { return take_frames(inner, room); });
}

unsigned RingTransport::take_frames(Port& inner, std::span<rte_mbuf*> out) noexcept {
    FrameRing& ring = link_->from_kernel();
    unsigned n = 0;
    while (n < out.size()) {
        const auto frame = ring.front();
        if (frame.empty()) break;
        rte_mbuf* const m = rte_pktmbuf_alloc(inner.pool());
        if (m == nullptr) {
            counters_.add(ExceptionSend::port_full, 1);
            break;
        }
        // The interface's MTU fits an mbuf of the port.
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
    : rates_(options.rates),
      from_kernel_(options.kernel_slots, options.frame_bytes),
      counters_(options.queues) {
    for (unsigned q = 0; q < options.queues; ++q)
        to_kernel_.push_back(std::make_unique<FrameRing>(options.slots, options.frame_bytes));
}

std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::shared_ptr<ExceptionLink> link, unsigned queue,
                                         Clock& clock) {
    const ExceptionRates rates = link->rates();
    auto& counters = link->counters().queue(queue);
    return std::make_unique<ExceptionPort<RingTransport>>(
        std::move(inner), if_index, rates, counters, clock, RingTransport(std::move(link), queue));
}

}  // namespace steer
