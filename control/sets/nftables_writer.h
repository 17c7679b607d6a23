// Sets of nftables, by libnftables: one transaction a batch, so that a packet sees all of it or nothing.
//
// An element that is there gets the timeout with which it is added again, since Linux 6.12, and its time begins anew if
// that is said as well (`expires`). Before, it keeps its old one;
// so there a set with timeouts gets each one added, deleted and added in one transaction, which is right whether it was
// there or not (and slow for large sets with intervals, because libnftables compares each one deleted with all that
// there are: 36 ms of 10,000). A set with `auto-merge` may refuse that, because it joined the element with others: it
// then gets them added alone.
#pragma once

#include <set>
#include <string>

#include "control/sets/kernel_set.h"

struct nft_ctx;

namespace steer::sets {

class NftablesWriter final : public SetWriter {
  public:
    // Whether this kernel gives an element that is there a new timeout when it is added again.
    static bool kernel_renews();

    explicit NftablesWriter(bool renews = kernel_renews());
    ~NftablesWriter() override;
    NftablesWriter(const NftablesWriter&) = delete;
    NftablesWriter& operator=(const NftablesWriter&) = delete;

    Result<SetAbility> read(const SetName& set) override;
    Result<void> add(const SetName& set, std::span<const SetElement> elements) override;
    // Not asked for: the kernel tells of changes (NftablesWatch).
    Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override;

  private:
    // What was said; or the first line of the complaint.
    Result<std::string> run(const std::string& command);

    nft_ctx* context_;
    bool renews_;
    std::set<SetName> add_alone_;
};

}  // namespace steer::sets
