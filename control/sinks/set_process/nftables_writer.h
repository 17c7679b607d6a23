// Writes sets of nftables through libnftables: one transaction per batch, so that a packet sees the
// whole batch or none of it.
//
// Since Linux 6.12, an existing element that is added again gets the new timeout, and starts over
// if `expires` is given too. Before 6.12 it keeps its old timeout. There, one transaction adds,
// deletes and adds each element of a set with timeouts, which works for existing and missing
// elements. (This is slow for large sets with intervals, because libnftables compares each deleted
// element with all others: 36 ms for 10,000.) A set with `auto-merge` may reject that, because it
// merged the element with others; then elements are only added.
#pragma once

#include <set>
#include <string>

#include "control/sinks/set_process/kernel_set.h"

struct nft_ctx;

namespace steer::sets {

class NftablesWriter final : public SetWriter {
  public:
    // Whether this kernel updates the timeout of an existing element that is added again.
    static bool kernel_renews();

    explicit NftablesWriter(bool renews = kernel_renews());
    ~NftablesWriter() override;
    NftablesWriter(const NftablesWriter&) = delete;
    NftablesWriter& operator=(const NftablesWriter&) = delete;

    Result<SetAbility> read(const SetName& set) override;
    Result<void> add(const SetName& set, std::span<const SetElement> elements) override;
    // Not needed: the kernel reports changes (NftablesWatch).
    Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override;
    Result<void> remove(const SetName& set, std::span<const matchers::Prefix> elements) override;
    Result<std::vector<matchers::Prefix>> ours(const SetName&) override {
        return std::vector<matchers::Prefix>{};
    }

  private:
    // The output, or the first line of the error.
    Result<std::string> run(const std::string& command);
    // Whether the set has auto-merge. True if that cannot be read.
    bool merges(const SetName& set);

    nft_ctx* context_;
    bool renews_;
    std::set<SetName> add_alone_;
};

}  // namespace steer::sets
