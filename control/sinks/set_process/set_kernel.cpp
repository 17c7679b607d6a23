#include "control/sinks/set_process/set_kernel.h"

#include <optional>
#include <utility>

#include "control/sinks/set_process/ipset_writer.h"
#include "control/sinks/set_process/nftables_watch.h"
#include "control/sinks/set_process/nftables_writer.h"
#include "control/sinks/set_process/route_watch.h"
#include "control/sinks/set_process/route_writer.h"

namespace steer::sets {
namespace {

class Kernel final : public SetKernel {
  public:
    Result<SetAbility> read(const SetName& set) override { return of(set).read(set); }
    Result<void> add(const SetName& set, std::span<const SetElement> elements) override {
        auto done = of(set).add(set, elements);
        read_watches();
        return done;
    }
    Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override {
        return of(set).has(set, prefix);
    }
    Result<void> remove(const SetName& set, std::span<const matchers::Prefix> elements) override {
        return of(set).remove(set, elements);
    }
    Result<std::vector<matchers::Prefix>> ours(const SetName& set) override {
        return of(set).ours(set);
    }
    Result<void> follow(bool nftables, bool routes) override {
        if (!nftables) nftables_watch_.reset();
        if (!routes) route_watch_.reset();
        if (nftables && !nftables_watch_) {
            auto watch = NftablesWatch::open();
            if (!watch) return watch.error();
            nftables_watch_ = std::move(*watch);
        }
        if (routes && !route_watch_) {
            if (const auto opened = routes_.open(); !opened) return opened.error();
            auto watch = RouteWatch::open(routes_.port());
            if (!watch) return watch.error();
            route_watch_ = std::move(*watch);
        }
        return {};
    }
    [[nodiscard]] std::array<int, 2> fds() const override {
        return {nftables_watch_ ? nftables_watch_->fd() : -1,
                route_watch_ ? route_watch_->fd() : -1};
    }
    Changes changes() override {
        read_watches();
        return std::exchange(changes_, {});
    }

  private:
    SetWriter& of(const SetName& set) {
        if (set.is_routes()) return routes_;
        if (set.is_ipset()) {
            if (!ipsets_) ipsets_ = std::make_unique<IpsetWriter>();
            return *ipsets_;
        }
        if (!nftables_) nftables_ = std::make_unique<NftablesWriter>();
        return *nftables_;
    }
    // So often that our own changes do not fill the buffer of nftables.
    void read_watches() {
        const auto take = [this](const SetName& set) { changes_.sets.push_back(set); };
        if (nftables_watch_ && !nftables_watch_->read(take)) changes_.lost = true;
        if (route_watch_ && !route_watch_->read(take)) changes_.lost = true;
    }

    std::unique_ptr<NftablesWriter> nftables_;
    std::unique_ptr<IpsetWriter> ipsets_;
    RouteWriter routes_;
    std::optional<NftablesWatch> nftables_watch_;
    std::optional<RouteWatch> route_watch_;
    Changes changes_;
};

}  // namespace

std::unique_ptr<SetKernel> open_set_kernel() {
    return std::make_unique<Kernel>();
}

}  // namespace steer::sets
