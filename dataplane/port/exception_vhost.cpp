#include "dataplane/port/exception.h"
#include "dataplane/port/exception_port.h"

namespace steer {
namespace {

class VhostTransport {
  public:
    VhostTransport(std::unique_ptr<Port> kernel, ExceptionCounters::Queue& counters)
        : kernel_(std::move(kernel)), counters_(counters) {}

    void set_sleeper(Sleeper& /*unused*/) noexcept {}  // not needed: see wake_fd()
    [[nodiscard]] bool must_be_polled() const noexcept { return kernel_->wake_fd() < 0; }
    [[nodiscard]] int wake_fd() const noexcept { return kernel_->wake_fd(); }
    void arm() noexcept { kernel_->arm(); }
    void disarm() noexcept { kernel_->disarm(); }
    void woken(int fd) noexcept { kernel_->woken(fd); }
    void give(ExceptionKind kind, rte_mbuf* m) noexcept {
        mbufs_[n_] = m;
        kinds_[n_++] = kind;
        if (n_ == kExceptionBurst) give_all();
    }
    void flush(Port& inner, KernelsFrames& frames) noexcept;

  private:
    static constexpr unsigned kMaxATurn = 512;  // frames of the kernel

    void give_all() noexcept;

    std::unique_ptr<Port> kernel_;
    ExceptionCounters::Queue& counters_;
    // This turn's frames for the kernel.
    std::array<rte_mbuf*, kExceptionBurst> mbufs_{};
    std::array<ExceptionKind, kExceptionBurst> kinds_{};
    unsigned n_ = 0;
};

void VhostTransport::give_all() noexcept {
    const unsigned given = kernel_->tx(mbufs_.data(), static_cast<std::uint16_t>(n_));
    for (unsigned i = 0; i < n_; ++i)
        counters_.add(kinds_[i], i < given ? ExceptionEnd::given : ExceptionEnd::ring_full);
    if (given < n_) rte_pktmbuf_free_bulk(mbufs_.data() + given, n_ - given);
    n_ = 0;
}

void VhostTransport::flush(Port& inner, KernelsFrames& frames) noexcept {
    if (n_ > 0) give_all();
    frames.send(inner, kMaxATurn, counters_, [this](std::span<rte_mbuf*> room) -> unsigned {
        return kernel_->rx(room.data(), static_cast<std::uint16_t>(room.size()));
    });
}

}  // namespace

std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::unique_ptr<Port> kernel,
                                         ExceptionCounters::Queue& counters,
                                         const ExceptionRates& rates, Clock& clock) {
    return std::make_unique<ExceptionPort<VhostTransport>>(
        std::move(inner), if_index, rates, counters, clock,
        VhostTransport(std::move(kernel), counters));
}

}  // namespace steer
