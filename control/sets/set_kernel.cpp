#include "control/sets/set_kernel.h"

#include <utility>

#include "control/sets/ipset_writer.h"
#include "control/sets/nftables_watch.h"
#include "control/sets/nftables_writer.h"

namespace steer::sets {
namespace {

class Kernel final : public SetKernel {
  public:
    Result<SetAbility> read(const SetName& set) override { return of(set).read(set); }
    Result<void> add(const SetName& set, std::span<const SetElement> elements) override {
        auto done = of(set).add(set, elements);
        read_watch();
        return done;
    }
    Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override {
        return of(set).has(set, prefix);
    }
    Result<void> follow(bool nftables) override {
        if (!nftables) watch_.reset();
        if (!nftables || watch_) return {};
        auto watch = NftablesWatch::open();
        if (!watch) return watch.error();
        watch_ = std::move(*watch);
        return {};
    }
    [[nodiscard]] int fd() const override { return watch_ ? watch_->fd() : -1; }
    Changes changes() override {
        read_watch();
        return std::exchange(changes_, {});
    }

  private:
    SetWriter& of(const SetName& set) {
        if (set.is_ipset()) {
            if (!ipsets_) ipsets_ = std::make_unique<IpsetWriter>();
            return *ipsets_;
        }
        if (!nftables_) nftables_ = std::make_unique<NftablesWriter>();
        return *nftables_;
    }
    // So often that our own changes do not fill its buffer.
    void read_watch() {
        if (!watch_) return;
        if (!watch_->read([this](const SetName& set) { changes_.sets.push_back(set); }))
            changes_.lost = true;
    }

    std::unique_ptr<NftablesWriter> nftables_;
    std::unique_ptr<IpsetWriter> ipsets_;
    std::unique_ptr<NftablesWatch> watch_;
    Changes changes_;
};

}  // namespace

std::unique_ptr<SetKernel> open_set_kernel() {
    return std::make_unique<Kernel>();
}

}  // namespace steer::sets
