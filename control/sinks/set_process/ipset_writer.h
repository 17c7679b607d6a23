// Writes sets of ipset through libipset, as lines of `ipset restore`, so that a batch is a few
// netlink messages.
#pragma once

#include <string>

#include "control/sinks/set_process/kernel_set.h"

struct ipset;

namespace steer::sets {

class IpsetWriter final : public SetWriter {
  public:
    IpsetWriter();
    ~IpsetWriter() override;
    IpsetWriter(const IpsetWriter&) = delete;
    IpsetWriter& operator=(const IpsetWriter&) = delete;

    Result<SetAbility> read(const SetName& set) override;
    Result<void> add(const SetName& set, std::span<const SetElement> elements) override;
    Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override;
    Result<void> remove(const SetName& set, std::span<const matchers::Prefix> elements) override;
    Result<std::vector<matchers::Prefix>> ours(const SetName&) override {
        return std::vector<matchers::Prefix>{};
    }

    // The output of libipset, written by its callbacks.
    struct Messages {
        std::string output, complaint;
    };

  private:
    void open();
    void close();
    Result<void> run(std::string lines);
    // Runs libipset's call on ipset_: true if it succeeded; its output is in messages_.
    bool done(int result);

    ipset* ipset_;
    Messages messages_;
};

}  // namespace steer::sets
